"""Rules about stores: replication groups and serverless caches of ElastiCache, clusters of MemoryDB."""

from __future__ import annotations

from cdk_redis_local._emulator.refusals import store_checks as check
from cdk_redis_local._emulator.refusals.access import ACL, OPEN_ACCESS, USER_GROUP
from cdk_redis_local._emulator.refusals.groups import MEMORYDB_PARAMETERS, MEMORYDB_SUBNETS, PARAMETERS, SUBNETS
from cdk_redis_local._emulator.refusals.rule import Rule
from cdk_redis_local._emulator.refusals.shared import (
    EXISTS,
    IDENTIFIER_WORDS,
    already_exists,
    common,
    foreign_key,
    identifier,
    node_type,
    unknown_version,
)
from cdk_redis_local._emulator.refusals.sources import (
    ELASTICACHE_API,
    MEMORYDB_ACLS,
    MEMORYDB_API,
    RBAC,
    UNSEEN,
    deployed,
    terraform,
)

GROUP, SERVERLESS = "AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache"
CLUSTER = "AWS::MemoryDB::Cluster"
_VALUE, _COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"
_CREATE = f"{ELASTICACHE_API}API_CreateReplicationGroup.html"
_CREATE_CLUSTER = f"{MEMORYDB_API}API_CreateCluster.html"
_SHAPE = deployed("elasticache", "replication-group-clusters")
_FAMILY_WORDS = "Expected a parameter group of family {} but found one of family {}"
_NO_PARAMETERS = "CacheParameterGroup not found: {}"

GROUP_RULES = [
    Rule(GROUP, "AlreadyExists", EXISTS.format(GROUP, "{}"), already_exists, "cloudformation-cli's AlreadyExists"),
    Rule(
        GROUP,
        _VALUE,
        IDENTIFIER_WORDS,
        identifier("ReplicationGroupId", 40),
        deployed("elasticache", "identifier"),
    ),
    *common(GROUP, "elasticache", "PreferredMaintenanceWindow", "CacheNodeType", "DataTieringEnabled"),
    Rule(
        GROUP,
        _VALUE,
        "Specific version selection is not allowed for '{}', please use '{}'",
        check.exact_version,
        "https://github.com/crossplane-contrib/provider-aws/issues/1617",
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "Cannot find version {} for {}",
        unknown_version("elasticache"),
        "https://github.com/ministryofjustice/cloud-platform-environments/pull/5753",
    ),
    Rule(
        GROUP, _VALUE, "The cache node type {} is not valid.", node_type("CacheNodeType", "cache"), f"{_CREATE}{UNSEEN}"
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "When using automatic failover, there must be at least 2 cache clusters in the replication group.",
        check.implied_failover_of_one,
        _SHAPE,
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "Automatic failover requires 2 or more cache clusters. Create more cache clusters or disable automatic "
        "failover.",
        check.failover_of_one,
        _SHAPE,
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "NumCacheClusters can only be specified for one node group",
        check.clusters_of_shards,
        _SHAPE,
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "Use a parameter group with cluster-enabled parameter to create more than one node group.",
        check.shards_without_cluster_mode,
        deployed("elasticache", "cluster-mode-parameter-group"),
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "User group based access control requires encryption-in-transit to be enabled on the replication group.",
        check.groups_without_tls,
        deployed("elasticache", "user-group-transit-encryption"),
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "The AUTH token is only supported when encryption-in-transit is enabled",
        check.token_without_tls,
        deployed("elasticache", "auth-token"),
    ),
    Rule(GROUP, _VALUE, "Invalid AuthToken provided.", check.token, deployed("elasticache", "auth-token")),
    Rule(
        GROUP,
        _COMBINATION,
        "Please enable encryption at rest to use Customer Managed CMK",
        check.key_without_encryption,
        deployed("elasticache", "kms-key"),
    ),
    Rule(GROUP, _VALUE, "KMS key does not exist with key id {}", foreign_key, deployed("elasticache", "kms-key")),
    Rule(
        GROUP,
        _COMBINATION,
        "Cannot set snapshotting cluster for cluster mode enabled replication group.",
        check.snapshotting,
        deployed("elasticache", "snapshotting-cluster"),
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "Must specify the same number of preferred availability zones as requested number of nodes",
        check.zones,
        deployed("elasticache", "preferred-availability-zones"),
    ),
    Rule(
        GROUP,
        _VALUE,
        "The parameter TransitEncryptionEnabled must be provided for engine valkey.",
        check.valkey_without_tls_property,
        f"cfn-lint E3704{UNSEEN}",
    ),
    Rule(
        GROUP,
        "CacheParameterGroupNotFound",
        _NO_PARAMETERS,
        check.wrong_default("CacheParameterGroupName", "elasticache"),
        terraform(18338),
    ),
    Rule(
        GROUP,
        "CacheParameterGroupNotFound",
        _NO_PARAMETERS,
        check.missing("CacheParameterGroupName", PARAMETERS, "default."),
        terraform(18338),
    ),
    Rule(
        GROUP,
        _COMBINATION,
        _FAMILY_WORDS,
        check.wrong_family("elasticache", "CacheParameterGroupName", PARAMETERS, "CacheParameterGroupFamily"),
        terraform(27709),
    ),
    Rule(
        GROUP,
        "CacheSubnetGroupNotFoundFault",
        "Cache Subnet Group {} does not exist.",
        check.missing("CacheSubnetGroupName", SUBNETS, "default"),
        "https://github.com/aws/aws-cdk/issues/4411",
    ),
    Rule(
        GROUP,
        "UserGroupNotFound",
        "User group {} not found.",
        check.missing("UserGroupIds", USER_GROUP),
        f"{_CREATE}{UNSEEN}",
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "User group {} with engine Valkey cannot be used by a replication group with engine Redis",
        check.valkey_users,
        f"{RBAC}{UNSEEN}",
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "Changing the engine from valkey to redis is not supported.",
        check.to_redis,
        f"{ELASTICACHE_API}API_ModifyReplicationGroup.html{UNSEEN}",
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "Cannot downgrade the engine from version {} to version {}.",
        check.older_version,
        f"{ELASTICACHE_API}API_ModifyReplicationGroup.html{UNSEEN}",
    ),
    Rule(
        GROUP,
        _COMBINATION,
        "Turning off automatic failover for replication group with cluster mode enabled is not supported.",
        check.failover_turned_off,
        terraform(27116),
    ),
    Rule(
        GROUP,
        "InvalidReplicationGroupState",
        "Operation is only applicable for cluster mode enabled replication groups",
        check.reshards_without_cluster_mode,
        "https://github.com/widdix/aws-cf-templates/issues/573",
    ),
]
"""The rules of replication groups, in the order in which they are checked."""

