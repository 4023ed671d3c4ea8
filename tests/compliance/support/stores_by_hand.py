"""Stores that were not defined with this library, each with the code that adopts it.

L1 constructs as engineers write them, and what Terraform modules create, as the templates that describe it. Terraform's
resources have all properties in their state, and most templates have few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_kms as kms
from aws_cdk import aws_memorydb as memorydb
from aws_cdk import aws_secretsmanager as secretsmanager

from cdk_redis import (
    Acl,
    Authentication,
    ElastiCacheParameterGroup,
    ElastiCacheSubnetGroup,
    ElastiCacheUserGroup,
    ExistingResource,
    MemoryDbCluster,
    MemoryDbSubnetGroup,
    ReplicationGroup,
    ServerlessCache,
)
from tests.unit.support.vpcs import existing_vpc

SUBNETS = ["subnet-i1", "subnet-i2"]


class Parts:
    """What both versions of a stack have: a VPC, and L1 constructs that stay in the code."""

    def __init__(self, stack: cdk.Stack) -> None:
        self.stack = stack
        self.vpc = existing_vpc(stack)
        self.group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
        self.key = kms.CfnKey(stack, "Key")

    def groups(self) -> dict[str, Any]:
        """The VPC and the security group, for a construct."""
        return {"vpc": self.vpc, "security_groups": [self.group]}

    def subnets(self) -> elasticache.CfnSubnetGroup:
        return elasticache.CfnSubnetGroup(self.stack, "Subnets", description="Orders", subnet_ids=SUBNETS)

    def secret(self) -> secretsmanager.ISecret:
        return secretsmanager.Secret.from_secret_name_v2(self.stack, "Token", "orders/token")

    def named_subnets(self, name: str) -> Any:
        return ElastiCacheSubnetGroup.from_subnet_group_name(self.stack, "NamedSubnets", name)


class ByHand(NamedTuple):
    """A store that was defined by hand.

    Attributes:
        define: Defines it with L1 constructs, the store with the id "Cache".
        adopt: Defines the same with a construct of this library.
        swap: The construct in place of the L1 construct, with its id and its parameters but without `adopt`.
    """

    define: Callable[[Parts], object]
    adopt: Callable[[Parts, ExistingResource], object]
    swap: Callable[[Parts], object]


def _group(parts: Parts, **properties: Any) -> object:
    given = {"replication_group_description": "Orders", "security_group_ids": [parts.group.security_group_id]}
    return elasticache.CfnReplicationGroup(parts.stack, "Cache", **{**given, **properties})


def _raw(parts: Parts, properties: dict[str, Any], kind: str = "AWS::ElastiCache::ReplicationGroup") -> object:
    return cdk.CfnResource(parts.stack, "Cache", type=kind, properties=properties)


def _define_pair(parts: Parts) -> object:
    """The replication group of most tutorials: a primary and a replica, with as few properties as possible."""
    users = elasticache.CfnUserGroup(
        parts.stack, "Users", engine="redis", user_group_id="orders", user_ids=["default", "orders-app"]
    )
    return _group(
        parts,
        engine="redis",
        engine_version="7.1",
        cache_node_type="cache.r7g.large",
        num_cache_clusters=2,
        automatic_failover_enabled=True,
        cache_subnet_group_name=parts.subnets().ref,
        transit_encryption_enabled=True,
        user_group_ids=[users.ref],
    )


def _adopt_pair(parts: Parts, existing: ExistingResource | None) -> object:
    subnets = parts.subnets()
    users = elasticache.CfnUserGroup(
        parts.stack, "Users", engine="redis", user_group_id="orders", user_ids=["default", "orders-app"]
    )
    return ReplicationGroup(
        parts.stack,
        "Cache",
        **parts.groups(),
        engine="redis:7.1",
        node_type="cache.r7g.large",
        subnet_group=parts.named_subnets(subnets.ref),
        user_group=ElastiCacheUserGroup.from_user_group_id(parts.stack, "UserGroup", users.ref),
        adopt=existing,
        unsafe_unencrypted_at_rest=existing is not None,
    )


def _define_sharded(parts: Parts) -> object:
    """Cluster mode with an AUTH token and a parameter group, without encryption at rest, in an older L1 style."""
    parameters = elasticache.CfnParameterGroup(
        parts.stack,
        "Parameters",
        cache_parameter_group_family="redis6.x",
        description="Orders",
        properties={"cluster-enabled": "yes", "maxmemory-policy": "allkeys-lru"},
    )
    return _group(
        parts,
        replication_group_id="Orders",
        engine="redis",
        engine_version="6.2",
        cache_node_type="cache.m6g.large",
        num_node_groups=2,
        replicas_per_node_group=2,
        automatic_failover_enabled=True,
        multi_az_enabled=True,
        port=6380,
        cache_parameter_group_name=parameters.ref,
        cache_subnet_group_name=parts.subnets().ref,
        at_rest_encryption_enabled=False,
        transit_encryption_enabled=True,
        auth_token=parts.secret().secret_value.unsafe_unwrap(),
        snapshot_name="orders-of-last-year",
        network_type="ipv4",
    )


def _adopt_sharded(parts: Parts, existing: ExistingResource | None) -> object:
    subnets = parts.subnets()
    parameters = elasticache.CfnParameterGroup(
        parts.stack,
        "Parameters",
        cache_parameter_group_family="redis6.x",
        description="Orders",
        properties={"cluster-enabled": "yes", "maxmemory-policy": "allkeys-lru"},
    )
    return ReplicationGroup(
        parts.stack,
        "Cache",
        **parts.groups(),
        replication_group_id="orders",
        engine="redis:6.2",
        node_type="cache.m6g.large",
        shards=2,
        replicas=2,
        port=6380,
        subnet_group=parts.named_subnets(subnets.ref),
        parameter_group=ElastiCacheParameterGroup.from_parameter_group_name(parts.stack, "Group2", parameters.ref),
        authentication=Authentication.auth_token(parts.secret(), version_id="1"),
        adopt=existing,
        unsafe_unencrypted_at_rest=existing is not None,
    )


def _define_placed(parts: Parts) -> object:
    """Plaintext, with a NodeGroupConfiguration for each shard and both numbers."""
    slots = ("0-5460", "5461-10922", "10923-16383")
    return _group(
        parts,
        replication_group_id="sessions",
        cache_node_type="cache.t3.medium",
        engine="redis",
        engine_version="5.0.6",
        automatic_failover_enabled=True,
        num_node_groups=3,
        replicas_per_node_group=1,
        node_group_configuration=[{"slots": one} for one in slots],
        cache_parameter_group_name="default.redis5.0.cluster.on",
        cache_subnet_group_name="sessions",
        kms_key_id=parts.key.ref,
        at_rest_encryption_enabled=True,
    )


def _adopt_placed(parts: Parts, existing: ExistingResource | None) -> object:
    return ReplicationGroup(
        parts.stack,
        "Cache",
        **parts.groups(),
        replication_group_id="sessions",
        engine="redis:5.0.6",
        node_type="cache.t3.medium",
        shards=3,
        subnet_group=parts.named_subnets("sessions"),
        kms_key=kms.Key.from_key_arn(parts.stack, "Imported", parts.key.attr_arn),
        adopt=existing,
        unsafe_open_access=True,
        unsafe_plaintext=True,
    )


def _define_serverless(parts: Parts) -> object:
    return elasticache.CfnServerlessCache(
        parts.stack,
        "Cache",
        serverless_cache_name="carts",
        engine="valkey",
        major_engine_version="8",
        subnet_ids=SUBNETS[::-1],
        security_group_ids=[parts.group.security_group_id],
        user_group_id="carts",
        kms_key_id=parts.key.attr_arn,
        snapshot_retention_limit=1,
    )


def _adopt_serverless(parts: Parts, existing: ExistingResource | None) -> object:
    return ServerlessCache(
        parts.stack,
        "Cache",
        **parts.groups(),
        serverless_cache_name="carts",
        user_group=ElastiCacheUserGroup.from_user_group_id(parts.stack, "UserGroup", "carts"),
        kms_key=kms.Key.from_key_arn(parts.stack, "Imported", parts.key.attr_arn),
        snapshots=1,
        adopt=existing,
    )


def _define_cluster(parts: Parts) -> object:
    """The MemoryDB cluster of AWS's samples: the ACL open-access, in the default subnet group."""
    return memorydb.CfnCluster(
        parts.stack,
        "Cache",
        cluster_name="ledger",
        node_type="db.r6g.large",
        acl_name="open-access",
        num_shards=2,
        security_group_ids=[parts.group.security_group_id],
        data_tiering="false",
        network_type="ipv4",
    )


