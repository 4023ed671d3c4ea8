"""`Snapshots`: takes, keeps, copies and deletes snapshots. They outlive their stores, and end with the local cloud."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import shutil
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._emulator.engine_users import SERVERLESS
from cdk_redis_local._emulator.observe.events import Event
from cdk_redis_local._emulator.store import CACHE_CLUSTER, StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.program import EngineProgram
from cdk_redis_local._engines.rdb import SavedShard

# Manual snapshots of a store in 24 hours; a node-based store may have this number for each node.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups.html#backups-constraints
_MOST_IN_A_DAY = 24
_DAY = dt.timedelta(hours=24)


class SnapshotError(LocalCloudError):
    """A snapshot cannot be taken, found, changed or restored.

    Attributes:
        code: Name of the error in botocore's models.
        reason: What is wrong.
    """

    def __init__(self, code: str, reason: str) -> None:
        """Describe the error."""
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Snapshot:
    """A snapshot.

    Attributes:
        key: Service, account, Region and name of the snapshot.
        store: Name of the store.
        alone: Whether the store is a cache cluster without a replication group.
        status: ``creating``, ``available``, ``restoring``, ``deleting`` or ``failed``.
        program: The engine that wrote the files.
        cluster_mode: Whether the store was in cluster mode.
        port: Port of the store's endpoint.
        declared: The store's properties in its template.
        shards: The files, in the order of the shards; empty while it is being taken.
        created: When it was requested.
    """

    key: StoreKey
    store: str
    status: str
    program: EngineProgram
    cluster_mode: bool
    port: int
    declared: Mapping[str, Any]
    alone: bool = False
    shards: tuple[SavedShard, ...] = ()
    created: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.timezone.utc))


class Snapshots:
    """All snapshots. Safe to use from several threads."""

    def __init__(self, stores: Stores, workspace: Workspace, say: Callable[[str], object]) -> None:
        """Begin without snapshots.

        Args:
            stores: The running stores.
            workspace: The workspace for the files, which only the owner can read.
            say: Called with a message for the user about each snapshot.
        """
        self._stores = stores
        self._directory = workspace.directory("snapshots")
        self._say = say
        self._snapshots: dict[StoreKey, Snapshot] = {}
        self._lock = threading.RLock()

    def __getitem__(self, key: StoreKey) -> Snapshot:
        """The snapshot with this key.

        Raises:
            SnapshotError: It does not exist.
        """
        if found := self._snapshots.get(key):
            return found
        raise _error(key, "SnapshotNotFoundFault", f"Snapshot {key.name} not found.")

    def of_service(self, key: StoreKey) -> list[Snapshot]:
        """All snapshots of the service, account and Region of this key, the oldest first."""
        return [one for one in list(self._snapshots.values()) if _place(one.key) == _place(key)]

    def begin(self, store: StoreKey, name: str) -> Snapshot:
        """Start to take a snapshot; returns at once, as on AWS.

        Raises:
            SnapshotError: The name is taken, the store is not available, or it has too many snapshots.
        """
        with self._lock:
            running = all(node.running for node in self._stores[store].engines.primaries)
            if self._stores.changes.of(store) or not running:
                raise SnapshotError(*_not_available(store))
            self._check_quota(store)
            snapshot = self._record(store, name)
            self._stores.changes.begin(store, "snapshotting")
        threading.Thread(target=self._complete, args=(store, snapshot), name=f"snapshot {name}", daemon=True).start()
        return snapshot

    def take_final(self, store: StoreKey, name: str) -> None:
        """Take a snapshot of a store before it is deleted; returns when it is available.

        Does nothing if the store does not run. If a fault has stopped the engines, there is no snapshot, and a message
        says so: otherwise, the store could not be deleted.

        Raises:
            SnapshotError: The name is taken, or the engines could not save.
        """
        if store not in self._stores:
            return
        if all(node.stopped for node in self._stores[store].engines.nodes):
            self._say(f"{store.name}: no final snapshot {name}, because its engines are stopped")
            return
        snapshot = self._record(store, name)
        self._stores.changes.begin(store, "snapshotting")
        if self._complete(store, snapshot).status == "failed":
            self.delete(snapshot.key)
            raise SnapshotError(*_not_available(store))

    def copy(self, source: StoreKey, name: str) -> Snapshot:
        """Copy a snapshot to another name.

        Raises:
            SnapshotError: The source does not exist or is not available, or the name is taken.
        """
        with self._lock:
            original = self.available(source)
            self._check_free(replace(source, name=name))
            folder = self._folder()
            shards = [
                replace(one, path=Path(shutil.copyfile(one.path, folder / one.path.name))) for one in original.shards
            ]
            for one in shards:
                one.path.chmod(0o600)
            now = dt.datetime.now(dt.timezone.utc)
            key = replace(source, name=name)
            copied = replace(original, key=key, status="available", shards=tuple(shards), created=now)
            self._snapshots[copied.key] = copied
            return copied

    def delete(self, key: StoreKey) -> Snapshot:
        """Delete a snapshot; returns it with the status ``deleting``.

        Raises:
            SnapshotError: It does not exist, or is being taken or restored.
        """
        with self._lock:
            snapshot = self[key]
            if snapshot.status in ("creating", "restoring"):
                raise _error(key, "InvalidSnapshotStateFault", f"Snapshot {key.name} is {snapshot.status}.")
            del self._snapshots[key]
        for shard in snapshot.shards:
            shutil.rmtree(shard.path.parent, ignore_errors=True)
        return replace(snapshot, status="deleting")

    def available(self, key: StoreKey) -> Snapshot:
        """The snapshot with this key, which is complete.

        Raises:
            SnapshotError: It does not exist, or is not available.
        """
        snapshot = self[key]
        if snapshot.status not in ("available", "restoring"):
            raise _error(key, "InvalidSnapshotStateFault", f"Snapshot {key.name} is not in available state.")
        return snapshot

    @contextlib.contextmanager
    def restoring(self, key: StoreKey) -> Generator[Snapshot]:
        """The snapshot with this key, with the status ``restoring`` during the block.

        Raises:
            SnapshotError: It does not exist, or is not available.
        """
        with self._lock:
            snapshot = self.available(key)
            self._snapshots[key] = replace(snapshot, status="restoring")
        try:
            yield snapshot
        finally:
            self._snapshots[key] = replace(snapshot, status="available")

    def _record(self, store: StoreKey, name: str) -> Snapshot:
        key = snapshot_key(store, name)
        with self._lock:
            self._check_free(key)
            running = self._stores[store]
            engines = running.engines
            snapshot = Snapshot(
                key,
                store.name,
                "creating",
                engines.program,
                engines.cluster_mode,
                running.endpoint,
                self._stores.declared.get(store, {}),
                alone=store.service == CACHE_CLUSTER,
            )
            self._snapshots[key] = snapshot
            return snapshot

    def _check_quota(self, store: StoreKey) -> None:
        recent = dt.datetime.now(dt.timezone.utc) - _DAY
        count = sum(one.store == store.name and one.created > recent for one in self.of_service(snapshot_key(store)))
        if count >= _MOST_IN_A_DAY:
            reason = f"{store.name} has the maximum of {_MOST_IN_A_DAY} manual snapshots in 24 hours."
            raise _error(store, "SnapshotQuotaExceededFault", reason)

    def _complete(self, store: StoreKey, snapshot: Snapshot) -> Snapshot:
        folder = self._folder()
        name = snapshot.key.name
        try:
            shards = self._stores[store].engines.save(folder)
            done = replace(snapshot, status="available", shards=tuple(shards))
        except (LocalCloudError, RedisError, OSError, KeyError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            done = replace(snapshot, status="failed")
            self._say(f"{store.name}: snapshot {name} failed: {error}")
        finally:
            self._stores.changes.end(store, "snapshotting")
        self._snapshots[snapshot.key] = done
        if done.status == "available":
            self._tell_available(store, done)
        return done

    def _tell_available(self, store: StoreKey, snapshot: Snapshot) -> None:
        nodes: tuple[str, ...] = ()
        with contextlib.suppress(KeyError):  # the store is deleted
            running = self._stores[store]
            nodes = tuple(running.node_name(node) for node in running.engines.primaries)
        self._stores.events.add(store, Event("snapshot-complete", nodes=nodes, text=snapshot.key.name))
        self._say(f"{store.name}: snapshot {snapshot.key.name} is available ({len(snapshot.shards)} RDB files)")

    def _check_free(self, key: StoreKey) -> None:
        if key in self._snapshots:
            raise _error(key, "SnapshotAlreadyExistsFault", "Snapshot with specified name already exists.")

    def _folder(self) -> Path:
        folder = self._directory / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        return folder


def snapshot_key(store: StoreKey, name: str = "") -> StoreKey:
    """The key of a snapshot of a store. Those of cache clusters and of replication groups share their names."""
    return StoreKey("elasticache" if store.service == CACHE_CLUSTER else store.service, store.scope, name)


def _place(key: StoreKey) -> tuple[str, tuple[str, str]]:
    return key.service, key.scope


def _error(key: StoreKey, code: str, reason: str) -> SnapshotError:
    """An error about a snapshot; those about snapshots of serverless caches have other names."""
    return SnapshotError(
        code.replace("Snapshot", "ServerlessCacheSnapshot") if key.service == SERVERLESS else code, reason
    )


def _not_available(store: StoreKey) -> tuple[str, str]:
    kinds = {
        "elasticache": ("InvalidReplicationGroupStateFault", "Replication group"),
        "memorydb": ("InvalidClusterStateFault", "Cluster"),
        CACHE_CLUSTER: ("InvalidCacheClusterStateFault", "Cache cluster"),
    }
    code, kind = kinds.get(store.service, ("InvalidServerlessCacheStateFault", "Serverless cache"))
    return code, f"{kind} {store.name} is not in available state."
