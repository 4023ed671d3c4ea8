"""ElastiCache's global datastores: a primary replication group, and secondaries in other Regions of this cloud."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.regions.links import Link
from cdk_redis_local._emulator.store import StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores

_PREFIX_LETTERS = 5


@dataclass
class GlobalDatastore:
    """A global datastore.

    Attributes:
        name: Its id, with the prefix of its Region.
        account: Its account.
        link: Its replication; has the primary and the secondaries.
        declared: Its properties in the template.
        changing: Whether another member is being made the primary.
    """

    name: str
    account: str
    link: Link
    declared: Mapping[str, Any] = field(default_factory=dict[str, Any])
    changing: bool = False

    @property
    def arn(self) -> str:
        """Its ARN, which has no Region."""
        return f"arn:aws:elasticache::{self.account}:globalreplicationgroup:{self.name}"

    @property
    def members(self) -> list[StoreKey]:
        """The primary, then the secondaries."""
        return [self.link.primary, *self.link.secondaries]

    @property
    def status(self) -> str:
        """Status in the API."""
        if self.changing:
            return "modifying"
        return "available" if self.link.secondaries else "primary-only"


class GlobalDatastores:
    """The global datastores of the cloud."""

    def __init__(self, stores: Stores, say: Callable[[str], object]) -> None:
        """Begin without global datastores; ``say`` gets a message for the user after each change of a role."""
        self._stores = stores
        self._say = say
        self._known: dict[tuple[str, str], GlobalDatastore] = {}
        self._lock = threading.RLock()

    def create(self, suffix: str, primary: StoreKey) -> GlobalDatastore:
        """Make a running replication group the primary of a new global datastore.

        Raises:
            LocalCloudError: The replication group does not run, or is a member of another one.
        """
        account, region = primary.scope
        name = f"{region_prefix(region)}-{suffix}".lower()
        if primary not in self._stores:
            raise LocalCloudError(f"ReplicationGroupNotFoundFault: Replication group {primary.name} not found")
        with self._lock:
            if self.of_member(primary) or (account, name) in self._known:
                raise LocalCloudError(f"GlobalReplicationGroupAlreadyExistsFault: {name}")
            made = self._known[account, name] = GlobalDatastore(name, account, Link(self._stores, primary))
        return made

    def get(self, account: str, name: str) -> GlobalDatastore | None:
        """The global datastore with this id."""
        return self._known.get((account, name.lower()))

    def all(self, account: str) -> list[GlobalDatastore]:
        """The global datastores of an account."""
        return [one for (owner, _), one in self._known.items() if owner == account]

    def of_member(self, key: StoreKey) -> GlobalDatastore | None:
        """The global datastore that a replication group is a member of."""
        return next((one for one in self._known.values() if key in one.members), None)

    def membership(self, key: StoreKey) -> dict[str, str] | None:
        """The ``GlobalReplicationGroupInfo`` of a replication group in the API; None if it is no member."""
        found = self.of_member(key)
        return found and {
            "GlobalReplicationGroupId": found.name,
            "GlobalReplicationGroupMemberRole": "PRIMARY" if key == found.link.primary else "SECONDARY",
        }

    def shape_of_secondary(self, key: StoreKey, global_id: str, replicas: int) -> StoreShape:
        """The shape of a new secondary is that of the primary; a running one keeps its own, except the replicas.

        Raises:
            LocalCloudError: The global datastore does not exist.
        """
        found = self.get(key.scope[0], global_id)
        model = found.link.primary if found and key not in self._stores else key
        if model not in self._stores:
            raise LocalCloudError(f"GlobalReplicationGroupNotFoundFault: {global_id} does not exist")
        return replace(self.running_shape(model), replicas=replicas)

    def shape_of_primary(self, key: StoreKey, shape: StoreShape) -> StoreShape:
        """The declared shape, with what the global datastore of the replication group has changed."""
        found = self.of_member(key)
        if found is None or key not in self._stores:
            return shape
        running = self.running_shape(key)
        if found.declared.get("GlobalNodeGroupCount"):
            shape = replace(shape, shards=running.shards)
        return replace(shape, program=running.program) if found.declared.get("EngineVersion") else shape

    def running_shape(self, key: StoreKey) -> StoreShape:
        """The shape of a running store."""
        return self._stores[key].shape

    def join(self, key: StoreKey, global_id: str) -> None:
        """Make a running, empty replication group a secondary; returns when it has the primary's keys.

        Raises:
            LocalCloudError: The global datastore does not exist, has a member in this Region, or two secondaries.
        """
        found = self.get(key.scope[0], global_id)
        if found is None:
            raise LocalCloudError(f"GlobalReplicationGroupNotFoundFault: {global_id} does not exist")
        if any(other.scope == key.scope for other in found.members):
            raise LocalCloudError(f"InvalidParameterValue: {found.name} has a member in {key.scope[1]} already")
        try:
            found.link.add(key)
        except BaseException:
            found.link.remove(key)
            raise
        self._say(f"{key.name} in {key.scope[1]} replicates from {found.link.primary.name}")

    def leave(self, key: StoreKey) -> None:
        """Let a replication group be deleted.

        Raises:
            LocalCloudError: It is the primary of a global datastore.
        """
        found = self.of_member(key)
        if found is None:
            return
        if key == found.link.primary:
            raise LocalCloudError(
                f"InvalidReplicationGroupState: {key.name} is the primary of the global datastore {found.name}: delete "
                "that first, or make another member the primary"
            )
        self.disassociate(found, key)

    def disassociate(self, datastore: GlobalDatastore, key: StoreKey) -> None:
        """End the replication to a secondary, which accepts writes afterwards."""
        datastore.link.remove(key)
        self._say(f"{key.name} in {key.scope[1]} has left {datastore.name}, and accepts writes")

    def promote(self, datastore: GlobalDatastore, key: StoreKey) -> None:
        """Make a secondary the primary."""
        datastore.changing = True
        try:
            datastore.link.promote(key)
        finally:
            datastore.changing = False
        self._say(f"{key.name} in {key.scope[1]} is the primary of {datastore.name}")

    def promote_in_background(self, datastore: GlobalDatastore, key: StoreKey) -> None:
        """Make a secondary the primary, as the API does: a message tells the result."""
        datastore.changing = True

        def work() -> None:
            try:
                self.promote(datastore, key)
            except (LocalCloudError, RedisError) as error:
                self._say(f"{key.name} did not become the primary of {datastore.name}: {error}")

        threading.Thread(target=work, name=f"promotion of {key.name}", daemon=True).start()

    def resize(self, datastore: GlobalDatastore, shape: Callable[[StoreShape], StoreShape]) -> None:
        """Change all members in place.

        Args:
            datastore: The global datastore.
            shape: Called with the shape of each member; returns the new one.
        """
        for key in datastore.members:
            self._stores.resize(key, shape(self.running_shape(key)))

    def delete(self, account: str, name: str) -> None:
        """Delete a global datastore; its members stay, and all accept writes. Does nothing if it does not exist."""
        with self._lock:
            found = self._known.pop((account, name.lower()), None)
        if found:
            found.link.close()


def region_prefix(region: str) -> str:
    """Five letters that are the same for each global resource of a Region; AWS has other ones."""
    digest = hashlib.sha256(region.encode()).digest()
    return "".join(chr(ord("a") + byte % 26) for byte in digest[:_PREFIX_LETTERS])