def _adopt_cluster(parts: Parts, existing: ExistingResource | None) -> object:
    return MemoryDbCluster(
        parts.stack,
        "Cache",
        **parts.groups(),
        cluster_name="ledger",
        engine="redis:6.2",
        node_type="db.r6g.large",
        shards=2,
        subnet_group=MemoryDbSubnetGroup.from_subnet_group_name(parts.stack, "Subnets", "default"),
        adopt=existing,
        unsafe_open_access=True,
    )


# terraform-aws-modules/elasticache, module replication-group, with its defaults: everything is in the state.
_TERRAFORM_MODULE = {
    "ReplicationGroupId": "orders",
    "ReplicationGroupDescription": "orders",
    "AtRestEncryptionEnabled": True,
    "TransitEncryptionEnabled": True,
    "TransitEncryptionMode": "required",
    "AutoMinorVersionUpgrade": True,
    "AutomaticFailoverEnabled": True,
    "MultiAZEnabled": True,
    "CacheNodeType": "cache.t4g.small",
    "CacheParameterGroupName": "orders",
    "CacheSubnetGroupName": "orders",
    "ClusterMode": "disabled",
    "DataTieringEnabled": False,
    "Engine": "redis",
    "EngineVersion": "7.1",
    "IpDiscovery": "ipv4",
    "NetworkType": "ipv4",
    "NumCacheClusters": 2,
    "Port": 6379,
    "PreferredMaintenanceWindow": "sun:05:00-sun:09:00",
    "SecurityGroupIds": ["sg-0123456789abcdef0"],
    "SnapshotRetentionLimit": 0,
    "SnapshotWindow": "02:00-03:00",
    "UserGroupIds": ["orders"],
}
# cloudposse/elasticache-redis before its version 1: neither encryption, and the zones by their names.
_CLOUDPOSSE = {
    "ReplicationGroupId": "eg-prod-sessions",
    "ReplicationGroupDescription": "eg-prod-sessions",
    "CacheNodeType": "cache.t3.medium",
    "NumCacheClusters": "2",
    "Port": "6379",
    "CacheParameterGroupName": "eg-prod-sessions",
    "PreferredCacheClusterAZs": ["eu-west-1a", "eu-west-1b"],
    "AutomaticFailoverEnabled": False,
    "CacheSubnetGroupName": "eg-prod-sessions",
    "SecurityGroupIds": ["sg-0123456789abcdef0"],
    "PreferredMaintenanceWindow": "wed:03:00-wed:04:00",
    "Engine": "redis",
    "EngineVersion": "6.2",
}
# terraform-aws-modules/memorydb with its defaults.
_TERRAFORM_MEMORYDB = {
    "ClusterName": "ledger",
    "NodeType": "db.t4g.small",
    "ACLName": "ledger",
    "AutoMinorVersionUpgrade": True,
    "DataTiering": False,
    "EngineVersion": "7.0",
    "MaintenanceWindow": "sun:23:00-mon:01:30",
    "NumReplicasPerShard": 1,
    "NumShards": 1,
    "ParameterGroupName": "ledger",
    "Port": 6379,
    "SecurityGroupIds": ["sg-0123456789abcdef0"],
    "SnapshotRetentionLimit": 7,
    "SnapshotWindow": "05:00-09:00",
    "SubnetGroupName": "ledger",
    "TLSEnabled": True,
}


