"""All actions of both services, and what the local cloud does with each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Service


class Row(NamedTuple):
    """What the local cloud does with an action.

    Attributes:
        kind: ``real``: this package answers it, from the engines and templates. ``emulated``: the emulator answers it,
            and has what it needs for that. ``refused``: it is an error.
        text: What to do instead of a refused action.
    """

    kind: Literal["real", "emulated", "refused"]
    text: str = ""


REAL, EMULATED = Row("real"), Row("emulated")
# It is about prices, hardware, or stores that are not in this cloud.
_NOT_HERE = Row("refused")
_CLASSIC = Row("refused", "cache security groups are for networks without a VPC, which AWS does not have any more")


def _deploy(resource_type: str) -> Row:
    return Row("refused", f"deploy a template with {resource_type}")


def _remove(resource_type: str) -> Row:
    return Row("refused", f"delete the stack with {resource_type}, or remove it from the template")


TABLE: Mapping[Service, Mapping[str, Row]] = {
    ELASTICACHE: {
        "AddTagsToResource": REAL,
        "AuthorizeCacheSecurityGroupIngress": _CLASSIC,
        "BatchApplyUpdateAction": _NOT_HERE,
        "BatchStopUpdateAction": _NOT_HERE,
        "CompleteMigration": _NOT_HERE,
        "CopyServerlessCacheSnapshot": REAL,
        "CopySnapshot": REAL,
        "CreateCacheCluster": _deploy("AWS::ElastiCache::ReplicationGroup"),
        "CreateCacheParameterGroup": _deploy("AWS::ElastiCache::ParameterGroup"),
        "CreateCacheSecurityGroup": _CLASSIC,
        "CreateCacheSubnetGroup": EMULATED,
        "CreateGlobalReplicationGroup": _deploy("AWS::ElastiCache::GlobalReplicationGroup"),
        "CreateReplicationGroup": _deploy("AWS::ElastiCache::ReplicationGroup"),
        "CreateServerlessCache": _deploy("AWS::ElastiCache::ServerlessCache"),
        "CreateServerlessCacheSnapshot": REAL,
        "CreateSnapshot": REAL,
        "CreateUser": _deploy("AWS::ElastiCache::User"),
        "CreateUserGroup": _deploy("AWS::ElastiCache::UserGroup"),
        "DecreaseNodeGroupsInGlobalReplicationGroup": _NOT_HERE,
        "DecreaseReplicaCount": REAL,
        "DeleteCacheCluster": _remove("AWS::ElastiCache::ReplicationGroup"),
        "DeleteCacheParameterGroup": _remove("AWS::ElastiCache::ParameterGroup"),
        "DeleteCacheSecurityGroup": _CLASSIC,
        "DeleteCacheSubnetGroup": _remove("AWS::ElastiCache::SubnetGroup"),
        "DeleteGlobalReplicationGroup": _remove("AWS::ElastiCache::GlobalReplicationGroup"),
        "DeleteReplicationGroup": _remove("AWS::ElastiCache::ReplicationGroup"),
        "DeleteServerlessCache": _remove("AWS::ElastiCache::ServerlessCache"),
        "DeleteServerlessCacheSnapshot": REAL,
        "DeleteSnapshot": REAL,
        "DeleteUser": _remove("AWS::ElastiCache::User"),
        "DeleteUserGroup": _remove("AWS::ElastiCache::UserGroup"),
        "DescribeCacheClusters": REAL,
        "DescribeCacheEngineVersions": REAL,
        "DescribeCacheParameterGroups": REAL,
        "DescribeCacheParameters": REAL,
        "DescribeCacheSecurityGroups": _CLASSIC,
        "DescribeCacheSubnetGroups": REAL,
        "DescribeEngineDefaultParameters": _NOT_HERE,
        "DescribeEvents": REAL,
        "DescribeGlobalReplicationGroups": REAL,
        "DescribeReplicationGroups": REAL,
        "DescribeReservedCacheNodes": REAL,
        "DescribeReservedCacheNodesOfferings": _NOT_HERE,
        "DescribeServerlessCacheSnapshots": REAL,
        "DescribeServerlessCaches": REAL,
        "DescribeServiceUpdates": REAL,
        "DescribeSnapshots": REAL,
        "DescribeUpdateActions": REAL,
        "DescribeUserGroups": REAL,
        "DescribeUsers": REAL,
        "DisassociateGlobalReplicationGroup": REAL,
        "ExportServerlessCacheSnapshot": REAL,
        "FailoverGlobalReplicationGroup": REAL,
        "IncreaseNodeGroupsInGlobalReplicationGroup": _NOT_HERE,
        "IncreaseReplicaCount": REAL,
        "ListAllowedNodeTypeModifications": _NOT_HERE,
        "ListTagsForResource": REAL,
        "ModifyCacheCluster": _deploy("AWS::ElastiCache::ReplicationGroup"),
        "ModifyCacheParameterGroup": _deploy("AWS::ElastiCache::ParameterGroup"),
        "ModifyCacheSubnetGroup": EMULATED,
        "ModifyGlobalReplicationGroup": _deploy("AWS::ElastiCache::GlobalReplicationGroup"),
        "ModifyReplicationGroup": REAL,
        "ModifyReplicationGroupShardConfiguration": REAL,
        "ModifyServerlessCache": _deploy("AWS::ElastiCache::ServerlessCache"),
        "ModifyUser": REAL,
        "ModifyUserGroup": _deploy("AWS::ElastiCache::UserGroup"),
        "PurchaseReservedCacheNodesOffering": _NOT_HERE,
        "RebalanceSlotsInGlobalReplicationGroup": _NOT_HERE,
        "RebootCacheCluster": REAL,
        "RemoveTagsFromResource": REAL,
        "ResetCacheParameterGroup": _NOT_HERE,
        "RevokeCacheSecurityGroupIngress": _CLASSIC,
        "StartMigration": _NOT_HERE,
        "TestFailover": REAL,
        "TestMigration": _NOT_HERE,
    },
    MEMORYDB: {
        "BatchUpdateCluster": _NOT_HERE,
        "CopySnapshot": REAL,
        "CreateACL": _deploy("AWS::MemoryDB::ACL"),
        "CreateCluster": _deploy("AWS::MemoryDB::Cluster"),
        "CreateMultiRegionCluster": _deploy("AWS::MemoryDB::MultiRegionCluster"),
        "CreateParameterGroup": _deploy("AWS::MemoryDB::ParameterGroup"),
        "CreateSnapshot": REAL,
        "CreateSubnetGroup": _deploy("AWS::MemoryDB::SubnetGroup"),
        "CreateUser": _deploy("AWS::MemoryDB::User"),
        "DeleteACL": _remove("AWS::MemoryDB::ACL"),
        "DeleteCluster": _remove("AWS::MemoryDB::Cluster"),
        "DeleteMultiRegionCluster": _remove("AWS::MemoryDB::MultiRegionCluster"),
        "DeleteParameterGroup": _remove("AWS::MemoryDB::ParameterGroup"),
        "DeleteSnapshot": REAL,
        "DeleteSubnetGroup": _remove("AWS::MemoryDB::SubnetGroup"),
        "DeleteUser": _remove("AWS::MemoryDB::User"),
        "DescribeACLs": REAL,
        "DescribeClusters": REAL,
        "DescribeEngineVersions": REAL,
        "DescribeEvents": REAL,
        "DescribeMultiRegionClusters": REAL,
        "DescribeMultiRegionParameterGroups": _NOT_HERE,
        "DescribeMultiRegionParameters": _NOT_HERE,
        "DescribeParameterGroups": REAL,
        "DescribeParameters": REAL,
        "DescribeReservedNodes": REAL,
        "DescribeReservedNodesOfferings": _NOT_HERE,
        "DescribeServiceUpdates": REAL,
        "DescribeSnapshots": REAL,
        "DescribeSubnetGroups": REAL,
        "DescribeUsers": REAL,
        "FailoverShard": REAL,
        "ListAllowedMultiRegionClusterUpdates": _NOT_HERE,
        "ListAllowedNodeTypeUpdates": _NOT_HERE,
        "ListTags": REAL,
        "PurchaseReservedNodesOffering": _NOT_HERE,
        "ResetParameterGroup": _NOT_HERE,
        "TagResource": REAL,
        "UntagResource": REAL,
        "UpdateACL": _deploy("AWS::MemoryDB::ACL"),
        "UpdateCluster": REAL,
        "UpdateMultiRegionCluster": _deploy("AWS::MemoryDB::MultiRegionCluster"),
        "UpdateParameterGroup": _deploy("AWS::MemoryDB::ParameterGroup"),
        "UpdateSubnetGroup": _deploy("AWS::MemoryDB::SubnetGroup"),
        "UpdateUser": REAL,
    },
}
"""The actions of each service."""

EMPTY: Mapping[Service, Mapping[str, str]] = {
    ELASTICACHE: {
        "DescribeReservedCacheNodes": "ReservedCacheNodes",
        "DescribeServiceUpdates": "ServiceUpdates",
        "DescribeUpdateActions": "UpdateActions",
    },
    MEMORYDB: {"DescribeReservedNodes": "ReservedNodes", "DescribeServiceUpdates": "ServiceUpdates"},
}
"""Actions whose answer is an empty list, and the name of the list: there are no such things here."""
