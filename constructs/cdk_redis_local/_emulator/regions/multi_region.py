"""MemoryDB's Multi-Region clusters: each member accepts writes, which are copied to all others.

No engine replicates in both directions: `KeyCopy` copies the changes of each member. As on AWS, the last writer wins:
for strings by key, for hashes, sets and sorted sets by field or member.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.regions.global_datastores import region_prefix
from cdk_redis_local._emulator.stores import StoreKey, Stores, StoreShape
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.key_copy import KeyCopy

# "Multi-Region clusters do not support keys with a time to live [...] or types other than strings, hashes, sets and
# sorted sets": https://docs.aws.amazon.com/memorydb/latest/devguide/multi-region.prereq.html
UNSUPPORTED = (
    "@list",
    "@stream",
    *("expire", "expireat", "pexpire", "pexpireat", "setex", "psetex", "getex"),
)
"""Commands that no user of a member may run."""


@dataclass
class MultiRegionCluster:
    """A Multi-Region cluster.

    Attributes:
        name: Its name, with the prefix of its Region.
        account: Its account.
        declared: Its properties in the template.
        members: Its running members.
        changing: Whether its members are being changed.
    """

    name: str
    account: str
    declared: Mapping[str, Any]
    members: list[StoreKey] = field(default_factory=list[StoreKey])
    changing: bool = False
    copy: KeyCopy | None = None

    @property
    def arn(self) -> str:
        """Its ARN, which has no Region."""
        return f"arn:aws:memorydb::{self.account}:multiregioncluster/{self.name}"

    @property
    def status(self) -> str:
        """Status in the API."""
        return "updating" if self.changing else "available"


class MultiRegionClusters:
    """The Multi-Region clusters of the cloud."""

    def __init__(self, stores: Stores, say: Callable[[str], object]) -> None:
        """Begin without clusters; ``say`` gets a message for the user when a member joins."""
        self._stores = stores
        self._say = say
        self._known: dict[tuple[str, str], MultiRegionCluster] = {}
        self._lock = threading.RLock()

    def create(self, account: str, region: str, suffix: str, declared: Mapping[str, Any]) -> MultiRegionCluster:
        """Create a cluster without members.

        Raises:
            LocalCloudError: It exists already.
        """
        name = f"{region_prefix(region)}-{suffix}"
        with self._lock:
            if (account, name) in self._known:
                raise LocalCloudError(f"MultiRegionClusterAlreadyExistsFault: {name} exists already")
            made = self._known[account, name] = MultiRegionCluster(name, account, declared)
        return made

    def get(self, account: str, name: str) -> MultiRegionCluster | None:
        """The cluster with this name."""
        return self._known.get((account, name))

    def all(self, account: str) -> list[MultiRegionCluster]:
        """The clusters of an account."""
        return [one for (owner, _), one in self._known.items() if owner == account]

    def of_member(self, key: StoreKey) -> MultiRegionCluster | None:
        """The cluster that a regional cluster is a member of."""
        return next((one for one in self._known.values() if key in one.members), None)

    def shape(self, account: str, name: str, replicas: int) -> StoreShape:
        """The shape of a member, with its own number of replicas.

        Raises:
            LocalCloudError: The Multi-Region cluster does not exist, or this machine does not have its engine.
        """
        found = self.get(account, name)
        if found is None:
            raise LocalCloudError(f"MultiRegionClusterNotFoundFault: Multi Region Cluster {name} not found.")
        declared = found.declared
        return StoreShape(
            program=self._stores.choose_engine(str(declared.get("Engine", "valkey")), declared.get("EngineVersion")),
            cluster_mode=True,
            shards=int(declared.get("NumShards") or 1),
            replicas=replicas,
            tls=str(declared.get("TLSEnabled", "true")).lower() == "true",
            durable=True,
        )

    def join(self, key: StoreKey, name: str) -> None:
        """Make a running cluster a member; returns when all members have the same keys.

        Raises:
            LocalCloudError: The Multi-Region cluster has a member in this Region already.
            EngineError: The keys were not copied in time.
        """
        found = self._known[key.scope[0], name]
        with self._lock:
            if any(other.scope == key.scope for other in found.members):
                raise LocalCloudError(f"InvalidParameterValueException: {name} has a member in {key.scope[1]} already")
            self._stores.refuse(key, UNSUPPORTED)
            found.members.append(key)
            self._connect(found)
        if found.copy:
            found.copy.wait_until_equal()
        self._say(f"{key.name} in {key.scope[1]} is a member of {name}")

    def leave(self, key: StoreKey) -> None:
        """End the copies to and from a member. Does nothing if the store is no member."""
        with self._lock:
            found = self.of_member(key)
            if found:
                found.members.remove(key)
                self._connect(found)

    def update(self, cluster: MultiRegionCluster, declared: Mapping[str, Any]) -> None:
        """Change all members in place."""
        cluster.declared, cluster.changing = declared, True
        try:
            for key in cluster.members:
                replicas = self._stores[key].engines.replicas
                shape = self.shape(cluster.account, cluster.name, replicas)
                self._stores.resize(key, replace(shape, parameters=dict(self._stores[key].engines.parameters)))
        finally:
            cluster.changing = False

    def delete(self, account: str, name: str) -> None:
        """Delete a cluster without members. Does nothing if it does not exist.

        Raises:
            LocalCloudError: It has a member.
        """
        found = self.get(account, name)
        if found and found.members:
            members = ", ".join(key.name for key in found.members)
            raise LocalCloudError(f"InvalidMultiRegionClusterStateFault: {name} has members: {members}")
        self._known.pop((account, name), None)

    def _connect(self, cluster: MultiRegionCluster) -> None:
        if cluster.copy:
            cluster.copy.close()
            cluster.copy = None
        if len(cluster.members) > 1:
            # An upgrade gives a store other engines.
            sets = {f"{key.scope[1]}/{key.name}": functools.partial(self._engines, key) for key in cluster.members}
            cluster.copy = KeyCopy(sets, list(sets))

    def _engines(self, key: StoreKey) -> EngineSet:
        return self._stores[key].engines
