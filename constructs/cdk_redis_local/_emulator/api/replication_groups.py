"""ElastiCache's replication groups, and their nodes, each of which is a cache cluster with one node."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from cdk_redis_local._emulator.api.engine_versions import default_parameter_group
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.names import arn, store_keys
from cdk_redis_local._emulator.api.service import ELASTICACHE, Answer, Parameters
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
from cdk_redis_local._emulator.handlers.auth_tokens import AuthTokens
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.regions.global_datastores import GlobalDatastores
from cdk_redis_local._emulator.store import CACHE_CLUSTER, StoreKey
from cdk_redis_local._emulator.stores import Stores

# The only node of a cache cluster of Redis OSS or Valkey.
_NODE_ID = "0001"


class ReplicationGroups:
    """``DescribeReplicationGroups`` and ``DescribeCacheClusters``."""

    def __init__(
        self, stores: Stores, tokens: AuthTokens, subnet_groups: SubnetGroups, global_datastores: GlobalDatastores
    ) -> None:
        """Prepare the actions."""
        self._global_datastores = global_datastores
        self._stores = stores
        self._tokens = tokens
        self._subnet_groups = subnet_groups

    def register(self) -> None:
        """Add the actions to the emulator."""
        ELASTICACHE.add(
            {"DescribeReplicationGroups": self._describe_groups, "DescribeCacheClusters": self._describe_clusters}
        )

    def key(self, name: str) -> StoreKey:
        """The key of a running group.

        Raises:
            ApiError: It does not exist.
        """
        # ElastiCache's ids are not case-sensitive.
        key = StoreKey("elasticache", scope(), name.lower())
        if key not in self._stores:
            raise ApiError("ReplicationGroupNotFoundFault", f"ReplicationGroup {name} not found.")
        return key

    def describe(self, key: StoreKey) -> dict[str, Any]:
        """A group as the API describes it."""
        group = self._view(key)
        return _without_nodes(key, self._stores) if group is None else self._group(group)

    def describe_node(self, name: str) -> dict[str, Any]:
        """A node as the API describes it.

        Raises:
            ApiError: It does not exist.
        """
        return dict(self._describe_clusters({"CacheClusterId": name})["CacheClusters"][0])

    def _describe_groups(self, parameters: Parameters) -> Answer:
        asked, keys = parameters.get("ReplicationGroupId"), store_keys(self._stores, "elasticache")
        if asked is not None:
            keys = [key for key in keys if key.name == asked.lower()] or [self.key(asked)]
        return {"ReplicationGroups": [self.describe(key) for key in keys]}

    def _describe_clusters(self, parameters: Parameters) -> Answer:
        asked, with_nodes = parameters.get("CacheClusterId"), bool(parameters.get("ShowCacheNodeInfo"))
        found: list[dict[str, Any]] = []
        of_groups = not parameters.get("ShowCacheClustersNotInReplicationGroups")
        keys = store_keys(self._stores, "elasticache") if of_groups else []
        for key in [*keys, *store_keys(self._stores, CACHE_CLUSTER)]:
            store = self._stores.find(key)
            if store is None or (asked is not None and asked.lower() not in store.node_names):
                continue
            if (group := self._view(key)) is not None:
                nodes = [node for node in group.nodes if asked is None or asked.lower() == node.name]
                found += [self._cluster(group, node, with_nodes=with_nodes) for node in nodes]
        if asked is not None and not found:
            raise ApiError("CacheClusterNotFoundFault", f"CacheCluster not found: {asked}")
        return {"CacheClusters": found}

    def _view(self, key: StoreKey) -> StoreView | None:
        subnet_group = self._stores.declared.get(key, {}).get("CacheSubnetGroupName")
        return view(self._stores, key, self._subnet_groups.zones("elasticache", subnet_group))

    def _status(self, group: StoreView) -> str:
        return "modifying" if self._tokens.changing(group.key) else group.status

    def _group(self, group: StoreView) -> dict[str, Any]:
        engines, properties = group.store.engines, group.properties
        cluster_mode = engines.cluster_mode
        has_failover = cluster_mode or group.flag("AutomaticFailoverEnabled", False)
        return {
            "ReplicationGroupId": group.key.name,
            "Description": str(properties.get("ReplicationGroupDescription", "")),
            "GlobalReplicationGroupInfo": self._global_datastores.membership(group.key),
            "Status": self._status(group),
            "PendingModifiedValues": {"AuthTokenStatus": self._tokens.changing(group.key) or None},
            "MemberClusters": [node.name for node in group.nodes],
            "NodeGroups": [_node_group(group, name, nodes) for name, nodes in group.shards.items()],
            "SnapshottingClusterId": properties.get("SnapshottingClusterId"),
            "AutomaticFailover": "enabled" if has_failover else "disabled",
            "MultiAZ": "enabled" if group.flag("MultiAZEnabled", False) else "disabled",
            "ConfigurationEndpoint": endpoint(group.store.endpoint) if cluster_mode else None,
            "SnapshotRetentionLimit": group.number("SnapshotRetentionLimit", 0),
            "ClusterEnabled": cluster_mode,
            "ARN": arn("elasticache", "replicationgroup", group.key.name),
            "UserGroupIds": [str(name) for name in properties.get("UserGroupIds") or []],
            "LogDeliveryConfigurations": _log_deliveries(properties),
            "ReplicationGroupCreateTime": group.created,
            "KmsKeyId": properties.get("KmsKeyId"),
            "DataTiering": "enabled" if group.flag("DataTieringEnabled", False) else "disabled",
            "ClusterMode": str(properties.get("ClusterMode") or ("enabled" if cluster_mode else "disabled")).lower(),
            "Engine": engines.program.name,
            **self._common(group),
        }

    def _cluster(self, group: StoreView, node: NodeView, *, with_nodes: bool) -> dict[str, Any]:
        properties, program = group.properties, group.store.engines.program
        topic, alone = properties.get("NotificationTopicArn"), group.store.alone
        default = default_parameter_group(program, "elasticache", cluster_mode=group.store.engines.cluster_mode)
        return {
            "CacheClusterId": node.name,
            "Engine": program.name,
            "EngineVersion": program.version,
            "CacheClusterStatus": group.change or node.status,
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": node.zone,
            "CacheClusterCreateTime": node.created,
            "PreferredMaintenanceWindow": properties.get("PreferredMaintenanceWindow", ASSIGNED_MAINTENANCE_WINDOW),
            "PendingModifiedValues": {},
            "NotificationConfiguration": {"TopicArn": topic, "TopicStatus": "active"} if topic else None,
            "CacheSecurityGroups": [],
            "CacheParameterGroup": {
                "CacheParameterGroupName": properties.get("CacheParameterGroupName", default),
                "ParameterApplyStatus": "in-sync",
                "CacheNodeIdsToReboot": [],
            },
            "CacheSubnetGroupName": properties.get("CacheSubnetGroupName"),
            "CacheNodes": [_cache_node(node)] if with_nodes else [],
            "SecurityGroups": [
                {"SecurityGroupId": one, "Status": "active"}
                for one in properties.get("VpcSecurityGroupIds" if alone else "SecurityGroupIds") or []
            ],
            "ReplicationGroupId": None if alone else group.key.name,
            # Snapshots of replication groups are those of the group.
            "SnapshotRetentionLimit": group.number("SnapshotRetentionLimit", 0) if alone else 0,
            "ARN": arn("elasticache", "cluster", node.name),
            "ReplicationGroupLogDeliveryEnabled": bool(properties.get("LogDeliveryConfigurations")),
            "LogDeliveryConfigurations": _log_deliveries(properties),
            **self._common(group),
        }

    def _common(self, group: StoreView) -> dict[str, Any]:
        """What the API repeats at each node of a group."""
        properties, engines = group.properties, group.store.engines
        changed = self._tokens.changed(group.key)
        return {
            "CacheNodeType": properties.get("CacheNodeType"),
            "SnapshotWindow": properties.get("SnapshotWindow", ASSIGNED_SNAPSHOT_WINDOW),
            "AuthTokenEnabled": self._tokens.has(group.key),
            "AuthTokenLastModifiedDate": changed and dt.datetime.fromtimestamp(changed, dt.timezone.utc),
            "TransitEncryptionEnabled": engines.tls,
            "TransitEncryptionMode": properties.get("TransitEncryptionMode", "required") if engines.tls else None,
            # The API's default is true for Valkey, and false for Redis OSS.
            "AtRestEncryptionEnabled": group.flag("AtRestEncryptionEnabled", engines.program.name == "valkey"),
            "AutoMinorVersionUpgrade": group.flag("AutoMinorVersionUpgrade", True),
            "NetworkType": properties.get("NetworkType", "ipv4"),
            "IpDiscovery": properties.get("IpDiscovery", "ipv4"),
        }


def _without_nodes(key: StoreKey, stores: Stores) -> dict[str, Any]:
    """A group whose nodes do not run yet, or not any more."""
    return {
        "ReplicationGroupId": key.name,
        "Status": stores.changes.of(key) or "deleting",
        "PendingModifiedValues": {},
        "MemberClusters": [],
        "NodeGroups": [],
        "ARN": arn("elasticache", "replicationgroup", key.name),
    }


def _node_group(group: StoreView, name: str, nodes: list[NodeView]) -> dict[str, Any]:
    """A shard. As on AWS, endpoints and roles are described without cluster mode only, and slots with it only."""
    cluster_mode = group.store.engines.cluster_mode
    return {
        "NodeGroupId": name,
        "Status": group.change or status_of(nodes),
        "PrimaryEndpoint": None if cluster_mode else endpoint(group.store.endpoint),
        "ReaderEndpoint": None if cluster_mode else endpoint(group.store.reader_endpoint),
        "Slots": slots_of(nodes),
        "NodeGroupMembers": [
            {
                "CacheClusterId": node.name,
                "CacheNodeId": _NODE_ID,
                "ReadEndpoint": None if cluster_mode else node.endpoint,
                "PreferredAvailabilityZone": node.zone,
                "CurrentRole": None if cluster_mode else node.state.role,
            }
            for node in nodes
        ],
    }


def _cache_node(node: NodeView) -> dict[str, Any]:
    return {
        "CacheNodeId": _NODE_ID,
        "CacheNodeStatus": node.status,
        "CacheNodeCreateTime": node.created,
        "Endpoint": node.endpoint,
        "ParameterGroupStatus": "in-sync",
        "CustomerAvailabilityZone": node.zone,
    }


def _log_deliveries(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "Status": "active"} for one in properties.get("LogDeliveryConfigurations") or []]
