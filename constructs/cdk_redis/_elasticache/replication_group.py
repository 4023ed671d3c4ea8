"""An ElastiCache replication group: Valkey or Redis OSS, with cluster mode or without.

network = RedisNetwork(self, "Network")
cache = ReplicationGroup(self, "Cache", network=network, shards=3, replicas=1)
app = cache.add_iam_user("app", AccessString.read_write("app:*"))
cache.grant_connect(function, user=app)
SmokeTest(self, "SmokeTest", target=cache)
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.authentication import Authentication, with_key
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import list_of, value_of
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import description_of
from cdk_redis._core.resource import define
from cdk_redis._core.service import ELASTICACHE
from cdk_redis._core.tokens import is_token
from cdk_redis._elasticache.adoption import check_unencrypted, keep_number_of_nodes
from cdk_redis._elasticache.adoption import replication_group as fixed_properties
from cdk_redis._elasticache.alarms import node_rows
from cdk_redis._elasticache.auth_token import AuthToken
from cdk_redis._elasticache.checks import (
    can_move_to_cluster_mode,
    check_access,
    check_cluster_mode_compatible,
    check_restore,
    check_unsafe,
)
from cdk_redis._elasticache.durability import Durability, check_durability
from cdk_redis._elasticache.findings import acknowledge_group
from cdk_redis._elasticache.log_delivery import (
    LogDelivery,
    check_log_delivery,
    create_log_groups,
    log_delivery_configurations,
)
from cdk_redis._elasticache.node_types import NODE_TYPES
from cdk_redis._elasticache.parameter_group import ElastiCacheParameterGroup, check_parameter_group
from cdk_redis._elasticache.placement import check_placement, node_group_configuration
from cdk_redis._elasticache.scaling import ReplicaScaling, ShardScaling, check_scaling
from cdk_redis._elasticache.store import DEFAULT_ENGINE, DEFAULT_NODE_TYPE, ElastiCacheStore, endpoint_of
from cdk_redis._elasticache.subnet_group import ElastiCacheSubnetGroup
from cdk_redis._elasticache.transit_encryption import TransitEncryptionMode, check_transit_encryption
from cdk_redis._elasticache.user_group import ElastiCacheUserGroup
from cdk_redis._network.network import RedisNetwork, network_of
from cdk_redis._store.adoption import keep_as_deployed
from cdk_redis._store.alarms_of_preset import use_alarms_of_preset
from cdk_redis._store.checks import (
    check_dual_stack,
    check_keys,
    check_node_type,
    check_port,
    check_topic,
    check_topology,
    check_windows,
)
from cdk_redis._store.encryption_key import choose_key
from cdk_redis._store.final_snapshot import DEFAULT_POLICY
from cdk_redis._store.imported_store import ImportedStore
from cdk_redis._store.parameter_groups import ELASTICACHE as SERVICE
from cdk_redis._store.resources import (
    check_addresses,
    check_import,
    check_same_place,
    check_security_groups,
    check_store_name,
    check_subnet_group,
)
from cdk_redis._store.restored_data import check_restored_data
from cdk_redis._store.warnings import inform_of_quota, warn_of_name, warn_of_unsafe
from cdk_redis._values.endpoint import Endpoint
from cdk_redis._values.engine import Engine
from cdk_redis._values.network_type import IpDiscovery, NetworkType, check_network_type
from cdk_redis._values.node_type import NodeType
from cdk_redis._values.restore import Restore
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.topology import Topology
from cdk_redis._values.windows import MaintenanceWindow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager
    from aws_cdk import aws_sns as sns

    from cdk_redis._access.users import User
    from cdk_redis._elasticache.placement import ShardPlacement
    from cdk_redis._elasticache.user_group import IUserGroup
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._store.alarm_table import AlarmRow
    from cdk_redis._store.interface import IStore
    from cdk_redis._store.parameter_groups import IParameterGroup
    from cdk_redis._values.existing_resource import ExistingResource
    from cdk_redis._values.preset import Preset

_NAMED_BY_HAND = "@cdk-redis:namedReplicationGroup"


class ReplicationGroup(ElastiCacheStore):
    """An ElastiCache replication group.

    Defines one ``AWS::ElastiCache::ReplicationGroup`` with a subnet group, a security group, a parameter group and a
    user group; you can give existing ones instead. TLS, encryption at rest and snapshots are on, and, with one replica
    or more, automatic failover over several zones. Only the users that you add can connect.

    A change of `shards` (from a number to another), `replicas`, `node_type`, `parameters`, users, logs, `snapshots` or
    a window updates the store in place. A change of `network_type`, `subnet_group`, `port`, `kms_key`, `restore` or
    `replication_group_id` **replaces** it: CloudFormation creates an empty one, and deletes the old one after a final
    snapshot. ``docs/replaces.md`` lists all. Change the number of shards in a separate deployment.

    Attributes:
        resource: The L1 construct, for properties that this construct does not have.
        replication_group_id: Name of the store; the same as `store_name`.
        replication_group_arn: ARN of the store; the same as `store_arn`.
        subnet_group: Its subnet group.
        parameter_group: Its parameter group.
        user_group: Its user group; None for a store with an AUTH token or with open access.
        node_type: Type of its nodes.
        kms_key: Key that encrypts its data at rest, given or created; None for a key that AWS owns.
        log_groups: Log groups that `log_delivery` sends to, given or created, by ``"slow-log"`` and ``"engine-log"``.
    """

    service = ELASTICACHE

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        engine: Engine | str | None = None,
        node_type: NodeType | ec2.InstanceType | str = DEFAULT_NODE_TYPE,
        shards: int | None = None,
        replicas: int = 1,
        port: int = 6379,
        kms_key: kms.IKey | None = None,
        create_kms_key: bool = False,
        secret_kms_key: kms.IKey | None = None,
        parameters: Mapping[str, str] | None = None,
        extra_parameters: Mapping[str, str] | None = None,
        parameter_group: IParameterGroup | None = None,
        user_group: IUserGroup | None = None,
        snapshots: Snapshots | str | int | None = None,
        maintenance_window: MaintenanceWindow | str | None = None,
        auto_minor_version_upgrade: bool = True,
        authentication: Authentication | str | None = None,
        log_delivery: Sequence[LogDelivery] = (),
        notification_topic: sns.ITopic | None = None,
        subnet_group: ISubnetGroup | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        network_type: NetworkType | str = NetworkType.IPV4,
        ip_discovery: IpDiscovery | str | None = None,
        placement: Sequence[ShardPlacement] | None = None,
        restore: Restore | str | None = None,
        durability: Durability | str | None = None,
        cluster_mode_compatible: bool = False,
        transit_encryption_mode: TransitEncryptionMode | str | None = None,
        replication_group_id: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy | str = DEFAULT_POLICY,
        adopt: ExistingResource | None = None,
        preset: Preset | None = None,  # noqa: ARG002 - `checked_arguments` reads it
        unsafe_open_access: bool = False,
        unsafe_plaintext: bool = False,
        unsafe_unencrypted_at_rest: bool = False,
    ) -> None:
        """Define the replication group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: The network whose subnets it is placed in, and which gives it its security group. Set `network` or
                `vpc`.
            vpc: An existing VPC to place the store in, in place of `network`. A `RedisNetwork` is defined for it, with
                the id "Network". Changing it replaces the store.
            vpc_subnets: Subnets of `vpc`; public ones are rejected. Default: - the isolated subnets if it has any, else
                the private ones with egress.
            engine: Engine and version, such as ``"valkey:8.1"``. Upgrades to a newer version, and from Redis OSS to
                Valkey, are in place; AWS rejects a downgrade. Default: - ``"valkey:8.1"``.
            node_type: Size of each node, such as ``cache.r7g.large``; ``r6gd`` types use data tiering. `NodeType.of`
                accepts one that is newer than this library.
            shards: Number of shards, 1 to 500. Any number, even 1, turns cluster mode on: keys are distributed over
                the shards, which can be added and removed in place. Default: - cluster mode is off: one shard, with a
                primary and a reader endpoint.
            replicas: Replicas of each shard, 0 to 5. With one or more, automatic failover and placement over
                several zones are on.
            port: Port that the nodes listen on, 1150 to 65535 without 8005. Changing it replaces the store.
            kms_key: Key that encrypts the data at rest, in the store's Region. Changing it replaces the store.
                Default: - a key owned by the service.
            create_kms_key: Whether to create a key for the data, with yearly rotation; it is retained when the store is
                deleted. Changing it replaces the store.
            secret_kms_key: Key that encrypts the secrets generated for users of the store, the disabled default
                user of Redis OSS included.
                Changing it encrypts the secrets again, without new passwords. Default: - the key
                ``aws/secretsmanager``.
            parameters: Engine settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Their names and values are checked against the family. Default: - the family's.
            extra_parameters: Engine settings whose names or values this library does not know, passed on unchecked.
            parameter_group: An existing parameter group, in place of `parameters`; with ``cluster-enabled`` if `shards`
                is given. Default: - a new one with the parameters.
            user_group: An existing user group; users that you add to the store become its members.
                Default: - the store creates one.
            snapshots: Daily snapshots; a number is the days that each is kept. Default: - kept for 7 days, taken at a
                time that AWS chooses.
            maintenance_window: Weekly time for AWS's maintenance, such as ``"sun:05:00-sun:06:00"`` in UTC.
                Default: - AWS chooses one.
            auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
            authentication: ``Authentication.auth_token()`` for one password in place of users, see `auth_token`.
                Changing between the two can replace the store. Default: - users, see `add_iam_user` and
                `add_password_user`.
            log_delivery: Logs to send, `LogDelivery.slow_log` and `LogDelivery.engine_log`. Default: - none.
            notification_topic: Topic that receives failovers, new nodes and maintenance; in the store's account and
                Region, and not encrypted. Default: - none.
            subnet_group: An existing subnet group. Changing it replaces the store.
                Default: - a new one with the network's subnets.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - a new one that allows connections from the network's client security group and from grantees.
            network_type: IP versions of the nodes; the subnets must support them. Changing it replaces the store.
            ip_discovery: IP version of the node addresses that clients discover. Default: - IPv4; IPv6 if
                `network_type` is IPv6.
            placement: Zones of each shard's nodes, one `ShardPlacement` a shard. Default: - AWS distributes the nodes
                over zones. Adding, changing or removing it can replace the store, and a store with `placement` has no
                auto scaling: leave it out unless you need certain zones.
            restore: Data that the store is created with: the name of a snapshot, or files in S3. Adding or changing it
                later replaces the store. Default: - the store is empty.
            durability: Whether writes survive the loss of the nodes: Valkey 9.0 in cluster mode. Cannot be turned on
                or off later. Default: - AWS decides; at present it is off.
            cluster_mode_compatible: First step of the move to cluster mode, while `shards` is left out: clients can
                use cluster mode or not. Once all clients use it, leave this out and give ``shards=1``, in a second
                deployment. AWS offers no way back.
            transit_encryption_mode: For the move from plaintext to TLS, `PREFERRED` and then `REQUIRED` in a second
                deployment. Default: - clients must use TLS.
            replication_group_id: Name of the store: 1 to 40 lower-case letters, digits and single hyphens.
                Changing it replaces the store. CloudFormation cannot replace a store with a name that you set.
                Default: - CloudFormation chooses one.
            description: Text shown in the console. Default: - the path of this construct.
            removal_policy: What happens to the store when it leaves the stack or is replaced: it is deleted after a
                final snapshot (SNAPSHOT), kept (RETAIN), or deleted with all data (DESTROY).
            adopt: The store that exists and that this construct takes over, with its data, see `ExistingResource`.
                Adding, changing or removing it later replaces the store. Default: - a new store is created.
            preset: Values for parameters that are left out, such as ``Preset.prod()``. Default: - the preset of the
                nearest scope that has one, see `Preset.use_in`; without one, the defaults of these parameters.
            unsafe_open_access: Whether anyone on the network can connect without signing in. Such a store has no users.
            unsafe_plaintext: Whether the store has no TLS. ElastiCache has neither users nor an AUTH token without TLS:
                set `unsafe_open_access` as well.
            unsafe_unencrypted_at_rest: Whether the data of a store that exists is not encrypted at rest; for `adopt`
                only. Changing it replaces the store.

        Raises:
            ConfigurationError: With every parameter that AWS would reject, and with each that would replace the store
                that exists.
        """
        super().__init__(scope, id, port=port)
        from aws_cdk import aws_elasticache as elasticache

        problems = Problems(self)
        engine = value_of(problems, "engine", engine, Engine) or DEFAULT_ENGINE
        node_type = value_of(problems, "node_type", node_type, NodeType) or NodeType(DEFAULT_NODE_TYPE)
        snapshots = value_of(problems, "snapshots", snapshots, Snapshots) or Snapshots.daily()
        log_delivery = list_of(problems, "log_delivery", log_delivery, LogDelivery)
        maintenance_window = value_of(problems, "maintenance_window", maintenance_window, MaintenanceWindow)
        network_type = value_of(problems, "network_type", network_type, NetworkType) or NetworkType.IPV4
        ip_discovery = value_of(problems, "ip_discovery", ip_discovery, IpDiscovery)
        authentication = value_of(problems, "authentication", authentication, Authentication)
        restore = value_of(problems, "restore", restore, Restore)
        removal_policy = value_of(problems, "removal_policy", removal_policy, cdk.RemovalPolicy) or DEFAULT_POLICY
        durability = value_of(problems, "durability", durability, Durability)
        mode = value_of(problems, "transit_encryption_mode", transit_encryption_mode, TransitEncryptionMode)
        network = network_of(self, problems, network, vpc, vpc_subnets)
        cluster_mode, shard_count = shards is not None, 1 if shards is None else shards
        in_cluster_group = cluster_mode or cluster_mode_compatible
        problems.note(engine.check_elasticache())
        check_topology(problems, shard_count, replicas, engine)
        check_node_type(problems, node_type, NODE_TYPES, engine)
        check_port(problems, port)
        check_windows(problems, snapshots, maintenance_window)
        check_keys(problems, self, kms_key, create_kms_key, secret_kms_key)
        check_topic(problems, self, notification_topic)
        check_network_type(problems, network_type, engine=engine, node_type=node_type)
        check_dual_stack(problems, network_type, ip_discovery, network, subnet_group)
        check_placement(problems, placement, shard_count, replicas, None if subnet_group else network, scope=self)
        check_addresses(problems, network, subnet_group, shard_count, replicas, network_type)
        check_subnet_group(problems, self, subnet_group, service=SERVICE)
        check_security_groups(problems, self, security_groups, network)
        check_same_place(problems, self, parameter_group=parameter_group, user_group=user_group)
        check_parameter_group(
            problems, parameters, extra_parameters, parameter_group, engine, node_type, in_cluster_group
        )
        check_log_delivery(problems, log_delivery, engine=engine, scope=self)
        check_transit_encryption(problems, mode, plaintext=unsafe_plaintext, engine=engine)
        check_unsafe(problems, unsafe_open_access, unsafe_plaintext)
        check_unencrypted(problems, unsafe_unencrypted_at_rest, adopt, kms_key, create_kms_key)
        check_access(problems, authentication, user_group, unsafe_open_access, engine)
        check_durability(problems, durability, engine, node_type, cluster_mode, replicas, plaintext=unsafe_plaintext)
        check_cluster_mode_compatible(problems, cluster_mode_compatible, cluster_mode, replicas, engine)
        check_restore(problems, restore, shards)
        check_restored_data(problems, self, restore)
        check_store_name(problems, "replication_group_id", replication_group_id, scope=self, kind="replication group")
        problems.raise_if_any()

        self.network = network
        self._secret_kms_key = secret_kms_key
        self.node_type = node_type
        self.open_access = unsafe_open_access
        self._in_global_datastore = False
        self._scaled = {"shards": 0, "replicas": 0}
        self.topology = Topology(
            engine,
            cluster_mode,
            shard_count,
            replicas,
            tls=not unsafe_plaintext,
            plaintext=unsafe_plaintext or mode is TransitEncryptionMode.PREFERRED,
        )
        self.parameters = {**(parameters or {}), **(extra_parameters or {})}
        # Cluster mode cannot be turned on in a parameter group in use: the move to cluster mode needs a new group.
        self.parameter_group: IParameterGroup = parameter_group or ElastiCacheParameterGroup(
            self,
            "ClusterParameters" if in_cluster_group else "Parameters",
            engine=engine,
            cluster_mode=in_cluster_group,
            parameters=parameters,
            extra_parameters=extra_parameters,
        )
        self.subnet_group: ISubnetGroup = subnet_group or ElastiCacheSubnetGroup(self, "Subnets", network=network)
        if authentication is None and not unsafe_open_access:
            self._use_user_group(
                user_group or ElastiCacheUserGroup(self, "UserGroup", engine=engine, secret_kms_key=secret_kms_key)
            )
        token = None
        if authentication is not None:
            token = AuthToken(self, "AuthToken", authentication=with_key(authentication, secret_kms_key))
        self._use_auth_token(token)
        self.kms_key = choose_key(self, kms_key, create_kms_key=create_kms_key)
        self.log_groups = create_log_groups(self, log_delivery)
        self._use_security_groups(
            security_groups or [network.create_store_security_group(self, "SecurityGroup", port=port)]
        )
        self._is_placed = placement is not None
        node_groups = node_group_configuration(shard_count, replicas, placement, restore if cluster_mode else None)
        self.resource: elasticache.CfnReplicationGroup = define(
            elasticache.CfnReplicationGroup,
            self,
            "Resource",
            replication_group_id=replication_group_id,
            replication_group_description=description or description_of(self.node.path),
            engine=engine.name,
            engine_version=engine.version,
            cache_node_type=node_type.name_in("cache"),
            # Required for r6gd nodes, and rejected for all others.
            data_tiering_enabled=True if node_type.data_tiering else None,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            cache_parameter_group_name=self.parameter_group.parameter_group_name,
            # Not NumCacheClusters, which excludes shards and differs from the store as soon as replicas are scaled.
            num_node_groups=shard_count,
            # Not together with NodeGroupConfiguration: CloudFormation replaces a store that has both.
            replicas_per_node_group=None if node_groups else replicas,
            node_group_configuration=node_groups,
            # Always set: CloudFormation's handler turns it on by default, which fails for a single node. Cluster mode
            # requires it, whatever the number of replicas.
            automatic_failover_enabled=cluster_mode or replicas != 0,
            multi_az_enabled=replicas != 0,
            cluster_mode=_cluster_mode(engine, cluster_mode, cluster_mode_compatible),
            durability=durability.value if durability else None,
            port=port,
            cache_subnet_group_name=self.subnet_group.subnet_group_name,
            security_group_ids=[group.security_group_id for group in self.security_groups],
            # Left out where it is the default: older versions of the engines reject it.
            network_type=None if network_type is NetworkType.IPV4 else network_type.value,
            ip_discovery=ip_discovery.value if ip_discovery else None,
            user_group_ids=[self.user_group.user_group_id] if self.user_group else None,
            auth_token=token.token if token else None,
            # Always set: Valkey requires it.
            transit_encryption_enabled=not unsafe_plaintext,
            transit_encryption_mode=mode.value if mode else None,
            at_rest_encryption_enabled=not unsafe_unencrypted_at_rest,
            kms_key_id=self.kms_key.key_arn if self.kms_key else None,
            snapshot_retention_limit=snapshots.retention_days,
            snapshot_window=str(snapshots.window) if snapshots.window else None,
            snapshot_name=restore.snapshot_name if restore else None,
            snapshot_arns=list(restore.object_arns) or None if restore else None,
            preferred_maintenance_window=str(maintenance_window) if maintenance_window else None,
            notification_topic_arn=notification_topic.topic_arn if notification_topic else None,
            log_delivery_configurations=log_delivery_configurations(log_delivery, self.log_groups),
        )
        # Without it, changing the number of shards replaces the store.
        self.resource.cfn_options.update_policy = cdk.CfnUpdatePolicy(use_online_resharding=True)
        self.resource.apply_removal_policy(removal_policy)
        keep_number_of_nodes(self, self.resource, adopt, shard_count, replicas)
        keep_as_deployed(self, self.resource, adopt, fixed_properties(engine))
        # By default, CloudFormation chooses the name, so that a replacement gets a new one.
        self.replication_group_id = self.store_name = self.resource.ref
        self.replication_group_arn = self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = endpoint_of(self.resource, "configuration" if cluster_mode else "primary")
        self.reader_endpoint = None if cluster_mode else endpoint_of(self.resource, "reader")
        if token is not None:
            token.store = self
        acknowledge_group(self.resource, engine, port, has_users=self.user_group is not None)
        use_alarms_of_preset(self)
        warn_of_unsafe(self, unencrypted=unsafe_unencrypted_at_rest)
        inform_of_quota(self)
        if replication_group_id is not None and adopt is None:
            warn_of_name(self, "replication_group_id", _NAMED_BY_HAND)

    def _use_auth_token(self, token: AuthToken | None) -> None:
        if token is None:
            return
        self.auth_token = token
        self.users.append(token)
        self._why_no_users = ("a store with an AUTH token has no users", "sign in as `auth_token`")

    @checked_arguments
    def join_global_datastore(self, *, engine: Engine | None, shards: int | None) -> Topology:
        """Make this store the primary of a global datastore; `GlobalDatastore` calls this.

        Args:
            engine: New engine and version of all members; None if the store's engine does not change.
            shards: New number of shards of all members; None if the store's number does not change.

        Returns:
            The new topology, which a smoke test compares with the store.
        """
        self._in_global_datastore = True
        topology = self.topology
        self.topology = dataclasses.replace(
            topology, engine=engine or topology.engine, shards=topology.shards if shards is None else shards
        )
        return self.topology

    @checked_arguments
    def scale_shards(self, *, minimum: int, maximum: int) -> ShardScaling:
        """Scale the number of shards automatically between two bounds.

        Choose a metric, too: ``cache.scale_shards(minimum=3, maximum=10).track_memory(60)``. A deployment that changes
        the store resets the number to `shards`; scaling then continues from there.

        Args:
            minimum: Smallest number of shards, 1 or more, and no more than `shards`.
            maximum: Largest number of shards, up to 500, and no less than `shards`.

        Raises:
            ConfigurationError: If a bound is invalid, or the store cannot be scaled: without cluster mode, with
                `placement`, in a global datastore, or with an engine or a node type that auto scaling does not support.
        """
        self._check_scaling("shards", minimum, maximum)
        self._scaled["shards"] = maximum
        return ShardScaling(self, "ShardScaling", resource=self.resource, minimum=minimum, maximum=maximum)

    @checked_arguments
    def scale_replicas(self, *, minimum: int, maximum: int) -> ReplicaScaling:
        """Scale the number of replicas of each shard automatically between two bounds.

        Choose a metric, too: ``cache.scale_replicas(minimum=1, maximum=5).track_cpu(60)``. A deployment that changes
        the store resets the number to `replicas`; scaling then continues from there.

        Args:
            minimum: Smallest number of replicas, 1 or more, and no more than `replicas`.
            maximum: Largest number of replicas, up to 5, and no less than `replicas`.

        Raises:
            ConfigurationError: If a bound is invalid, or the store cannot be scaled: without cluster mode, with
                `placement`, in a global datastore, or with an engine or a node type that auto scaling does not support.
        """
        self._check_scaling("replicas", minimum, maximum)
        self._scaled["replicas"] = maximum
        return ReplicaScaling(self, "ReplicaScaling", resource=self.resource, minimum=minimum, maximum=maximum)

    def _check_scaling(self, what: str, minimum: int, maximum: int) -> None:
        if self.alarms:
            reason = f"the store has alarms already, which would not watch the {what} that scaling adds"
            raise ConfigurationError(
                self.node.path, [problem("maximum", maximum, reason, "call `add_alarms` after the scaling")]
            )
        check_scaling(
            self,
            what,
            node_type=self.node_type,
            topology=self.topology,
            minimum=minimum,
            maximum=maximum,
            placed=self._is_placed,
            in_global_datastore=self._in_global_datastore,
        )

    def _alarm_rows(self) -> Sequence[AlarmRow]:
        return node_rows(self.topology, self.node_type)

    def _most_nodes(self) -> tuple[int, int]:
        shards, replicas = super()._most_nodes()
        return max(shards, self._scaled["shards"]), max(replicas, self._scaled["replicas"])

    @property
    def cluster_mode(self) -> bool:
        """Whether cluster mode is on: keys are distributed over shards."""
        return self.topology.cluster_mode

    @property
    def primary_endpoint(self) -> Endpoint:
        """Endpoint of the primary, also after a failover; without cluster mode only.

        Raises:
            ConfigurationError: In cluster mode, which has a primary in every shard.
        """
        self._check_mode("primary_endpoint", cluster_mode=False)
        return endpoint_of(self.resource, "primary")

    @property
    def configuration_endpoint(self) -> Endpoint:
        """Endpoint where clients discover all shards; in cluster mode only.

        Raises:
            ConfigurationError: Without cluster mode.
        """
        self._check_mode("configuration_endpoint", cluster_mode=True)
        return endpoint_of(self.resource, "configuration")

    @property
    def node_endpoints(self) -> list[Endpoint]:
        """Endpoints of the primary and of each replica; without cluster mode only. A failover changes the roles.

        Raises:
            ConfigurationError: In cluster mode, where clients discover the nodes, or if `replicas` is a token.
        """
        self._check_mode("node_endpoints", cluster_mode=False)
        replicas = self.topology.replicas
        if replicas is None or is_token(replicas):
            reason = "the number of nodes must be known at synth"
            raise ConfigurationError(self.node.path, [problem("replicas", replicas, reason, "give a number")])
        addresses = self.resource.attr_read_end_point_addresses_list
        ports = self.resource.attr_read_end_point_ports_list
        return [
            Endpoint.from_attributes(cdk.Fn.select(index, addresses), cdk.Fn.select(index, ports))
            for index in range(1 + replicas)
        ]

    def _check_mode(self, attribute: str, *, cluster_mode: bool) -> None:
        # A reference to an endpoint of the other mode fails the deployment.
        if cluster_mode is not self.cluster_mode:
            mode = "on" if self.cluster_mode else "off"
            raise ConfigurationError(
                self.node.path, [problem("endpoint", attribute, f"cluster mode is {mode}", "use `endpoint`")]
            )

    @classmethod
    @checked_arguments
    def from_replication_group_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        replication_group_id: str,
        endpoint: Endpoint,
        security_groups: Sequence[ec2.ISecurityGroup],
        reader_endpoint: Endpoint | None = None,
        engine: Engine | str | None = None,
        shards: int | None = None,
        replicas: int = 1,
        users: Sequence[User] = (),
        auth_token: secretsmanager.ISecret | None = None,
        network: RedisNetwork | None = None,
        unsafe_open_access: bool = False,
        unsafe_plaintext: bool = False,
    ) -> IStore:
        """Import a replication group that another app owns, to connect to it and to smoke-test it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            replication_group_id: Its name.
            endpoint: Its configuration endpoint; its primary endpoint if cluster mode is off.
            security_groups: Its security groups, to which rules are added.
            reader_endpoint: Its reader endpoint, if cluster mode is off.
            engine: Its engine and version. Default: - ``"valkey:8.1"``.
            shards: Number of shards; None if cluster mode is off.
            replicas: Replicas of each shard.
            users: Its users, see `ElastiCacheUser.from_user_attributes`.
            auth_token: For a store with an AUTH token, the secret that contains it.
            network: The network whose subnets it is placed in; a smoke test needs it.
            unsafe_open_access: Whether anyone on the network can connect without signing in.
            unsafe_plaintext: Whether it has no TLS; set `unsafe_open_access` as well.

        Raises:
            ConfigurationError: With every parameter that is invalid for a replication group.
        """
        problems = Problems(f"{scope.node.path}/{id}")
        engine = value_of(problems, "engine", engine, Engine) or DEFAULT_ENGINE
        check_topology(problems, 1 if shards is None else shards, replicas, engine)
        check_unsafe(problems, unsafe_open_access, unsafe_plaintext)
        parameter = "replication_group_id"
        check_import(problems, scope, parameter, replication_group_id, network=network, security_groups=security_groups)
        problems.raise_if_any()
        topology = Topology(
            engine,
            shards is not None,
            1 if shards is None else shards,
            replicas,
            tls=not unsafe_plaintext,
            plaintext=unsafe_plaintext,
        )
        store = ImportedStore(
            scope,
            id,
            service=cls.service,
            store_name=replication_group_id,
            endpoint=endpoint,
            reader_endpoint=reader_endpoint,
            topology=topology,
            alarm_rows=node_rows(topology, None),
            security_groups=security_groups,
            users=users,
            network=network,
            open_access=unsafe_open_access,
        )
        if auth_token is not None:
            store.auth_token = AuthToken.from_secret(store, "AuthToken", auth_token)
            store.users.append(store.auth_token)
        return store


def _cluster_mode(engine: Engine, cluster_mode: bool, compatible: bool) -> str | None:
    """Return the ClusterMode property, or None for engines that cannot change the mode and reject the property."""
    if not can_move_to_cluster_mode(engine):
        return None
    if compatible:
        return "compatible"
    return "enabled" if cluster_mode else "disabled"
