"""The API actions that fail a shard over: ElastiCache's TestFailover and MemoryDB's FailoverShard.

As on AWS, both return at once, before the failover is complete.
"""

from __future__ import annotations

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.ministack import remember_execution_roles, scope
from cdk_redis_local._emulator.stores import StoreKey, Stores


class FailoverCalls:
    """ElastiCache's ``TestFailover`` and MemoryDB's ``FailoverShard``."""

    def __init__(self, stores: Stores) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator."""
        self._stores = stores

    def register(self) -> None:
        """Add both actions to the emulator, for clients and for state machines."""
        remember_execution_roles()
        ELASTICACHE.add({"TestFailover": self._test_failover})
        MEMORYDB.add({"FailoverShard": self._failover_shard})

    def _test_failover(self, parameters: Parameters) -> Answer:
        # ElastiCache's ids are not case-sensitive.
        name = parameters["ReplicationGroupId"].lower()
        self._begin("elasticache", name, parameters["NodeGroupId"], "ReplicationGroup", "NodeGroup")
        return {"ReplicationGroup": {"ReplicationGroupId": name, "Status": "modifying"}}

    def _failover_shard(self, parameters: Parameters) -> Answer:
        name = parameters["ClusterName"]
        self._begin("memorydb", name, parameters["ShardName"], "Cluster", "Shard")
        return {"Cluster": {"Name": name, "Status": "updating"}}

    def _begin(self, service: str, name: str, shard: str, store_kind: str, shard_kind: str) -> None:
        """Start a failover.

        Raises:
            ApiError: The store or shard does not exist, or the shard has no replica.
        """
        key = StoreKey(service, scope(), name)
        if key not in self._stores:
            raise ApiError(f"{store_kind}NotFoundFault", f"{store_kind} {name} not found.")
        names = self._stores.shard_names(key)
        if shard not in names:
            raise ApiError(f"{shard_kind}NotFoundFault", f"{name} has no shard {shard}, but {', '.join(names)}")
        try:
            self._stores.fail_over(key, shard)
        except LocalCloudError as error:
            raise ApiError("TestFailoverNotAvailableFault", str(error)) from error
