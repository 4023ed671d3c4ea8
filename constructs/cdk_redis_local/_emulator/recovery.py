"""`NodeRecovery`: starts nodes again whose processes ended, as both services replace nodes that fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.observe.events import Event, EventKind
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines import recovery

_POLL_SECONDS = 0.5
# Time until the failure of a node is detected; AWS takes longer.
_DETECTION_SECONDS = 1.0


class NodeRecovery:
    """Watches the nodes of all stores. Engines that a fault has stopped stay stopped."""

    def __init__(self, stores: Stores, say: Callable[[str], object]) -> None:
        """Prepare to watch.

        Args:
            stores: The running stores.
            say: Called with a message for the user about each recovery.
        """
        self._stores = stores
        self._say = say
        # Stores whose recovery failed, with the nodes: not tried again until other nodes crash.
        self._failed: dict[StoreKey, set[str]] = {}

    def start(self) -> None:
        """Watch until the process ends."""
        threading.Thread(target=self._watch, name="node recovery", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(_POLL_SECONDS)
            for key in self._stores.running():
                if names := self._crashed(key):
                    time.sleep(_DETECTION_SECONDS)
                    self._recover(key, names)

    def _crashed(self, key: StoreKey) -> set[str]:
        if key not in self._stores:
            return set()
        store = self._stores[key]
        names = {store.node_name(node) for node in recovery.crashed(list(store.engines.nodes))}
        return set() if names == self._failed.get(key) else names

    def _recover(self, key: StoreKey, names: set[str]) -> None:
        if key not in self._stores:
            return
        store = self._stores[key]
        before = [store.node_name(node) for node in store.engines.primaries]
        try:
            # Returns no nodes if a failover, a fault or scaling ended them, and has them running again.
            nodes = store.engines.recover()
        except (LocalCloudError, RedisError, OSError) as error:
            self._failed[key] = names
            self._say(f"{key.name}: the node {', '.join(sorted(names))} crashed and did not start again: {error}")
            return
        for node in nodes:
            name, shard = store.node_name(node), f"{node.shard + 1:04}"
            kept = f"it is a {node.started_as} again"
            if name in before and node.started_as == "replica":
                kept = "a replica took over"
                new = next(other for other in store.engines.primaries if other.shard == node.shard)
                self._tell(key, "failover-complete", shard, name, store.node_name(new))
            self._tell(key, "recovery-started", shard, name)
            self._tell(key, "recovered", shard, name)
            self._say(f"{key.name}: the node {name} crashed and was started again; {kept}")

    def _tell(self, key: StoreKey, kind: EventKind, shard: str, *nodes: str) -> None:
        self._stores.events.add(key, Event(kind, nodes=nodes, shard=shard))