SERVERLESS_RULES = [
    Rule(SERVERLESS, "AlreadyExists", EXISTS.format(SERVERLESS, "{}"), already_exists, "cloudformation-cli"),
    Rule(
        SERVERLESS,
        "UserGroupNotFound",
        "User group {} not found.",
        check.missing("UserGroupId", USER_GROUP),
        f"{ELASTICACHE_API}API_CreateServerlessCache.html{UNSEEN}",
    ),
    Rule(
        SERVERLESS,
        _COMBINATION,
        "User group {} with engine Valkey cannot be used by a serverless cache with engine Redis",
        check.valkey_users,
        f"{RBAC}{UNSEEN}",
    ),
]
"""The rules of serverless caches."""

CLUSTER_RULES = [
    Rule(CLUSTER, "AlreadyExists", EXISTS.format(CLUSTER, "{}"), already_exists, "cloudformation-cli's AlreadyExists"),
    Rule(CLUSTER, _VALUE, IDENTIFIER_WORDS, identifier("ClusterName", 40), f"{_CREATE_CLUSTER}{UNSEEN}"),
    *common(CLUSTER, "memorydb", "MaintenanceWindow", "NodeType", "DataTiering"),
    Rule(
        CLUSTER,
        _VALUE,
        "The number of replicas per shard must be within 0 and 5.",
        check.replicas,
        deployed("memorydb", "replicas-per-shard"),
    ),
    Rule(
        CLUSTER,
        _COMBINATION,
        "Cannot find version {} for {}",
        unknown_version("memorydb"),
        f"{_CREATE_CLUSTER}{UNSEEN}",
    ),
    Rule(CLUSTER, _VALUE, "The node type {} is not valid.", node_type("NodeType", "db"), f"{_CREATE_CLUSTER}{UNSEEN}"),
    Rule(CLUSTER, _VALUE, "KMS key does not exist with key id {}", foreign_key, deployed("memorydb", "kms-key-region")),
    Rule(
        CLUSTER,
        _COMBINATION,
        "ACLs other than open-access require TLS to be enabled.",
        check.list_without_tls,
        f"{MEMORYDB_ACLS}{UNSEEN}",
    ),
    Rule(
        CLUSTER,
        "ACLNotFoundFault",
        "ACL {} not found.",
        check.missing("ACLName", ACL, OPEN_ACCESS),
        f"{MEMORYDB_ACLS}{UNSEEN}",
    ),
    Rule(
        CLUSTER,
        "ParameterGroupNotFoundFault",
        "ParameterGroup not found: {}",
        check.wrong_default("ParameterGroupName", "memorydb"),
        f"{_CREATE_CLUSTER}{UNSEEN}",
    ),
    Rule(
        CLUSTER,
        "ParameterGroupNotFoundFault",
        "ParameterGroup not found: {}",
        check.missing("ParameterGroupName", MEMORYDB_PARAMETERS, "default."),
        f"{_CREATE_CLUSTER}{UNSEEN}",
    ),
    Rule(
        CLUSTER,
        _COMBINATION,
        _FAMILY_WORDS,
        check.wrong_family("memorydb", "ParameterGroupName", MEMORYDB_PARAMETERS, "Family"),
        f"{_CREATE_CLUSTER}{UNSEEN}",
    ),
    Rule(
        CLUSTER,
        "SubnetGroupNotFoundFault",
        "Subnet Group {} does not exist.",
        check.missing("SubnetGroupName", MEMORYDB_SUBNETS, "default"),
        f"{_CREATE_CLUSTER}{UNSEEN}",
    ),
    Rule(
        CLUSTER,
        _COMBINATION,
        "Changing the engine from valkey to redis is not supported.",
        check.to_redis,
        f"{MEMORYDB_API}API_UpdateCluster.html{UNSEEN}",
    ),
    Rule(
        CLUSTER,
        _COMBINATION,
        "Cannot downgrade the engine from version {} to version {}.",
        check.older_version,
        f"{MEMORYDB_API}API_UpdateCluster.html{UNSEEN}",
    ),
]
"""The rules of clusters, in the order in which they are checked."""
