"""What an adopted store of ElastiCache keeps of the deployed one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token
from cdk_redis._store.adoption import Fixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms
    from constructs import IConstruct

    from cdk_redis._values.engine import Engine
    from cdk_redis._values.existing_resource import ExistingResource

SERVERLESS_CACHE = {
    "ConnectionType": Fixed("connection_type", "adopt", only_at_creation=True),
    "KmsKeyId": Fixed("kms_key_id", "kms_key"),
    "NetworkType": Fixed("network_type", "network_type", ("ipv4",)),
    "ServerlessCacheName": Fixed("serverless_cache_name", "serverless_cache_name"),
    "SnapshotArnsToRestore": Fixed("snapshot_arns_to_restore", "restore", only_at_creation=True),
    "SubnetIds": Fixed("subnet_ids", "vpc_subnets"),
}


def replication_group(engine: Engine) -> dict[str, Fixed]:
    """The properties whose change replaces a replication group of an engine."""
    # "Default: true when using Valkey, false when using Redis OSS": API_CreateReplicationGroup. CloudFormation's schema
    # has the default false: a group of Valkey whose template does not say it is described as it is.
    # https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html
    encrypted = (True, False) if engine.name == "valkey" else (False,)
    return {
        "AtRestEncryptionEnabled": Fixed("at_rest_encryption_enabled", "unsafe_unencrypted_at_rest", encrypted),
        "AuthToken": Fixed("auth_token", "authentication", by_presence=True),
        "CacheSubnetGroupName": Fixed("cache_subnet_group_name", "subnet_group", ("default",)),
        "DataTieringEnabled": Fixed("data_tiering_enabled", "node_type", (False,)),
        "GlobalReplicationGroupId": Fixed("global_replication_group_id", "adopt"),
        "KmsKeyId": Fixed("kms_key_id", "kms_key"),
        "NetworkType": Fixed("network_type", "network_type", ("ipv4",)),
        "NodeGroupConfiguration": Fixed("node_group_configuration", "placement", only_at_creation=True),
        "Port": Fixed("port", "port", (6379,)),
        "PreferredCacheClusterAZs": Fixed("preferred_cache_cluster_a_zs", "placement", only_at_creation=True),
        "ReplicationGroupId": Fixed("replication_group_id", "replication_group_id"),
        "SnapshotArns": Fixed("snapshot_arns", "restore", only_at_creation=True),
        "SnapshotName": Fixed("snapshot_name", "restore", only_at_creation=True),
    }


def keep_number_of_nodes(
    store: IConstruct,
    resource: elasticache.CfnReplicationGroup,
    existing: ExistingResource | None,
    shards: int,
    replicas: int,
) -> None:
    """Write the number of nodes with the properties that the deployed template uses for it.

    Which of the combinations CloudFormation converts into each other in place is not documented.

    Args:
        store: The store.
        resource: Its resource.
        existing: The deployed resource; None for a new store.
        shards: Number of shards.
        replicas: Replicas of each shard.
    """
    deployed = existing.properties if existing else None
    if deployed is None or is_token(shards) or is_token(replicas):
        return
    groups = deployed.get("NodeGroupConfiguration")
    if groups is not None:
        _check_number_of_groups(store, groups, shards)
        if "NumNodeGroups" not in deployed:
            resource.num_node_groups = None
        resource.replicas_per_node_group = None
        if "ReplicasPerNodeGroup" in deployed:
            resource.add_property_override("ReplicasPerNodeGroup", deployed["ReplicasPerNodeGroup"])
    elif "NumCacheClusters" in deployed and shards == 1:
        resource.num_node_groups = resource.replicas_per_node_group = None
        resource.num_cache_clusters = 1 + replicas
    elif "NumNodeGroups" not in deployed and shards == 1:
        resource.num_node_groups = None


def _check_number_of_groups(store: IConstruct, groups: object, shards: int) -> None:
    count = len(cast("Sequence[object]", groups)) if isinstance(groups, list) else shards
    if count != shards:
        problems = Problems(store)
        reason = f"the deployed template has a NodeGroupConfiguration of {count} shards"
        problems.add("shards", shards, reason, "change its NodeGroupConfiguration in `adopt` as well")
        problems.raise_if_any()


def check_unencrypted(
    problems: Problems, unencrypted: bool, existing: ExistingResource | None, kms_key: kms.IKey | None, create: bool
) -> None:
    """Check that only a store that exists is described as not encrypted at rest, and that it then has no key."""
    parameter = "unsafe_unencrypted_at_rest"
    if unencrypted and existing is None:
        reason = "a new store is encrypted at rest"
        problems.add(parameter, True, reason, "leave it out; for a store that exists, give `adopt` as well")
    if unencrypted and (kms_key is not None or create):
        reason = "there is a key that encrypts the data at rest"
        problems.add(parameter, True, reason, "leave out `kms_key` and `create_kms_key`")
