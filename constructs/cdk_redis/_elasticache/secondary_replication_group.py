"""The secondary of a global datastore: a replication group in another Region, replicated from the primary."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import list_of, value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import description_of
from cdk_redis._core.resource import define
from cdk_redis._core.service import ELASTICACHE
from cdk_redis._elasticache.alarms import node_rows
from cdk_redis._elasticache.checks import check_user_group
from cdk_redis._elasticache.findings import acknowledge_secondary
from cdk_redis._elasticache.log_delivery import (
    LogDelivery,
    check_log_delivery,
    create_log_groups,
    log_delivery_configurations,
)
from cdk_redis._elasticache.store import ElastiCacheStore, endpoint_of
from cdk_redis._elasticache.subnet_group import ElastiCacheSubnetGroup
from cdk_redis._elasticache.user_group import ElastiCacheUserGroup
from cdk_redis._network.network import RedisNetwork, network_of
from cdk_redis._store.alarms_of_preset import use_alarms_of_preset
from cdk_redis._store.checks import check_keys, check_port, check_topic, check_topology, check_windows
from cdk_redis._store.encryption_key import choose_key
from cdk_redis._store.final_snapshot import DEFAULT_POLICY
from cdk_redis._store.parameter_groups import ELASTICACHE as SERVICE
from cdk_redis._store.resources import (
    check_addresses,
    check_same_place,
    check_security_groups,
    check_store_name,
    check_subnet_group,
)
from cdk_redis._store.warnings import inform_of_quota, warn_of_name, warn_of_unsafe
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.windows import MaintenanceWindow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    from cdk_redis._elasticache.global_datastore import IGlobalDatastore
    from cdk_redis._elasticache.user_group import IUserGroup
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._store.alarm_table import AlarmRow
    from cdk_redis._values.preset import Preset

_NAMED_BY_HAND = "@cdk-redis:namedReplicationGroup"


class SecondaryReplicationGroup(ElastiCacheStore):
    """A replication group that serves reads in another Region than the primary's.

    Defines one ``AWS::ElastiCache::ReplicationGroup`` that joins a global datastore, with a subnet group, a security
    group and a user group; you can give existing ones instead. Users exist in one Region only. Engine, node type,
    shards, parameters, TLS and encryption at rest are those of the global datastore, and AWS rejects these properties
    here ("Cannot use the given parameters when creating new replication group in an existing global replication
    group"). It is read-only, so a smoke test is not possible: test the primary.

    A change of `replicas`, users, logs, `snapshots` or a window updates the secondary in place. A change of `network`,
    `subnet_group`, `port`, `kms_key`, `global_datastore` or `replication_group_id` **replaces** it; AWS copies the data
    of the primary to the new one.

    Attributes:
        resource: The L1 construct, for properties that this construct does not have.
        replication_group_id: Name of the store; the same as `store_name`.
        replication_group_arn: ARN of the store; the same as `store_arn`.
        subnet_group: Its subnet group.
        user_group: Its user group; None if the global datastore has open access.
        kms_key: Key that encrypts its data at rest, given or created; None for a key that AWS owns.
        log_groups: Log groups that `log_delivery` sends to, given or created, by ``"slow-log"`` and ``"engine-log"``.
    """

    service = ELASTICACHE
    read_only = True
    _why_no_users = ("its global datastore has open access, and no users", "")

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        global_datastore: IGlobalDatastore,
        replicas: int = 1,
        port: int = 6379,
        kms_key: kms.IKey | None = None,
        create_kms_key: bool = False,
        secret_kms_key: kms.IKey | None = None,
        user_group: IUserGroup | None = None,
        snapshots: Snapshots | str | int | None = None,
        maintenance_window: MaintenanceWindow | str | None = None,
        auto_minor_version_upgrade: bool = True,
        log_delivery: Sequence[LogDelivery] = (),
        notification_topic: sns.ITopic | None = None,
        subnet_group: ISubnetGroup | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        replication_group_id: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy | str = DEFAULT_POLICY,
        preset: Preset | None = None,  # noqa: ARG002 - `checked_arguments` reads it
    ) -> None:
        """Define the secondary.

        Args:
            scope: Construct this one is defined in, in another Region than the primary and other secondaries.
            id: Id within the scope.
            network: The network whose subnets it is placed in, and which gives it its security group. Set `network` or
                `vpc`.
            vpc: An existing VPC to place the store in, in place of `network`. A `RedisNetwork` is defined for it, with
                the id "Network". Changing it replaces the store.
            vpc_subnets: Subnets of `vpc`; public ones are rejected. Default: - the isolated subnets if it has any, else
                the private ones with egress.
            global_datastore: The global datastore that it joins. Its stack is deployed before this one's. Changing it
                replaces the secondary.
            replicas: Replicas of each shard, 0 to 5; at least 1 if the primary has automatic failover, because all
                members then have it.
            port: Port that the nodes listen on, 1150 to 65535 without 8005. Changing it replaces the secondary.
            kms_key: Key that encrypts the data at rest, in this Region. Changing it replaces the secondary.
                Default: - a key owned by the service.
            create_kms_key: Whether to create a key for the data, with yearly rotation; it is retained when the store is
                deleted. Changing it replaces the secondary.
            secret_kms_key: Key that encrypts the secrets generated for users of the store, the disabled default
                user of Redis OSS included.
                Changing it encrypts the secrets again, without new passwords. Default: - the key
                ``aws/secretsmanager``.
            user_group: An existing user group; users that you add to the store become its members.
                Default: - the store creates one.
            snapshots: Daily snapshots; a number is the days that each is kept. Default: - none, because those of the
                primary contain the same data.
            maintenance_window: Weekly time for AWS's maintenance, such as ``"sun:05:00-sun:06:00"`` in UTC.
                Default: - AWS chooses one.
            auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
            log_delivery: Logs to send, `LogDelivery.slow_log` and `LogDelivery.engine_log`. Default: - none.
            notification_topic: Topic that receives failovers, new nodes and maintenance; in the store's account and
                Region, and not encrypted. Default: - none.
            subnet_group: An existing subnet group. Changing it replaces the secondary.
                Default: - a new one with the network's subnets.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - a new one that allows connections from the network's client security group and from grantees.
            replication_group_id: Name of the store: 1 to 40 lower-case letters, digits and single hyphens.
                CloudFormation cannot replace a store with a name that you set. Default: - CloudFormation chooses one.
            description: Text shown in the console. Default: - the path of this construct.
            removal_policy: What happens to the store when it leaves the stack or is replaced: it is deleted after a
                final snapshot (SNAPSHOT), kept (RETAIN), or deleted with all data (DESTROY).
            preset: Values for parameters that are left out, such as ``Preset.prod()``. Default: - the preset of the
                nearest scope that has one, see `Preset.use_in`; without one, the defaults of these parameters.

        Raises:
            ConfigurationError: With every parameter that AWS would reject.
        """
        super().__init__(scope, id, port=port)
        from aws_cdk import aws_elasticache as elasticache

        problems = Problems(self)
        engine, cluster_mode = global_datastore.topology.engine, global_datastore.topology.cluster_mode
        failover = global_datastore.automatic_failover
        snapshots = value_of(problems, "snapshots", snapshots, Snapshots)
        removal_policy = value_of(problems, "removal_policy", removal_policy, cdk.RemovalPolicy) or DEFAULT_POLICY
        log_delivery = list_of(problems, "log_delivery", log_delivery, LogDelivery)
        maintenance_window = value_of(problems, "maintenance_window", maintenance_window, MaintenanceWindow)
        network = network_of(self, problems, network, vpc, vpc_subnets)
        check_topology(problems, global_datastore.topology.shards or 1, replicas, engine)
        _check_failover(problems, replicas, failover)
        check_port(problems, port)
        check_windows(problems, snapshots or Snapshots.off(), maintenance_window)
        check_keys(problems, self, kms_key, create_kms_key, secret_kms_key)
        check_topic(problems, self, notification_topic)
        check_addresses(problems, network, subnet_group, global_datastore.topology.shards, replicas)
        check_subnet_group(problems, self, subnet_group, service=SERVICE)
        check_security_groups(problems, self, security_groups, network)
        check_same_place(problems, self, user_group=user_group)
        check_user_group(problems, user_group, global_datastore.open_access, engine)
        check_log_delivery(problems, log_delivery, engine=engine, scope=self)
        check_store_name(problems, "replication_group_id", replication_group_id, scope=self, kind="replication group")
        problems.raise_if_any()

        self.network = network
        self._secret_kms_key = secret_kms_key
        self.open_access = global_datastore.open_access
        self.topology = dataclasses.replace(global_datastore.topology, replicas=replicas)
        self.subnet_group: ISubnetGroup = subnet_group or ElastiCacheSubnetGroup(self, "Subnets", network=network)
        if not self.open_access:
            self._use_user_group(
                user_group or ElastiCacheUserGroup(self, "UserGroup", engine=engine, secret_kms_key=secret_kms_key)
            )
        self.kms_key = choose_key(self, kms_key, create_kms_key=create_kms_key)
        self.log_groups = create_log_groups(self, log_delivery)
        self._use_security_groups(
            security_groups or [network.create_store_security_group(self, "SecurityGroup", port=port)]
        )
        self.resource: elasticache.CfnReplicationGroup = define(
            elasticache.CfnReplicationGroup,
            self,
            "Resource",
            global_replication_group_id=global_datastore.join(self),
            replication_group_id=replication_group_id,
            replication_group_description=description or description_of(self.node.path),
            replicas_per_node_group=replicas,
            # The setting of the primary, because CloudFormation's handler turns it on by default.
            automatic_failover_enabled=failover,
            multi_az_enabled=failover and replicas != 0,
            port=port,
            cache_subnet_group_name=self.subnet_group.subnet_group_name,
            security_group_ids=[group.security_group_id for group in self.security_groups],
            user_group_ids=[self.user_group.user_group_id] if self.user_group else None,
            kms_key_id=self.kms_key.key_arn if self.kms_key else None,
            snapshot_retention_limit=snapshots.retention_days if snapshots else None,
            snapshot_window=str(snapshots.window) if snapshots and snapshots.window else None,
            preferred_maintenance_window=str(maintenance_window) if maintenance_window else None,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            notification_topic_arn=notification_topic.topic_arn if notification_topic else None,
            log_delivery_configurations=log_delivery_configurations(log_delivery, self.log_groups),
        )
        self.resource.apply_removal_policy(removal_policy)
        self.replication_group_id = self.store_name = self.resource.ref
        self.replication_group_arn = self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = endpoint_of(self.resource, "configuration" if cluster_mode else "primary")
        self.reader_endpoint = None if cluster_mode else endpoint_of(self.resource, "reader")
        acknowledge_secondary(self.resource, port, has_users=self.user_group is not None)
        use_alarms_of_preset(self)
        warn_of_unsafe(self)
        inform_of_quota(self)
        if replication_group_id is not None:
            warn_of_name(self, "replication_group_id", _NAMED_BY_HAND)

    def _alarm_rows(self) -> Sequence[AlarmRow]:
        return node_rows(self.topology, None, secondary=True)


def _check_failover(problems: Problems, replicas: int, automatic_failover: bool) -> None:
    if replicas == 0 and automatic_failover:
        reason = "the primary has automatic failover, so every member has it and needs a replica"
        problems.add("replicas", replicas, reason, "add a replica")
