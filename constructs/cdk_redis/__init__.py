"""AWS CDK constructs for Redis-compatible stores: ElastiCache and MemoryDB.

Everything public is here; the modules behind it are private and may move. Names are imported at first use: an app loads
only what it uses, and no module of aws-cdk-lib that it does not need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.authentication import Authentication
    from cdk_redis._access.users import User
    from cdk_redis._client_host.host import ClientHost
    from cdk_redis._code.client_layer import RedisClientLayer
    from cdk_redis._code.runtime_code import runtime_code
    from cdk_redis._core.acknowledgements import acknowledge
    from cdk_redis._core.errors import ConfigurationError
    from cdk_redis._elasticache.auth_token import AuthToken
    from cdk_redis._elasticache.durability import Durability
    from cdk_redis._elasticache.global_datastore import GlobalDatastore, IGlobalDatastore
    from cdk_redis._elasticache.log_delivery import LogDelivery, LogFormat
    from cdk_redis._elasticache.parameter_group import ElastiCacheParameterGroup
    from cdk_redis._elasticache.placement import ShardPlacement
    from cdk_redis._elasticache.replication_group import ReplicationGroup
    from cdk_redis._elasticache.scaling import ReplicaScaling, ShardScaling
    from cdk_redis._elasticache.secondary_replication_group import SecondaryReplicationGroup
    from cdk_redis._elasticache.serverless_cache import ServerlessCache
    from cdk_redis._elasticache.subnet_group import ElastiCacheSubnetGroup
    from cdk_redis._elasticache.transit_encryption import TransitEncryptionMode
    from cdk_redis._elasticache.usage_limits import UsageLimits
    from cdk_redis._elasticache.user import ElastiCacheUser
    from cdk_redis._elasticache.user_group import ElastiCacheUserGroup, IUserGroup
    from cdk_redis._memorydb.acl import Acl, IAcl
    from cdk_redis._memorydb.cluster import MemoryDbCluster
    from cdk_redis._memorydb.multi_region_cluster import IMultiRegionCluster, MultiRegionCluster
    from cdk_redis._memorydb.parameter_group import MemoryDbParameterGroup
    from cdk_redis._memorydb.service_linked_role import MemoryDbServiceLinkedRole
    from cdk_redis._memorydb.subnet_group import MemoryDbSubnetGroup
    from cdk_redis._memorydb.user import MemoryDbUser
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._operations.dashboard import RedisDashboard
    from cdk_redis._operations.guard import assert_no_replacement
    from cdk_redis._operations.redis_checks import RedisChecks
    from cdk_redis._smoke_test.failover_drill import FailoverDrill
    from cdk_redis._smoke_test.on_failure import OnFailure
    from cdk_redis._smoke_test.smoke_test import SmokeTest
    from cdk_redis._store.interface import IStore, StoreGrants
    from cdk_redis._store.metric_options import MetricOptions
    from cdk_redis._store.parameter_groups import IParameterGroup
    from cdk_redis._store.sharing import ConnectionRecord, SharedConnection
    from cdk_redis._store.store import Store
    from cdk_redis._values.alarm_override import AlarmOverride
    from cdk_redis._values.endpoint import Endpoint
    from cdk_redis._values.engine import Engine
    from cdk_redis._values.existing_resource import ExistingResource
    from cdk_redis._values.network_type import IpDiscovery, NetworkType
    from cdk_redis._values.node_type import NodeType
    from cdk_redis._values.preset import Preset, PresetValues
    from cdk_redis._values.restore import Restore
    from cdk_redis._values.snapshots import Snapshots
    from cdk_redis._values.topology import Topology
    from cdk_redis._values.windows import MaintenanceWindow, SnapshotWindow

__all__ = [
    "AccessString",
    "Acl",
    "AlarmOverride",
    "AuthToken",
    "Authentication",
    "ClientHost",
    "ConfigurationError",
    "ConnectionRecord",
    "Durability",
    "ElastiCacheParameterGroup",
    "ElastiCacheSubnetGroup",
    "ElastiCacheUser",
    "ElastiCacheUserGroup",
    "Endpoint",
    "Engine",
    "ExistingResource",
    "FailoverDrill",
    "GlobalDatastore",
    "IAcl",
    "IGlobalDatastore",
    "IMultiRegionCluster",
    "IParameterGroup",
    "IStore",
    "ISubnetGroup",
    "IUserGroup",
    "IpDiscovery",
    "LogDelivery",
    "LogFormat",
    "MaintenanceWindow",
    "MemoryDbCluster",
    "MemoryDbParameterGroup",
    "MemoryDbServiceLinkedRole",
    "MemoryDbSubnetGroup",
    "MemoryDbUser",
    "MetricOptions",
    "MultiRegionCluster",
    "NetworkType",
    "NodeType",
    "OnFailure",
    "Preset",
    "PresetValues",
    "RedisChecks",
    "RedisClientLayer",
    "RedisDashboard",
    "RedisNetwork",
    "ReplicaScaling",
    "ReplicationGroup",
    "Restore",
    "SecondaryReplicationGroup",
    "ServerlessCache",
    "ShardPlacement",
    "ShardScaling",
    "SharedConnection",
    "SmokeTest",
    "SnapshotWindow",
    "Snapshots",
    "Store",
    "StoreGrants",
    "Topology",
    "TransitEncryptionMode",
    "UsageLimits",
    "User",
    "acknowledge",
    "assert_no_replacement",
    "runtime_code",
]

_HOMES = {
    "AccessString": "_access.access_string",
    "Acl": "_memorydb.acl",
    "AlarmOverride": "_values.alarm_override",
    "AuthToken": "_elasticache.auth_token",
    "Authentication": "_access.authentication",
    "ClientHost": "_client_host.host",
    "ConfigurationError": "_core.errors",
    "ConnectionRecord": "_store.sharing",
    "Durability": "_elasticache.durability",
    "ElastiCacheParameterGroup": "_elasticache.parameter_group",
    "ElastiCacheSubnetGroup": "_elasticache.subnet_group",
    "ElastiCacheUser": "_elasticache.user",
    "ElastiCacheUserGroup": "_elasticache.user_group",
    "Endpoint": "_values.endpoint",
    "Engine": "_values.engine",
    "ExistingResource": "_values.existing_resource",
    "FailoverDrill": "_smoke_test.failover_drill",
    "GlobalDatastore": "_elasticache.global_datastore",
    "IAcl": "_memorydb.acl",
    "IGlobalDatastore": "_elasticache.global_datastore",
    "IMultiRegionCluster": "_memorydb.multi_region_cluster",
    "IParameterGroup": "_store.parameter_groups",
    "IStore": "_store.interface",
    "ISubnetGroup": "_network.subnet_groups",
    "IUserGroup": "_elasticache.user_group",
    "IpDiscovery": "_values.network_type",
    "LogDelivery": "_elasticache.log_delivery",
    "LogFormat": "_elasticache.log_delivery",
    "MaintenanceWindow": "_values.windows",
    "MemoryDbCluster": "_memorydb.cluster",
    "MemoryDbParameterGroup": "_memorydb.parameter_group",
    "MemoryDbServiceLinkedRole": "_memorydb.service_linked_role",
    "MemoryDbSubnetGroup": "_memorydb.subnet_group",
    "MemoryDbUser": "_memorydb.user",
    "MetricOptions": "_store.metric_options",
    "MultiRegionCluster": "_memorydb.multi_region_cluster",
    "NetworkType": "_values.network_type",
    "NodeType": "_values.node_type",
    "OnFailure": "_smoke_test.on_failure",
    "Preset": "_values.preset",
    "PresetValues": "_values.preset",
    "RedisChecks": "_operations.redis_checks",
    "RedisClientLayer": "_code.client_layer",
    "RedisDashboard": "_operations.dashboard",
    "RedisNetwork": "_network.network",
    "ReplicaScaling": "_elasticache.scaling",
    "ReplicationGroup": "_elasticache.replication_group",
    "Restore": "_values.restore",
    "SecondaryReplicationGroup": "_elasticache.secondary_replication_group",
    "ServerlessCache": "_elasticache.serverless_cache",
    "ShardPlacement": "_elasticache.placement",
    "ShardScaling": "_elasticache.scaling",
    "SharedConnection": "_store.sharing",
    "SmokeTest": "_smoke_test.smoke_test",
    "SnapshotWindow": "_values.windows",
    "Snapshots": "_values.snapshots",
    "Store": "_store.store",
    "StoreGrants": "_store.interface",
    "Topology": "_values.topology",
    "TransitEncryptionMode": "_elasticache.transit_encryption",
    "UsageLimits": "_elasticache.usage_limits",
    "User": "_access.users",
    "acknowledge": "_core.acknowledgements",
    "assert_no_replacement": "_operations.guard",
    "runtime_code": "_code.runtime_code",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
