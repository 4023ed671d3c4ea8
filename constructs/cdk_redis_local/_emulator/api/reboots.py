"""The API action that reboots a node of ElastiCache. MemoryDB has none."""

from __future__ import annotations

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.replication_groups import ReplicationGroups
from cdk_redis_local._emulator.api.service import ELASTICACHE, Answer, Parameters
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.store import CACHE_CLUSTER
from cdk_redis_local._emulator.stores import Stores


class RebootCalls:
    """ElastiCache's ``RebootCacheCluster``: the node loses its keys, and a replica takes over from a primary."""

    def __init__(self, stores: Stores, groups: ReplicationGroups) -> None:
        """Prepare the action; :meth:`register` adds it to the emulator."""
        self._stores = stores
        self._groups = groups

    def register(self) -> None:
        """Add the action to the emulator, for clients and for state machines."""
        ELASTICACHE.add({"RebootCacheCluster": self._reboot})

    def _reboot(self, parameters: Parameters) -> Answer:
        name = parameters["CacheClusterId"].lower()
        described = self._groups.describe_node(name)
        if parameters["CacheNodeIdsToReboot"] != ["0001"]:
            raise ApiError("InvalidCacheClusterStateFault", f"{name} has one cache node: 0001")
        for key in self._stores.running():
            if key.service not in ("elasticache", CACHE_CLUSTER) or key.scope != scope():
                continue
            store = self._stores[key]
            if name not in store.node_names:
                continue
            if store.engines.cluster_mode:
                message = "Rebooting is not supported on Valkey or Redis OSS (cluster mode enabled) clusters."
                raise ApiError("InvalidCacheClusterStateFault", message)
            if self._stores.changes.of(key):
                raise ApiError("InvalidCacheClusterStateFault", f"Cache cluster {name} is not in available state.")
            for node in store.engines.nodes:
                if store.node_name(node) == name:
                    node.crash()  # `NodeRecovery` starts it again
        return {"CacheCluster": {**described, "CacheClusterStatus": "rebooting cache cluster nodes"}}
