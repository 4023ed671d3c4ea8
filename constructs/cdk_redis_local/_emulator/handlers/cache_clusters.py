"""``AWS::ElastiCache::CacheCluster``: one node of Redis OSS or Valkey, without a replica and without users."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.handlers.elasticache import ElastiCacheHandlers
from cdk_redis_local._emulator.ministack import (
    Outcome,
    Properties,
    declared_parameters,
    generated_name,
    handle,
    replace_on_change,
    roll_back_failed_updates,
    run_on_threads,
    scope,
)
from cdk_redis_local._emulator.ministack.final_snapshots import take_final_snapshots
from cdk_redis_local._emulator.snapshots.restore import restored
from cdk_redis_local._emulator.snapshots.snapshots import Snapshots
from cdk_redis_local._emulator.store import CACHE_CLUSTER, StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.acl import OPEN_DEFAULT
from cdk_redis_local._engines.node import HOST

_TYPE = "AWS::ElastiCache::CacheCluster"
_LONGEST_NAME = 50
_CREATE_ONLY = (
    "CacheSubnetGroupName",
    "ClusterName",
    "Engine",
    "NetworkType",
    "NumCacheNodes",
    "Port",
    "SnapshotArns",
    "SnapshotName",
)
# What the local cloud has for replication groups only.
_OF_GROUPS = ("LogDeliveryConfigurations", "NotificationTopicArn")


class CacheClusterHandlers:
    """The handlers of cache clusters."""

    def __init__(self, stores: Stores, snapshots: Snapshots, elasticache: ElastiCacheHandlers) -> None:
        """Prepare the handlers; :meth:`register` adds them to the emulator.

        Args:
            stores: The stores of the cloud.
            snapshots: Its snapshots.
            elasticache: The other resources of ElastiCache.
        """
        self._stores = stores
        self._snapshots = snapshots
        self._elasticache = elasticache

    def register(self) -> None:
        """Register the handlers with the emulator, in place of its own, which start nothing."""
        handle(_TYPE, self.create, self.update, self.delete)
        take_final_snapshots(
            _TYPE, lambda name, snapshot: self._snapshots.take_final(StoreKey(CACHE_CLUSTER, scope(), name), snapshot)
        )
        replace_on_change(_TYPE, "ClusterName", _CREATE_ONLY)
        run_on_threads([_TYPE])
        roll_back_failed_updates([_TYPE])

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        """Start the node of a cluster."""
        name = properties.get("ClusterName") or generated_name(stack_name, logical_id, _LONGEST_NAME)
        # AWS stores the name in lower case.
        key = StoreKey(CACHE_CLUSTER, scope(), str(name).lower())
        shape = self._shape(properties)
        with restored(self._snapshots, key, properties, cluster_mode=False) as files:
            self._stores.create(key, shape, [OPEN_DEFAULT], restore=files)
        self._declare(key, properties)
        return key.name, self._attributes(key)

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        """Change a running cluster in place."""
        del old  # after a failed update, the running cluster may differ from both
        key = StoreKey(CACHE_CLUSTER, scope(), physical_id)
        if key not in self._stores:
            return self.create(logical_id or physical_id, new, stack_name)
        shape = self._shape(new)
        self._stores.resize(key, shape)
        self._stores.set_parameters(key, shape.parameters)
        self._declare(key, new)
        return key.name, self._attributes(key)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Stop the node of a cluster."""
        del properties
        key = StoreKey(CACHE_CLUSTER, scope(), physical_id)
        self._elasticache.follow_parameters(key, None)
        self._stores.delete(key)

    def _declare(self, key: StoreKey, properties: Properties) -> None:
        self._elasticache.follow_parameters(key, str(properties.get("CacheParameterGroupName", "")))
        self._stores.declare(key, properties)

    def _shape(self, properties: Properties) -> StoreShape:
        engine = str(properties.get("Engine", "")).lower()
        if engine == "memcached":
            raise LocalCloudError("the local cloud has no Memcached: it runs cache clusters of redis and valkey")
        if int(properties.get("NumCacheNodes") or 1) != 1:
            raise LocalCloudError(f"a cache cluster of {engine} has one node: set NumCacheNodes to 1")
        if found := [name for name in _OF_GROUPS if properties.get(name)]:
            names = ", ".join(found)
            raise LocalCloudError(f"the local cloud has {names} for replication groups only: use one of a single node")
        return StoreShape(
            program=self._stores.choose_engine(engine, properties.get("EngineVersion")),
            cluster_mode=False,
            shards=1,
            replicas=0,
            tls=str(properties.get("TransitEncryptionEnabled", "false")).lower() == "true",
            parameters=declared_parameters(str(properties.get("CacheParameterGroupName", ""))),
        )

    def _attributes(self, key: StoreKey) -> dict[str, Any]:
        # CloudFormation returns ElastiCache's ports as strings.
        port = str(self._stores[key].endpoint)
        return {"Id": key.name, "RedisEndpoint.Address": HOST, "RedisEndpoint.Port": port}
