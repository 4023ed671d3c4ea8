"""How the settings of a replication group are worded for CloudFormation."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.resource import define
from cdk_redis._elasticache.log_delivery import create_log_delivery
from cdk_redis._values.network_type import NetworkType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from cdk_redis._elasticache.auth_token import AuthToken
    from cdk_redis._elasticache.parameter_group import ElastiCacheParameterGroup
    from cdk_redis._elasticache.replication_group_settings import ReplicationGroupSettings
    from cdk_redis._elasticache.user_group import ElastiCacheUserGroup
    from cdk_redis._network.subnet_groups import ISubnetGroup

_SLOTS = 16384


def create_resource(
    store: Construct,
    settings: ReplicationGroupSettings,
    *,
    subnet_group: ISubnetGroup,
    security_groups: Sequence[ec2.ISecurityGroup],
    parameter_group: ElastiCacheParameterGroup,
    user_group: ElastiCacheUserGroup | None,
    auth_token: AuthToken | None,
    kms_key: kms.IKey | None,
) -> elasticache.CfnReplicationGroup:
    """Define the ``AWS::ElastiCache::ReplicationGroup``.

    Args:
        store: Construct that it is defined in.
        settings: What the store was asked to be.
        subnet_group: Where its nodes stand.
        security_groups: Its security groups.
        parameter_group: Its parameter group.
        user_group: Its users; None where it has none.
        auth_token: Its AUTH token; None where it has none.
        kms_key: Key of the data at rest; None for the service's own.
    """
    from aws_cdk import aws_elasticache as elasticache

    topic, restore = settings.notification_topic, settings.restore
    resource = define(
        elasticache.CfnReplicationGroup,
        store,
        "Resource",
        replication_group_id=settings.replication_group_id,
        replication_group_description=settings.description or store.node.path,
        engine=settings.engine.name,
        engine_version=settings.engine.version,
        cache_node_type=settings.node_type,
        data_tiering_enabled=True if settings.data_tiering else None,
        auto_minor_version_upgrade=settings.auto_minor_version_upgrade,
        cache_parameter_group_name=parameter_group.parameter_group_name,
        # Always said: left out, CloudFormation's handler turns it on and fails for a single node. Cluster mode
        # demands it whatever the number of replicas.
        automatic_failover_enabled=settings.has_replicas or settings.cluster_mode,
        multi_az_enabled=settings.has_replicas,
        cluster_mode=_cluster_mode(settings),
        durability=settings.durability.value if settings.durability else None,
        port=settings.port,
        cache_subnet_group_name=subnet_group.subnet_group_name,
        security_group_ids=[group.security_group_id for group in security_groups],
        # Said only where it is not what every store has: older versions of the engines do not know it.
        network_type=None if settings.network_type is NetworkType.IPV4 else settings.network_type.value,
        ip_discovery=settings.ip_discovery.value if settings.ip_discovery else None,
        user_group_ids=[user_group.user_group_id] if user_group else None,
        auth_token=auth_token.token if auth_token else None,
        # Always said: Valkey's stores are not made without.
        transit_encryption_enabled=not settings.unsafe_plaintext,
        transit_encryption_mode=settings.transit_encryption_mode.value if settings.transit_encryption_mode else None,
        at_rest_encryption_enabled=True,
        kms_key_id=kms_key.key_arn if kms_key else None,
        snapshot_retention_limit=settings.snapshots.retention_days,
        snapshot_window=str(settings.snapshots.window) if settings.snapshots.window else None,
        snapshot_name=restore.snapshot_name if restore else None,
        snapshot_arns=list(restore.object_arns) if restore and restore.object_arns else None,
        preferred_maintenance_window=str(settings.maintenance_window) if settings.maintenance_window else None,
        notification_topic_arn=topic.topic_arn if topic else None,
        log_delivery_configurations=[create_log_delivery(store, delivery) for delivery in settings.log_delivery]
        or None,
    )
    _add_nodes(resource, settings)
    # Without it, changing the number of shards replaces the store.
    resource.cfn_options.update_policy = cdk.CfnUpdatePolicy(use_online_resharding=True)
    return resource


def _add_nodes(resource: elasticache.CfnReplicationGroup, settings: ReplicationGroupSettings) -> None:
    """Say how many nodes there are: by two numbers, or shard by shard where that is the only way."""
    # Never NumCacheClusters: it excludes shards, and drifts as soon as replicas scale.
    resource.num_node_groups = settings.shard_count
    slots = _slots(settings)
    if settings.placement is None and slots is None:
        resource.replicas_per_node_group = settings.replicas
        return
    # Not together with ReplicasPerNodeGroup: CloudFormation replaces a store that has both.
    group = type(resource).NodeGroupConfigurationProperty
    resource.node_group_configuration = [
        group(
            # AWS numbers shards so by itself; saying it lets an update find the shard again.
            node_group_id=f"{number + 1:04d}",
            replica_count=settings.replicas,
            primary_availability_zone=settings.placement[number].primary if settings.placement else None,
            replica_availability_zones=(list(settings.placement[number].replicas) or None)
            if settings.placement
            else None,
            slots=slots[number] if slots else None,
        )
        for number in range(settings.shard_count)
    ]


def _slots(settings: ReplicationGroupSettings) -> list[str] | None:
    """Which keys go to which shard: AWS asks for it where shards are filled from files, and nowhere else."""
    if settings.restore is None or not settings.restore.object_arns or not settings.cluster_mode:
        return None
    bounds = [number * _SLOTS // settings.shard_count for number in range(settings.shard_count + 1)]
    return [f"{first}-{after - 1}" for first, after in itertools.pairwise(bounds)]


def _cluster_mode(settings: ReplicationGroupSettings) -> str | None:
    """The mode in CloudFormation's words, which ends a move between modes; engines that cannot move are not told."""
    if not settings.can_move_to_cluster_mode:
        return None
    if settings.cluster_mode_compatible:
        return "compatible"
    return "enabled" if settings.cluster_mode else "disabled"
