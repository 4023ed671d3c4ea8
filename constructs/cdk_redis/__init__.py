"""AWS CDK constructs for Redis-compatible stores: ElastiCache and MemoryDB.

Everything public is here; the modules behind it are private and may move.
"""

from ._access_string import AccessString
from ._acl import Acl, IAcl
from ._auth_token import AuthToken
from ._authentication import Authentication
from ._durability import Durability
from ._elasticache_parameter_group import ElastiCacheParameterGroup
from ._elasticache_subnet_group import ElastiCacheSubnetGroup
from ._elasticache_user import ElastiCacheUser
from ._elasticache_user_group import ElastiCacheUserGroup
from ._endpoint import Endpoint
from ._engine import Engine
from ._errors import ConfigurationError
from ._failover_drill import FailoverDrill
from ._global_datastore import GlobalDatastore, IGlobalDatastore
from ._log_delivery import LogDelivery, LogFormat
from ._memorydb_cluster import MemoryDbCluster
from ._memorydb_parameter_group import MemoryDbParameterGroup
from ._memorydb_subnet_group import MemoryDbSubnetGroup
from ._memorydb_user import MemoryDbUser
from ._multi_region_cluster import IMultiRegionCluster, MultiRegionCluster
from ._network import RedisNetwork
from ._network_type import IpDiscovery, NetworkType
from ._parameter_groups import IParameterGroup
from ._placement import ShardPlacement
from ._replication_group import ReplicationGroup
from ._restore import Restore
from ._scaling import ReplicaScaling, ShardScaling
from ._secondary_replication_group import SecondaryReplicationGroup
from ._serverless_cache import ServerlessCache
from ._service_linked_role import MemoryDbServiceLinkedRole
from ._smoke_test import SmokeTest
from ._snapshots import Snapshots
from ._store import Store
from ._subnet_groups import ISubnetGroup
from ._topology import Topology
from ._transit_encryption import TransitEncryptionMode
from ._usage_limits import UsageLimits
from ._users import User
from ._windows import MaintenanceWindow, SnapshotWindow

__all__ = [
    "AccessString",
    "Acl",
    "AuthToken",
    "Authentication",
    "ConfigurationError",
    "Durability",
    "ElastiCacheParameterGroup",
    "ElastiCacheSubnetGroup",
    "ElastiCacheUser",
    "ElastiCacheUserGroup",
    "Endpoint",
    "Engine",
    "FailoverDrill",
    "GlobalDatastore",
    "IAcl",
    "IGlobalDatastore",
    "IMultiRegionCluster",
    "IParameterGroup",
    "ISubnetGroup",
    "IpDiscovery",
    "LogDelivery",
    "LogFormat",
    "MaintenanceWindow",
    "MemoryDbCluster",
    "MemoryDbParameterGroup",
    "MemoryDbServiceLinkedRole",
    "MemoryDbSubnetGroup",
    "MemoryDbUser",
    "MultiRegionCluster",
    "NetworkType",
    "RedisNetwork",
    "ReplicaScaling",
    "ReplicationGroup",
    "Restore",
    "SecondaryReplicationGroup",
    "ServerlessCache",
    "ShardPlacement",
    "ShardScaling",
    "SmokeTest",
    "SnapshotWindow",
    "Snapshots",
    "Store",
    "Topology",
    "TransitEncryptionMode",
    "UsageLimits",
    "User",
]