def _adopt_terraform_module(parts: Parts, existing: ExistingResource | None) -> object:
    return ReplicationGroup(
        parts.stack,
        "Cache",
        **parts.groups(),
        replication_group_id="orders",
        engine="redis:7.1",
        subnet_group=parts.named_subnets("orders"),
        parameter_group=ElastiCacheParameterGroup.from_parameter_group_name(parts.stack, "Named", "orders"),
        user_group=ElastiCacheUserGroup.from_user_group_id(parts.stack, "UserGroup", "orders"),
        snapshots=0,
        maintenance_window="sun:05:00-sun:09:00",
        adopt=existing,
    )


def _adopt_cloudposse(parts: Parts, existing: ExistingResource | None) -> object:
    return ReplicationGroup(
        parts.stack,
        "Cache",
        **parts.groups(),
        replication_group_id="eg-prod-sessions",
        engine="redis:6.2",
        node_type="cache.t3.medium",
        subnet_group=parts.named_subnets("eg-prod-sessions"),
        parameter_group=ElastiCacheParameterGroup.from_parameter_group_name(parts.stack, "Named", "eg-prod-sessions"),
        adopt=existing,
        unsafe_open_access=True,
        unsafe_plaintext=True,
        unsafe_unencrypted_at_rest=existing is not None,
    )


def _adopt_terraform_memorydb(parts: Parts, existing: ExistingResource | None) -> object:
    return MemoryDbCluster(
        parts.stack,
        "Cache",
        **parts.groups(),
        cluster_name="ledger",
        engine="redis:7.0",
        subnet_group=MemoryDbSubnetGroup.from_subnet_group_name(parts.stack, "Subnets", "ledger"),
        acl=Acl.from_acl_name(parts.stack, "Acl", "ledger"),
        adopt=existing,
    )


def _by_hand(define: Callable[[Parts], object], adopt: Callable[[Parts, ExistingResource | None], object]) -> ByHand:
    return ByHand(define, adopt, lambda parts: adopt(parts, None))


STORES = {
    "a pair of nodes": _by_hand(_define_pair, _adopt_pair),
    "shards with an AUTH token": _by_hand(_define_sharded, _adopt_sharded),
    "shards with a placement": _by_hand(_define_placed, _adopt_placed),
    "a serverless cache": _by_hand(_define_serverless, _adopt_serverless),
    "a MemoryDB cluster": _by_hand(_define_cluster, _adopt_cluster),
    "terraform-aws-modules/elasticache": _by_hand(
        lambda parts: _raw(parts, _TERRAFORM_MODULE), _adopt_terraform_module
    ),
    "cloudposse/elasticache-redis": _by_hand(lambda parts: _raw(parts, _CLOUDPOSSE), _adopt_cloudposse),
    "terraform-aws-modules/memorydb": _by_hand(
        lambda parts: _raw(parts, _TERRAFORM_MEMORYDB, "AWS::MemoryDB::Cluster"), _adopt_terraform_memorydb
    ),
}
