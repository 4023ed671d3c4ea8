"""A MemoryDB cluster: a durable store, always in cluster mode.

network = RedisNetwork(self, "Network")
ledger = MemoryDbCluster(self, "Ledger", network=network, shards=2, replicas=1)
app = ledger.add_iam_user("app", AccessString.read_write("app:*"))
ledger.grant_connect(function, user=app)
SmokeTest(self, "SmokeTest", target=ledger)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._access.engine_rules import check_rules, check_rules_of
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import value_of
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import description_of, name_by_properties
from cdk_redis._core.resource import define
from cdk_redis._core.service import MEMORYDB
from cdk_redis._core.weak_reference import require_order
from cdk_redis._memorydb.acl import OPEN_ACCESS, Acl, IAcl
from cdk_redis._memorydb.adoption import CLUSTER
from cdk_redis._memorydb.alarms import cluster_rows
from cdk_redis._memorydb.defaults import DEFAULT_ENGINE, DEFAULT_NODE_TYPE
from cdk_redis._memorydb.multi_region_cluster import check_member, check_member_parameters
from cdk_redis._memorydb.node_types import NODE_TYPES
from cdk_redis._memorydb.parameter_group import MemoryDbParameterGroup, check_parameter_group
from cdk_redis._memorydb.regions import check_zones, warn_of_region
from cdk_redis._memorydb.subnet_group import MemoryDbSubnetGroup
from cdk_redis._memorydb.user import MemoryDbUser
from cdk_redis._network.network import RedisNetwork, network_of
from cdk_redis._store.adoption import check_adopted_name, keep_as_deployed
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
from cdk_redis._store.final_snapshot import DEFAULT_POLICY, apply_removal_policy
from cdk_redis._store.imported_store import ImportedStore
from cdk_redis._store.parameter_groups import MEMORYDB as SERVICE
from cdk_redis._store.parameter_groups import IParameterGroup
from cdk_redis._store.resources import (
    MAX_STORE_NAME,
    check_addresses,
    check_import,
    check_same_place,
    check_security_groups,
    check_store_name,
    check_subnet_group,
)
from cdk_redis._store.restored_data import check_restored_data
from cdk_redis._store.store import Store
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
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_memorydb as memorydb
    from aws_cdk import aws_sns as sns

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.authentication import Authentication
    from cdk_redis._access.users import User
    from cdk_redis._memorydb.multi_region_cluster import IMultiRegionCluster
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._store.alarm_table import AlarmRow
    from cdk_redis._store.interface import IStore
    from cdk_redis._values.existing_resource import ExistingResource
    from cdk_redis._values.preset import Preset

# A change of any of these replaces the cluster, which then needs a new name.
_REPLACING = (
    "data_tiering",
    "kms_key_id",
    "multi_region_cluster_name",
    "network_type",
    "port",
    "snapshot_arns",
    "snapshot_name",
    "subnet_group_name",
    "tls_enabled",
)
_NAMED_BY_HAND = "@cdk-redis:namedCluster"


class MemoryDbCluster(Store):
    """A MemoryDB cluster.

    Defines one ``AWS::MemoryDB::Cluster`` with a subnet group, a security group, a parameter group and an access
    control list (ACL); you can give existing ones instead. TLS, encryption at rest and snapshots are on. Only the users
    that you add can connect.

    A change of `shards`, `replicas`, `node_type`, `parameters`, users, `snapshots`, `ip_discovery` or a window updates
    the cluster in place. A change of `network`, `subnet_group`, `port`, `kms_key`, `create_kms_key`, `network_type`,
    `restore`, `multi_region`, `unsafe_plaintext` or `cluster_name`, or between a node type with data tiering and one
    without, **replaces** the cluster: CloudFormation creates an empty one under a new generated name, and deletes the
    old one after a final snapshot.

    The first cluster of an account needs a service-linked role, see `MemoryDbServiceLinkedRole`. MemoryDB is available
    in some Regions, and in some of these not in every zone, see `RedisNetwork(zone_ids=...)`. MemoryDB has no log
    delivery and no auto scaling. CloudFormation returns only the cluster endpoint; clients get the endpoints of the
    nodes from the cluster.

    Tag it with ``cdk.Tags.of(cluster)``.

    Attributes:
        resource: The L1 construct, for properties that this construct does not have.
        cluster_name: Name of the cluster; the same as `store_name`.
        cluster_arn: ARN of the cluster; the same as `store_arn`.
        subnet_group: Its subnet group.
        parameter_group: Its parameter group; None for a member of a Multi-Region cluster, which has its own.
        acl: Its access control list; None with open access.
        node_type: Type of its nodes.
        kms_key: Key that encrypts its data at rest, given or created; None for a key that AWS owns.
        multi_region: The Multi-Region cluster that it is a member of; None if it is not.
    """

    service = MEMORYDB

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
        node_type: NodeType | ec2.InstanceType | str | None = None,
        shards: int | None = None,
        replicas: int = 1,
        port: int = 6379,
        kms_key: kms.IKey | None = None,
        create_kms_key: bool = False,
        secret_kms_key: kms.IKey | None = None,
        parameters: Mapping[str, str] | None = None,
        extra_parameters: Mapping[str, str] | None = None,
        parameter_group: IParameterGroup | None = None,
        acl: IAcl | None = None,
        snapshots: Snapshots | str | int | None = None,
        restore: Restore | str | None = None,
        maintenance_window: MaintenanceWindow | str | None = None,
        notification_topic: sns.ITopic | None = None,
        auto_minor_version_upgrade: bool = True,
        network_type: NetworkType | str = NetworkType.IPV4,
        ip_discovery: IpDiscovery | str | None = None,
        subnet_group: ISubnetGroup | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        multi_region: IMultiRegionCluster | None = None,
        cluster_name: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy | str = DEFAULT_POLICY,
        adopt: ExistingResource | None = None,
        preset: Preset | None = None,  # noqa: ARG002 - `checked_arguments` reads it
        unsafe_open_access: bool = False,
        unsafe_plaintext: bool = False,
    ) -> None:
        """Define the cluster.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: The network whose subnets it is placed in, and which gives it its security group. Set `network` or
                `vpc`.
            vpc: An existing VPC to place the cluster in, in place of `network`. A `RedisNetwork` is defined for it,
                with the id "Network". Changing it replaces the cluster.
            vpc_subnets: Subnets of `vpc`; public ones are refused. Default: - the isolated subnets if it has any, else
                the private ones with egress.
            engine: Engine and version, such as ``"valkey:7.3"``. A newer version is installed in place, and so is
                Valkey over Redis OSS; AWS refuses a downgrade. Default: - ``"valkey:7.3"``.
            node_type: Size of each node, such as ``db.r7g.large``; ``r6gd`` types use data tiering. `NodeType.of`
                accepts one that is newer than this library. Default: - ``db.t4g.small``, or that of `multi_region`.
            shards: Number of shards, 1 to 500. Default: - 1, or that of `multi_region`.
            replicas: Replicas of each shard, 0 to 5. Data is durable without replicas; with one or more, the cluster
                stays available when a node or a zone fails.
            port: Port that the nodes listen on, 1150 to 65535 without 8005. Changing it replaces the cluster.
            kms_key: Key that encrypts the data at rest, in the cluster's Region. Changing it replaces the cluster.
                Default: - a key owned by the service.
            create_kms_key: Whether to create a key for the data, with yearly rotation; the key is retained when the
                cluster is deleted. Changing it replaces the cluster.
            secret_kms_key: Key that encrypts the secrets generated for users of the store.
                Changing it encrypts the secrets again, without new passwords. Default: - the key
                ``aws/secretsmanager``.
            parameters: Engine settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Their names and values are checked against the family. Default: - the family's.
            extra_parameters: Engine settings whose names or values this library does not know, passed on unchecked.
            parameter_group: An existing parameter group, in place of `parameters`.
                Default: - one created from the parameters.
            acl: An existing access control list; users that you add to the cluster become its members. An import of
                MemoryDB's list ``open-access`` needs `unsafe_open_access`. Default: - the cluster creates one.
            snapshots: Daily snapshots; a number is the days that each is kept. Default: - kept for 7 days, taken at an
                hour that AWS chooses.
            restore: Data that the cluster is created with: the name of a snapshot, or files in S3. Adding or changing
                it later replaces the cluster. Default: - the cluster is empty.
            maintenance_window: Weekly time for AWS's maintenance, such as ``"sun:05:00-sun:06:00"`` in UTC.
                Default: - AWS chooses one.
            notification_topic: Topic that receives failovers, new nodes and maintenance; in the cluster's account and
                Region. AWS does not document that an encrypted topic works. Default: - none.
            auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
            network_type: IP versions of the nodes; the subnets must support them. Changing it replaces the cluster.
            ip_discovery: IP version of the node addresses that clients discover. Default: - IPv4, or IPv6 if the
                nodes have only IPv6 addresses.
            subnet_group: An existing subnet group. Changing it replaces the cluster.
                Default: - one over the network's subnets.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - one created by the network, which allows its client security group and all grantees.
            multi_region: The Multi-Region cluster that this one is a member of. It sets `engine`, `node_type`,
                `shards`, TLS and parameters of all members: leave these out here. Changing it replaces the cluster.
                Default: - it is not a member of any.
            cluster_name: Name of the cluster: 1 to 40 lower-case letters, digits and single hyphens. CloudFormation
                cannot replace a cluster with a name that you give. Default: - generated from the path of this
                construct and the properties that force a replacement.
            description: Text shown in the console. Default: - the path of this construct.
            removal_policy: What happens to the cluster when it leaves the stack or is replaced: a final snapshot and
                deletion (SNAPSHOT), it stays (RETAIN), or it is lost (DESTROY).
            adopt: The store that exists and that this construct takes over, with its data, see `ExistingResource`.
                Adding, changing or removing it later replaces the cluster. Default: - a new cluster is created.
            preset: Values for parameters that are left out, such as ``Preset.prod()``. Default: - the preset of the
                nearest scope that has one, see `Preset.use_in`; without one, the defaults of these parameters.
            unsafe_open_access: Whether anyone on the network can connect without signing in, with the service's ACL
                ``open-access``. Such a cluster has no users.
            unsafe_plaintext: Whether the cluster has no TLS. MemoryDB has no users without TLS: set
                `unsafe_open_access` as well. Changing it replaces the cluster.

        Raises:
            ConfigurationError: With every parameter that AWS would refuse, and with each that would replace the cluster
                that exists.
        """
        super().__init__(scope, id, port=port)
        from aws_cdk import aws_memorydb as memorydb

        problems = Problems(self)
        engine = value_of(problems, "engine", engine, Engine)
        node_type = value_of(problems, "node_type", node_type, NodeType)
        snapshots = value_of(problems, "snapshots", snapshots, Snapshots) or Snapshots.daily()
        restore = value_of(problems, "restore", restore, Restore)
        maintenance_window = value_of(problems, "maintenance_window", maintenance_window, MaintenanceWindow)
        network_type = value_of(problems, "network_type", network_type, NetworkType) or NetworkType.IPV4
        ip_discovery = value_of(problems, "ip_discovery", ip_discovery, IpDiscovery)
        removal_policy = value_of(problems, "removal_policy", removal_policy, cdk.RemovalPolicy) or DEFAULT_POLICY
        network = network_of(self, problems, network, vpc, vpc_subnets)
        if multi_region is not None:
            check_member(problems, multi_region, engine, node_type, shards, unsafe_plaintext)
            check_member_parameters(problems, parameters, extra_parameters, parameter_group)
            engine, node_type, shards = multi_region.engine, multi_region.node_type, multi_region.shards
        engine, node_type = engine or DEFAULT_ENGINE, node_type or NodeType(DEFAULT_NODE_TYPE)
        shards = 1 if shards is None else shards
        problems.note(engine.check_memorydb())
        check_topology(problems, shards, replicas)
        check_node_type(problems, node_type, NODE_TYPES, engine)
        check_port(problems, port)
        check_windows(problems, snapshots, maintenance_window)
        check_keys(problems, self, kms_key, create_kms_key, secret_kms_key)
        check_topic(problems, self, notification_topic)
        check_network_type(problems, network_type, engine=engine, node_type=node_type)
        check_dual_stack(problems, network_type, ip_discovery, network, subnet_group)
        check_zones(problems, network, subnet_group)
        check_addresses(problems, network, subnet_group, shards, replicas, network_type)
        check_subnet_group(problems, self, subnet_group, service=SERVICE)
        check_security_groups(problems, self, security_groups, network)
        check_same_place(problems, self, parameter_group=parameter_group, acl=acl)
        check_restored_data(problems, self, restore)
        if multi_region is None:
            check_parameter_group(problems, parameters, extra_parameters, parameter_group, engine, node_type)
        check_store_name(problems, "cluster_name", cluster_name, scope=self, kind="cluster")
        check_adopted_name(problems, "cluster_name", cluster_name, adopt)
        _check_access(problems, acl, unsafe_open_access, unsafe_plaintext)
        check_rules_of(problems, acl.users if acl else (), engine)
        problems.raise_if_any()

        self.network = network
        self._secret_kms_key = secret_kms_key
        self.node_type = node_type
        self.open_access = unsafe_open_access
        self.multi_region = multi_region
        # Keys of Multi-Region clusters cannot have a time to live.
        self.keys_expire = multi_region is None
        self.topology = Topology(engine, True, shards, replicas, tls=not unsafe_plaintext, plaintext=unsafe_plaintext)
        self.parameter_group = parameter_group
        # If the engine is a token, its family is unknown: without parameters, MemoryDB's default group is used.
        if (
            parameter_group is None
            and multi_region is None
            and (engine.memorydb_family or parameters or extra_parameters)
        ):
            self.parameter_group = MemoryDbParameterGroup(
                self, "Parameters", engine=engine, parameters=parameters, extra_parameters=extra_parameters
            )
        self.parameters = dict(getattr(self.parameter_group, "parameters", {}))
        self.subnet_group: ISubnetGroup = subnet_group or MemoryDbSubnetGroup(self, "Subnets", network=network)
        self.acl: IAcl | None = None if unsafe_open_access else acl or Acl(self, "Acl")
        if isinstance(self.acl, Acl):
            require_order(self, "acl", self.acl)
        if self.acl is not None:
            # The same list object, because clusters that share an ACL share its users.
            self.users = self.acl.users
        self.kms_key = choose_key(self, kms_key, create_kms_key=create_kms_key)
        self._use_security_groups(
            security_groups or [network.create_store_security_group(self, "SecurityGroup", port=port)]
        )
        alone = multi_region is None
        self.resource: memorydb.CfnCluster = define(
            memorydb.CfnCluster,
            self,
            "Resource",
            cluster_name=cluster_name or "",
            description=description or description_of(self.node.path),
            multi_region_cluster_name=multi_region.multi_region_cluster_name if multi_region else None,
            # The Multi-Region cluster sets these for its members, and scales them.
            engine=engine.name if alone else None,
            engine_version=engine.version if alone else None,
            num_shards=shards if alone else None,
            parameter_group_name=self.parameter_group.parameter_group_name if self.parameter_group else None,
            tls_enabled=not unsafe_plaintext if alone else None,
            node_type=node_type.name_in("db"),
            num_replicas_per_shard=replicas,
            port=port,
            subnet_group_name=self.subnet_group.subnet_group_name,
            security_group_ids=[group.security_group_id for group in self.security_groups],
            acl_name=self.acl.acl_name if self.acl else OPEN_ACCESS,
            kms_key_id=self.kms_key.key_arn if self.kms_key else None,
            # Text, not a boolean. This and the next two properties are left out if they have the default value, because
            # cfn-lint rejects every value of them (E3012): the schema declares them as objects.
            data_tiering="true" if node_type.data_tiering else None,
            network_type=network_type.value if network_type is not NetworkType.IPV4 else None,
            ip_discovery=ip_discovery.value if ip_discovery else None,
            snapshot_name=restore.snapshot_name if restore else None,
            snapshot_arns=list(restore.object_arns) or None if restore else None,
            snapshot_retention_limit=snapshots.retention_days,
            snapshot_window=str(snapshots.window) if snapshots.window else None,
            maintenance_window=str(maintenance_window) if maintenance_window else None,
            sns_topic_arn=notification_topic.topic_arn if notification_topic else None,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
        )
        if cluster_name is None:
            # References to a VPC and to a Multi-Region cluster stay the same when these are replaced.
            also = (network.vpc.vpc_id, multi_region.identity if multi_region else None)
            self.resource.cluster_name = name_by_properties(self.resource, _REPLACING, *also, max_length=MAX_STORE_NAME)
        apply_removal_policy(self, self.resource, self.resource.cluster_name, removal_policy, vpc=network.vpc)
        keep_as_deployed(self, self.resource, adopt, CLUSTER)
        self.cluster_name = self.store_name = self.resource.ref
        self.cluster_arn = self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = self._endpoint()
        warn_of_region(self, multi_region=not alone)
        use_alarms_of_preset(self)
        warn_of_unsafe(self)
        inform_of_quota(self)
        if cluster_name is not None and adopt is None:
            warn_of_name(self, "cluster_name", _NAMED_BY_HAND)

    def _alarm_rows(self) -> Sequence[AlarmRow]:
        return cluster_rows(self.topology, self.node_type)

    def _endpoint(self) -> Endpoint:
        # The attribute is a number, but outputs and environment variables take text. CloudFormation converts it, but
        # linters that know the type reject it there. They do not look inside Fn::Select.
        port = self.resource.get_att("ClusterEndpoint.Port").to_string()
        return Endpoint.from_attributes(
            self.resource.attr_cluster_endpoint_address, cdk.Fn.select(0, [port, str(self._port)])
        )

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        if self.acl is None:
            hint = "leave `unsafe_open_access` out"
            raise ConfigurationError(
                self.node.path, [problem("name", id, "a cluster with open access has no users", hint)]
            )
        if authentication.kind == "iam" and not self.topology.engine.supports_iam:
            reason = f"{self.topology.engine} has no IAM users"
            raise ConfigurationError(self.node.path, [problem("name", id, reason, "use `add_password_user`")])
        problems = Problems(self)
        check_rules(problems, "access", access, self.topology.engine)
        problems.raise_if_any()
        user = MemoryDbUser(scope, id, access=access, authentication=authentication)
        self.acl.add(user)
        return user

    @classmethod
    @checked_arguments
    def from_cluster_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        cluster_name: str,
        endpoint: Endpoint,
        security_groups: Sequence[ec2.ISecurityGroup],
        engine: Engine | str | None = None,
        shards: int = 1,
        replicas: int = 1,
        users: Sequence[User] = (),
        network: RedisNetwork | None = None,
        unsafe_open_access: bool = False,
        unsafe_plaintext: bool = False,
    ) -> IStore:
        """Import a cluster that another app owns, to connect to it and to smoke-test it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            cluster_name: Its name.
            endpoint: Its cluster endpoint.
            security_groups: Its security groups, to which rules are added.
            engine: Its engine and version. Default: - ``"valkey:7.3"``.
            shards: Number of shards.
            replicas: Replicas of each shard.
            users: Its users, see `MemoryDbUser.from_user_attributes`.
            network: The network whose subnets it is placed in; a smoke test needs it.
            unsafe_open_access: Whether anyone on the network can connect without signing in.
            unsafe_plaintext: Whether it has no TLS; set `unsafe_open_access` as well.

        Raises:
            ConfigurationError: If a value is invalid, or MemoryDB does not support the combination.
        """
        problems = Problems(f"{scope.node.path}/{id}")
        engine = value_of(problems, "engine", engine, Engine) or DEFAULT_ENGINE
        check_topology(problems, shards, replicas)
        _check_access(problems, None, unsafe_open_access, unsafe_plaintext)
        check_import(problems, scope, "cluster_name", cluster_name, network=network, security_groups=security_groups)
        problems.raise_if_any()
        topology = Topology(engine, True, shards, replicas, tls=not unsafe_plaintext, plaintext=unsafe_plaintext)
        return ImportedStore(
            scope,
            id,
            service=cls.service,
            store_name=cluster_name,
            endpoint=endpoint,
            reader_endpoint=None,
            topology=topology,
            alarm_rows=cluster_rows(topology, None),
            security_groups=security_groups,
            users=users,
            network=network,
            open_access=unsafe_open_access,
        )


def _check_access(problems: Problems, acl: IAcl | None, open_access: bool, plaintext: bool) -> None:
    if acl is not None and acl.acl_name == OPEN_ACCESS:
        if not open_access:
            reason = "with this list, anyone on the network can connect without signing in"
            problems.add("acl", acl.acl_name, reason, "give another list, or set `unsafe_open_access` as well")
    elif acl is not None and open_access:
        problems.add("acl", acl.acl_name, "a cluster with open access has no users", "leave out one of the two")
    if plaintext and not open_access:
        reason = "MemoryDB has no users without TLS: everyone can connect"
        problems.add("unsafe_plaintext", True, reason, "set `unsafe_open_access` as well")
