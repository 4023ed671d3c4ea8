"""The API actions for snapshots of replication groups and of MemoryDB clusters.

As on AWS, CreateSnapshot returns before the snapshot is available.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, ApiAction, Parameters
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.snapshots.export import export
from cdk_redis_local._emulator.snapshots.snapshots import Snapshot, SnapshotError, Snapshots
from cdk_redis_local._emulator.store import CACHE_CLUSTER, StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.rdb import SavedShard

_MEGABYTE = 1024 * 1024


class SnapshotCalls:
    """CreateSnapshot, CopySnapshot, DescribeSnapshots and DeleteSnapshot of both services."""

    def __init__(self, stores: Stores, snapshots: Snapshots) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator."""
        self._stores = stores
        self._snapshots = snapshots

    def register(self) -> None:
        """Add the actions to the emulator, for clients and for state machines."""
        ELASTICACHE.add(
            {
                "CreateSnapshot": refusing(self._create_of_group),
                "CopySnapshot": refusing(functools.partial(self._copy, "elasticache", _group_snapshot)),
                "DescribeSnapshots": refusing(self._describe_of_groups),
                "DeleteSnapshot": refusing(functools.partial(self._delete, "elasticache", _group_snapshot)),
            }
        )
        MEMORYDB.add(
            {
                "CreateSnapshot": refusing(self._create_of_cluster),
                "CopySnapshot": refusing(functools.partial(self._copy, "memorydb", _cluster_snapshot)),
                "DescribeSnapshots": refusing(self._describe_of_clusters),
                "DeleteSnapshot": refusing(functools.partial(self._delete, "memorydb", _cluster_snapshot)),
            }
        )

    def _create_of_group(self, parameters: Parameters) -> Answer:
        store = self._group(parameters)
        if store is None:
            message = "One of ReplicationGroupId and CacheClusterId must be provided."
            raise ApiError("InvalidParameterCombinationException", message)
        if store not in self._stores:
            fault = "CacheClusterNotFoundFault" if store.service == CACHE_CLUSTER else "ReplicationGroupNotFoundFault"
            raise ApiError(fault, f"{store.name} not found.")
        return {"Snapshot": _group_snapshot(self._snapshots.begin(store, parameters["SnapshotName"]))}

    def _create_of_cluster(self, parameters: Parameters) -> Answer:
        store = StoreKey("memorydb", scope(), parameters["ClusterName"])
        if store not in self._stores:
            raise ApiError("ClusterNotFoundFault", f"Cluster {store.name} not found.")
        return {"Snapshot": _cluster_snapshot(self._snapshots.begin(store, parameters["SnapshotName"]))}

    def _describe_of_groups(self, parameters: Parameters) -> Answer:
        store = self._group(parameters)
        found = self._find("elasticache", parameters.get("SnapshotName"), store.name if store else None)
        # The snapshots of the local cloud are taken by users, none by the services.
        if parameters.get("SnapshotSource") == "system":
            found = []
        detail = bool(parameters.get("ShowNodeGroupConfig"))
        return {"Snapshots": [_group_snapshot(one, detail=detail) for one in found]}

    def _describe_of_clusters(self, parameters: Parameters) -> Answer:
        found = self._find("memorydb", parameters.get("SnapshotName"), parameters.get("ClusterName"))
        if parameters.get("Source") == "system":
            found = []
        detail = bool(parameters.get("ShowDetail"))
        return {"Snapshots": [_cluster_snapshot(one, detail=detail) for one in found]}

    def _find(self, service: str, name: str | None, store: str | None) -> list[Snapshot]:
        key = StoreKey(service, scope(), name or "")
        found = [self._snapshots[key]] if name else self._snapshots.of_service(key)
        return [one for one in found if store in (None, one.store)]

    def _copy(self, service: str, describe: Callable[[Snapshot], Answer], parameters: Parameters) -> Answer:
        source = StoreKey(service, scope(), parameters["SourceSnapshotName"])
        name, bucket = parameters["TargetSnapshotName"], parameters.get("TargetBucket")
        if bucket:
            return {"Snapshot": describe(export(self._snapshots.available(source), name, bucket))}
        return {"Snapshot": describe(self._snapshots.copy(source, name))}

    def _delete(self, service: str, describe: Callable[[Snapshot], Answer], parameters: Parameters) -> Answer:
        return {"Snapshot": describe(self._snapshots.delete(StoreKey(service, scope(), parameters["SnapshotName"])))}

    def _group(self, parameters: Parameters) -> StoreKey | None:
        """The replication group that a request names by its id, or by the id of one of its nodes.

        The snapshots of a group that is deleted can still be described by its id.
        """
        group, node = parameters.get("ReplicationGroupId"), parameters.get("CacheClusterId")
        if group:
            store = StoreKey("elasticache", scope(), group.lower())
            if store not in self._stores and not self._find("elasticache", None, store.name):
                raise ApiError("ReplicationGroupNotFoundFault", f"Replication group {store.name} not found.")
            return store
        if not node:
            return None
        for store in self._stores.running():
            mine = store.service in ("elasticache", CACHE_CLUSTER) and store.scope == scope()
            if mine and node.lower() in self._stores[store].node_names:
                return store
        if (deleted := StoreKey(CACHE_CLUSTER, scope(), node.lower())) and self._find(
            "elasticache", None, deleted.name
        ):
            return deleted
        raise ApiError("CacheClusterNotFoundFault", f"CacheCluster not found: {node}")


