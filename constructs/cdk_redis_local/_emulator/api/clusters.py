"""MemoryDB's clusters."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._emulator.api.engine_versions import default_parameter_group
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.names import arn, store_keys
from cdk_redis_local._emulator.api.service import MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.api.subnet_groups import SubnetGroups
from cdk_redis_local._emulator.api.views import (
    ASSIGNED_MAINTENANCE_WINDOW,
    ASSIGNED_SNAPSHOT_WINDOW,
    NodeView,
    StoreView,
    endpoint,
    slots_of,
    status_of,
    view,
)
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores

OPEN_ACCESS = "open-access"
"""The predefined ACL."""


class Clusters:
    """``DescribeClusters``."""

    def __init__(self, stores: Stores, subnet_groups: SubnetGroups) -> None:
        """Prepare the action."""
        self._stores = stores
        self._subnet_groups = subnet_groups

    def register(self) -> None:
        """Add the action to the emulator."""
        MEMORYDB.add({"DescribeClusters": self._describe})

    def key(self, name: str) -> StoreKey:
        """The key of a running cluster.

        Raises:
            ApiError: It does not exist.
        """
        key = StoreKey("memorydb", scope(), name)
        if key not in self._stores:
            raise ApiError("ClusterNotFoundFault", f"Cluster {name} not found.")
        return key

    def describe(self, key: StoreKey, *, with_shards: bool = False) -> dict[str, Any]:
        """A cluster as the API describes it."""
        subnet_group = self._stores.declared.get(key, {}).get("SubnetGroupName")
        cluster = view(self._stores, key, self._subnet_groups.zones("memorydb", subnet_group))
        if cluster is None:
            return {"Name": key.name, "Status": _status(self._stores.changes.of(key) or "deleting")}
        return _cluster(cluster, with_shards=with_shards)

    def _describe(self, parameters: Parameters) -> Answer:
        asked, keys = parameters.get("ClusterName"), store_keys(self._stores, "memorydb")
        if asked is not None:
            keys = [key for key in keys if key.name == asked] or [self.key(asked)]
        with_shards = bool(parameters.get("ShowShardDetails"))
        return {"Clusters": [self.describe(key, with_shards=with_shards) for key in keys]}


def _cluster(cluster: StoreView, *, with_shards: bool) -> dict[str, Any]:
    properties, engines = cluster.properties, cluster.store.engines
    program, topic = engines.program, properties.get("SnsTopicArn")
    return {
        "Name": cluster.key.name,
        "Description": properties.get("Description"),
        "Status": _status(cluster.status),
        "PendingUpdates": {},
        "MultiRegionClusterName": properties.get("MultiRegionClusterName"),
        "NumberOfShards": len(cluster.shards),
        "Shards": [_shard(cluster, name, nodes) for name, nodes in cluster.shards.items()] if with_shards else None,
        "AvailabilityMode": "multiaz" if engines.replicas else "singleaz",
        "ClusterEndpoint": endpoint(cluster.store.endpoint),
        "NodeType": properties.get("NodeType"),
        "Engine": program.name,
        "EngineVersion": program.major_minor,
        "EnginePatchVersion": program.version,
        "ParameterGroupName": properties.get(
            "ParameterGroupName", default_parameter_group(program, "memorydb", cluster_mode=True)
        ),
        "ParameterGroupStatus": "in-sync",
        "SecurityGroups": [
            {"SecurityGroupId": one, "Status": "active"} for one in properties.get("SecurityGroupIds") or []
        ],
        "SubnetGroupName": properties.get("SubnetGroupName"),
        "TLSEnabled": engines.tls,
        "KmsKeyId": properties.get("KmsKeyId"),
        "ARN": arn("memorydb", "cluster", cluster.key.name),
        "SnsTopicArn": topic,
        "SnsTopicStatus": "ACTIVE" if topic else None,
        "SnapshotRetentionLimit": cluster.number("SnapshotRetentionLimit", 0),
        "MaintenanceWindow": properties.get("MaintenanceWindow", ASSIGNED_MAINTENANCE_WINDOW),
        "SnapshotWindow": properties.get("SnapshotWindow", ASSIGNED_SNAPSHOT_WINDOW),
        "ACLName": properties.get("ACLName"),
        "AutoMinorVersionUpgrade": cluster.flag("AutoMinorVersionUpgrade", True),
        "DataTiering": str(cluster.flag("DataTiering", False)).lower(),
        "NetworkType": properties.get("NetworkType", "ipv4"),
        "IpDiscovery": properties.get("IpDiscovery", "ipv4"),
    }


def _shard(cluster: StoreView, name: str, nodes: list[NodeView]) -> dict[str, Any]:
    return {
        "Name": name,
        "Status": cluster.change or status_of(nodes),
        "Slots": slots_of(nodes),
        "Nodes": [
            {
                "Name": node.name,
                "Status": node.status,
                "AvailabilityZone": node.zone,
                "CreateTime": node.created,
                "Endpoint": node.endpoint,
            }
            for node in nodes
        ],
        "NumberOfNodes": len(nodes),
    }


def _status(status: str) -> str:
    """The status of a cluster; MemoryDB's word for ``modifying`` is another one."""
    return "updating" if status == "modifying" else status
