"""The API actions that fail a shard over: ElastiCache's TestFailover and MemoryDB's FailoverShard.

As on AWS, both return at once, before the failover is complete.
"""

from __future__ import annotations

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.api.clusters import Clusters
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.replication_groups import ReplicationGroups
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.ministack import remember_execution_roles
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores


class FailoverCalls:
    """ElastiCache's ``TestFailover`` and MemoryDB's ``FailoverShard``."""

    def __init__(self, stores: Stores, groups: ReplicationGroups, clusters: Clusters) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator."""
        self._stores = stores
        self._groups = groups
        self._clusters = clusters

    def register(self) -> None:
        """Add both actions to the emulator, for clients and for state machines."""
        remember_execution_roles()
        ELASTICACHE.add({"TestFailover": self._test_failover})
        MEMORYDB.add({"FailoverShard": self._failover_shard})

    def _test_failover(self, parameters: Parameters) -> Answer:
        key = self._groups.key(parameters["ReplicationGroupId"])
        group = self._groups.describe(key)
        self._begin(key, parameters["NodeGroupId"], "NodeGroupNotFoundFault")
        return {"ReplicationGroup": {**group, "Status": "modifying"}}

    def _failover_shard(self, parameters: Parameters) -> Answer:
        key = self._clusters.key(parameters["ClusterName"])
        cluster = self._clusters.describe(key)
        self._begin(key, parameters["ShardName"], "ShardNotFoundFault")
        return {"Cluster": {**cluster, "Status": "updating"}}

    def _begin(self, key: StoreKey, shard: str, not_found: str) -> None:
        """Start a failover.

        Raises:
            ApiError: The shard does not exist, or has no replica.
        """
        names = self._stores.shard_names(key)
        if shard not in names:
            raise ApiError(not_found, f"{key.name} has no shard {shard}, but {', '.join(names)}")
        try:
            self._stores.fail_over(key, shard)
        except LocalCloudError as error:
            raise ApiError("TestFailoverNotAvailableFault", str(error)) from error