def refusing(action: ApiAction) -> ApiAction:
    """The action, whose errors about snapshots become errors of the API."""

    def call(parameters: Parameters) -> Answer:
        try:
            return action(parameters)
        except SnapshotError as error:
            raise ApiError(error.code, error.reason) from error

    return call


def _group_snapshot(snapshot: Snapshot, *, detail: bool = False) -> dict[str, Any]:
    declared, (account, region) = snapshot.declared, snapshot.key.scope
    return {
        "SnapshotName": snapshot.key.name,
        "ReplicationGroupId": None if snapshot.alone else snapshot.store,
        "CacheClusterId": snapshot.store if snapshot.alone else None,
        "ReplicationGroupDescription": declared.get("ReplicationGroupDescription"),
        "SnapshotStatus": snapshot.status,
        "SnapshotSource": "manual",
        "CacheNodeType": declared.get("CacheNodeType"),
        "Engine": snapshot.program.name,
        "EngineVersion": snapshot.program.version,
        "Port": snapshot.port,
        "CacheParameterGroupName": declared.get("CacheParameterGroupName"),
        "CacheSubnetGroupName": declared.get("CacheSubnetGroupName"),
        "PreferredMaintenanceWindow": declared.get("PreferredMaintenanceWindow"),
        "SnapshotRetentionLimit": int(declared.get("SnapshotRetentionLimit") or 0),
        "SnapshotWindow": declared.get("SnapshotWindow"),
        "NumNodeGroups": len(snapshot.shards) or None,
        "AutomaticFailover": "enabled" if _is_true(declared.get("AutomaticFailoverEnabled")) else "disabled",
        "KmsKeyId": declared.get("KmsKeyId"),
        "NodeSnapshots": [_node_snapshot(snapshot, shard, detail=detail) for shard in snapshot.shards],
        "ARN": f"arn:aws:elasticache:{region}:{account}:snapshot:{snapshot.key.name}",
        "DataTiering": "enabled" if _is_true(declared.get("DataTieringEnabled")) else "disabled",
    }


def _node_snapshot(snapshot: Snapshot, shard: SavedShard, *, detail: bool) -> dict[str, Any]:
    name = shard.path.stem
    prefix = f"{snapshot.store}-{name}" if snapshot.cluster_mode else snapshot.store
    node = snapshot.store if snapshot.alone else f"{prefix}-{shard.number:03}"
    configuration = {"NodeGroupId": name, "Slots": _slots(shard), "ReplicaCount": shard.replicas}
    return {
        "CacheClusterId": node,
        "NodeGroupId": name if snapshot.cluster_mode else None,
        "NodeGroupConfiguration": configuration if detail and snapshot.cluster_mode else None,
        "CacheSize": _size(shard),
        "SnapshotCreateTime": snapshot.created,
    }


def _cluster_snapshot(snapshot: Snapshot, *, detail: bool = False) -> dict[str, Any]:
    declared, (account, region) = snapshot.declared, snapshot.key.scope
    shards = [
        {
            "Name": shard.path.stem,
            "Configuration": {"Slots": _slots(shard), "ReplicaCount": shard.replicas},
            "Size": _size(shard),
            "SnapshotCreationTime": snapshot.created,
        }
        for shard in snapshot.shards
    ]
    return {
        "Name": snapshot.key.name,
        "Status": snapshot.status,
        "Source": "manual",
        "KmsKeyId": declared.get("KmsKeyId"),
        "ARN": f"arn:aws:memorydb:{region}:{account}:snapshot/{snapshot.key.name}",
        "ClusterConfiguration": {
            "Name": snapshot.store,
            "Description": declared.get("Description"),
            "NodeType": declared.get("NodeType"),
            "Engine": snapshot.program.name,
            "EngineVersion": snapshot.program.major_minor,
            "MaintenanceWindow": declared.get("MaintenanceWindow"),
            "Port": snapshot.port,
            "ParameterGroupName": declared.get("ParameterGroupName"),
            "SubnetGroupName": declared.get("SubnetGroupName"),
            "SnapshotRetentionLimit": int(declared.get("SnapshotRetentionLimit") or 0),
            "SnapshotWindow": declared.get("SnapshotWindow"),
            "NumShards": len(shards) or None,
            "Shards": shards if detail else None,
        },
        "DataTiering": "true" if _is_true(declared.get("DataTiering")) else "false",
    }


def _slots(shard: SavedShard) -> str:
    return ",".join(f"{first}-{last}" for first, last in shard.slots)


def _size(shard: SavedShard) -> str:
    """The size of a shard's keys in memory, in megabytes, as AWS writes it."""
    return f"{-(-shard.used_memory // _MEGABYTE)} MB"


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
