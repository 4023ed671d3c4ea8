"""The copy, in another Region, of a replication group with a global datastore around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.resource import define
from cdk_redis._core.service import ELASTICACHE
from cdk_redis._elasticache.log_delivery import LogDelivery, check_log_delivery, create_log_delivery
from cdk_redis._elasticache.subnet_group import ElastiCacheSubnetGroup
from cdk_redis._elasticache.user import ElastiCacheUser
from cdk_redis._elasticache.user_group import ElastiCacheUserGroup
from cdk_redis._store.checks import MAX_REPLICAS, check_key, check_port, check_topic, check_windows
from cdk_redis._store.encryption_key import choose_key
from cdk_redis._store.store import Store
from cdk_redis._values.endpoint import Endpoint
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.authentication import Authentication
    from cdk_redis._access.users import User
    from cdk_redis._elasticache.global_datastore import IGlobalDatastore
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._values.windows import MaintenanceWindow

_MAX_NAME = 40
# "Cannot use the given parameters when creating new replication group in an existing global replication group."
_INHERITED = (
    "authentication",
    "cluster_mode_compatible",
    "durability",
    "engine",
    "extra_parameters",
    "network_type",
    "node_type",
    "parameters",
    "restore",
    "shards",
    "transit_encryption_mode",
    "unsafe_open_access",
    "unsafe_plaintext",
)


class SecondaryReplicationGroup(Store):
    """A replication group that serves reads in another Region than the primary's.

    Defines one ``AWS::ElastiCache::ReplicationGroup`` that joins a global datastore, with its own subnet group,
    security group and user group: users are of one Region. Engine, node type, shards, parameters, TLS and encryption
    at rest are those of the global datastore, and giving them here is refused. It takes no writes, and therefore no
    smoke test: test the primary.

    Changing `replicas`, users, logs, snapshots or windows is an update in place. Changing `network`, `subnet_group`,
    `port`, `kms_key`, `global_datastore` or `replication_group_id` **replaces** the secondary, which then fills itself
    again from the primary.

    Attributes:
        resource: The L1 construct, for what this one does not offer.
        subnet_group: Where its nodes are placed.
        user_group: Its user group; None where the global datastore has open access.
        kms_key: Key of the data at rest, given or made; None for the service's own.
    """

    service = ELASTICACHE
    read_only = True

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork,
        global_datastore: IGlobalDatastore,
        replicas: int = 1,
        port: int = 6379,
        kms_key: kms.IKey | None = None,
        create_kms_key: bool = False,
        snapshots: Snapshots | None = None,
        maintenance_window: MaintenanceWindow | None = None,
        auto_minor_version_upgrade: bool = True,
        log_delivery: Sequence[LogDelivery] = (),
        notification_topic: sns.ITopic | None = None,
        subnet_group: ISubnetGroup | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        replication_group_id: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.SNAPSHOT,
        **inherited: NoReturn,
    ) -> None:
        """Define the secondary.

        Args:
            scope: Construct this one is defined in, of another Region than the primary and other secondaries.
            id: Id within the scope.
            network: Where it stands: the subnets, and the security group that it gets.
            global_datastore: What it joins. Its stack is deployed before this one's.
            replicas: Replicas of each shard, 0 to 5, whatever the primary has; at least 1 where the primary has
                automatic failover, which is every member's.
            port: Port that the nodes listen on, 1150 to 65535 without 8005. Changing it replaces the secondary.
            kms_key: Key that encrypts the data at rest, in this Region. Changing it replaces the secondary.
                Default: - a key owned by the service.
            create_kms_key: Whether a key is made for the data, with yearly rotation; it stays when the store goes.
            snapshots: Daily snapshots. Default: - none: those of the primary hold the same.
            maintenance_window: Weekly hour for AWS's own work. Default: - AWS chooses one.
            auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
            log_delivery: Logs to send, `LogDelivery.slow_log` and `LogDelivery.engine_log`. Default: - none.
            notification_topic: Topic that is told of failovers, new nodes and maintenance; of the store's own account
                and Region, and not encrypted. Default: - nobody is told.
            subnet_group: An existing subnet group. Changing it replaces the secondary.
                Default: - one over the network's subnets.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - one made by the network, that lets in its client security group and those granted.
            replication_group_id: Name of the store: 1 to 40 lower-case letters, digits and single hyphens. A named
                store cannot be replaced by CloudFormation while it exists. Default: - CloudFormation names it.
            description: Text shown in the console. Default: - the path of this construct.
            removal_policy: What happens to the store when it leaves the stack or is replaced: a final snapshot and
                deletion (SNAPSHOT), it stays (RETAIN), or it is deleted (DESTROY).
            inherited: Nothing: what the global datastore decides is refused by name.

        Raises:
            ConfigurationError: With every parameter that AWS would refuse.
            TypeError: For a parameter that no replication group has.
        """
        super().__init__(scope, id, port=port)
        topology = global_datastore.topology
        problems = Problems(self)
        _check_inherited(problems, inherited)
        problems.check_range("replicas", replicas, 0, MAX_REPLICAS, "a shard has {low} to {high} replicas")
        if replicas == 0 and global_datastore.automatic_failover:
            reason = "the primary has automatic failover, which every member takes from it and needs a replica for"
            problems.add("replicas", replicas, reason, "have one at least")
        check_port(problems, port)
        check_windows(problems, snapshots or Snapshots.off(), maintenance_window)
        check_name(problems, "replication_group_id", replication_group_id, max_length=_MAX_NAME)
        check_key(problems, self, kms_key, create_kms_key)
        check_topic(problems, self, notification_topic)
        check_log_delivery(problems, log_delivery, engine=topology.engine)
        problems.raise_if_any()

        self.network = network
        self.open_access = global_datastore.open_access
        self._global_datastore = global_datastore
        self.topology = Topology(
            topology.engine,
            topology.cluster_mode,
            topology.shards,
            replicas,
            tls=topology.tls,
            plaintext=topology.plaintext,
        )
        self.subnet_group: ISubnetGroup = subnet_group or ElastiCacheSubnetGroup(self, "Subnets", network=network)
        self.user_group: ElastiCacheUserGroup | None = (
            None if self.open_access else ElastiCacheUserGroup(self, "UserGroup", engine=topology.engine)
        )
        if self.user_group is not None:
            self.users = self.user_group.users
        self.kms_key = choose_key(self, kms_key, create_kms_key=create_kms_key)
        self._use_security_groups(
            security_groups or [network.create_store_security_group(self, "SecurityGroup", port=port)]
        )
        self.resource = self._create(
            snapshots=snapshots,
            maintenance_window=maintenance_window,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            log_delivery=log_delivery,
            notification_topic=notification_topic,
            replication_group_id=replication_group_id,
            description=description,
        )
        self.resource.apply_removal_policy(removal_policy)
        self.store_name = self.resource.ref
        self.store_arn = self.service.store_arn(self, self.store_name)
        cluster_mode = self.topology.cluster_mode
        self.endpoint = self._endpoint("configuration_end_point" if cluster_mode else "primary_end_point")
        self.reader_endpoint = None if cluster_mode else self._endpoint("reader_end_point")

    def _create(
        self,
        *,
        snapshots: Snapshots | None,
        maintenance_window: MaintenanceWindow | None,
        auto_minor_version_upgrade: bool,
        log_delivery: Sequence[LogDelivery],
        notification_topic: sns.ITopic | None,
        replication_group_id: str | None,
        description: str | None,
    ) -> elasticache.CfnReplicationGroup:
        from aws_cdk import aws_elasticache as elasticache

        failover = self._global_datastore.automatic_failover
        return define(
            elasticache.CfnReplicationGroup,
            self,
            "Resource",
            global_replication_group_id=self._global_datastore.join(self),
            replication_group_id=replication_group_id,
            replication_group_description=description or self.node.path,
            replicas_per_node_group=self.topology.replicas,
            # Said as the primary says it, and not left to CloudFormation's handler, which would turn it on.
            automatic_failover_enabled=failover,
            multi_az_enabled=failover and self.topology.replicas != 0,
            port=self._port,
            cache_subnet_group_name=self.subnet_group.subnet_group_name,
            security_group_ids=[group.security_group_id for group in self.security_groups],
            user_group_ids=[self.user_group.user_group_id] if self.user_group else None,
            kms_key_id=self.kms_key.key_arn if self.kms_key else None,
            snapshot_retention_limit=snapshots.retention_days if snapshots else None,
            snapshot_window=str(snapshots.window) if snapshots and snapshots.window else None,
            preferred_maintenance_window=str(maintenance_window) if maintenance_window else None,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            notification_topic_arn=notification_topic.topic_arn if notification_topic else None,
            log_delivery_configurations=[create_log_delivery(self, delivery) for delivery in log_delivery] or None,
        )

    def _endpoint(self, attribute: str) -> Endpoint:
        return Endpoint.from_attributes(
            getattr(self.resource, f"attr_{attribute}_address"), getattr(self.resource, f"attr_{attribute}_port")
        )

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        if self.user_group is None:
            reason = "its global datastore has open access, and no users"
            raise ConfigurationError(self.node.path, [problem("name", id, reason)])
        user = ElastiCacheUser(scope, id, engine=self.topology.engine, access=access, authentication=authentication)
        self.user_group.add(user)
        return user


def _check_inherited(problems: Problems, inherited: Mapping[str, object]) -> None:
    for parameter, given in inherited.items():
        if parameter not in _INHERITED:
            raise TypeError(f"SecondaryReplicationGroup() got an unexpected keyword argument {parameter!r}")
        reason = "a secondary takes it from its global datastore"
        problems.add(parameter, given, reason, "leave it out; set it on the primary, or on the GlobalDatastore")
