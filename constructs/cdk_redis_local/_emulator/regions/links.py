"""`Link`: the replication from the primary of a global datastore to its secondaries.

Without cluster mode, the primary node of each secondary replicates from a node of the primary, by the engines' own
replication. No engine replicates between clusters: in cluster mode, `KeyCopy` copies the changed keys.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterable

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError, LocalCloudError
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines import following
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.key_copy import KeyCopy
from cdk_redis_local._engines.node import wait_until

_LOOK_SECONDS = 0.5
# The category of all commands that write.
_WRITES = ("@write",)
_PAUSE_MILLISECONDS = 10_000
_SYNC_SECONDS = 5.0


class Link:
    """Replicates one store to others, until it is closed."""

    def __init__(self, stores: Stores, primary: StoreKey) -> None:
        """Begin without secondaries."""
        self._stores = stores
        self.primary = primary
        self.secondaries: list[StoreKey] = []
        self._copy: KeyCopy | None = None
        self._lock = threading.RLock()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name=f"link of {primary.name}", daemon=True).start()

    def add(self, key: StoreKey) -> None:
        """Replicate to another running store; returns when it has all keys.

        Raises:
            EngineError: It did not get them in time.
        """
        with self._lock:
            self.secondaries.append(key)
            self._connect()
            self._wait(key)

    def remove(self, key: StoreKey) -> None:
        """End the replication to a store. If it runs, it accepts writes afterwards."""
        with self._lock:
            self.secondaries.remove(key)
            self._connect()
            if key in self._stores:
                self._release(key)

    def promote(self, key: StoreKey) -> None:
        """Make a secondary the primary, and the primary a secondary.

        If the primary runs, it stops accepting writes first, and the secondary gets all of them.
        """
        with self._lock:
            old = self.primary
            if self._clustered:
                self._stores.refuse(old, _WRITES)
                if self._copy and self._engines(old).primaries[0].running:
                    self._copy.wait_until_equal()
            else:
                self._hand_over(old, key)
            self.primary = key
            self.secondaries = [old if other == key else other for other in self.secondaries]
            self._release(key)
            self._connect()

    def close(self) -> None:
        """End the replication. All secondaries that run accept writes afterwards."""
        with self._lock:
            self._closed.set()
            for key in list(self.secondaries):
                self.remove(key)

    @property
    def _clustered(self) -> bool:
        return self._engines(self.primary).cluster_mode

    def _engines(self, key: StoreKey) -> EngineSet:
        return self._stores[key].engines

    def _running(self) -> list[StoreKey]:
        return [key for key in self.secondaries if key in self._stores]

    def _connect(self) -> None:
        if self._copy:
            self._copy.close()
            self._copy = None
        if self.primary not in self._stores:
            return
        if not self._clustered:
            self._follow()
        elif self._running():
            for key in self._running():
                self._stores.refuse(key, _WRITES)
            # An upgrade gives a store other engines.
            sets = {_name(key): functools.partial(self._engines, key) for key in (self.primary, *self._running())}
            self._copy = KeyCopy(sets, [_name(self.primary)])

    def _follow(self) -> None:
        """Let each secondary follow a node of the primary that runs."""
        primary = self._engines(self.primary)
        for key in self._running():
            engines = self._engines(key)
            if engines.parameters != primary.parameters:
                self._stores.set_parameters(key, primary.parameters)
            node, followed = engines.primaries[0], following.source(primary.nodes)
            if node.running and followed:
                following.follow(node, followed)

    def _wait(self, key: StoreKey) -> None:
        if self._copy:
            self._copy.wait_until_equal()
            return
        engines = self._engines(key)
        for node in engines.nodes:
            wait_until(lambda node=node: following.in_sync(node), f"a full sync of {node}", alive=[node])

    def _hand_over(self, old: StoreKey, new: StoreKey) -> None:
        """Stop the writes to a primary, and wait until another store has them all."""
        before, after = self._engines(old).primaries[0], self._engines(new).primaries[0]
        # A primary that does not answer is promoted away from without its last writes, as on AWS.
        with contextlib.suppress(RedisError, OSError, EngineError):
            before.admin.execute_command("CLIENT", "PAUSE", _PAUSE_MILLISECONDS, "WRITE")
            position = following.position(before)
            wait_until(lambda: following.position(after) >= position, "the last writes", _SYNC_SECONDS)
        following.lead(after)
        with contextlib.suppress(RedisError, OSError):
            following.follow(before, after)
            before.admin.execute_command("CLIENT", "UNPAUSE")

    def _release(self, key: StoreKey) -> None:
        """Let a store accept writes."""
        if self._engines(key).cluster_mode:
            self._stores.refuse(key, ())
        elif self._engines(key).primaries[0].followed:
            following.lead(self._engines(key).primaries[0])

    def _watch(self) -> None:
        """Follow the primary's failovers and parameters, and start again after lost connections."""
        while not self._closed.wait(_LOOK_SECONDS):
            with contextlib.suppress(RedisError, OSError, LocalCloudError, KeyError), self._lock:
                if self.primary in self._stores and not self._clustered:
                    self._follow()
                elif self.primary in self._stores:
                    self._set_parameters(self._running())

    def _set_parameters(self, keys: Iterable[StoreKey]) -> None:
        parameters = self._engines(self.primary).parameters
        for key in keys:
            if self._engines(key).parameters != parameters:
                self._stores.set_parameters(key, parameters)


def _name(key: StoreKey) -> str:
    return f"{key.scope[1]}/{key.name}"
