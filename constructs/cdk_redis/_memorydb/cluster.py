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

from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.service import MEMORYDB
from cdk_redis._memorydb.acl import OPEN_ACCESS, Acl, IAcl
from cdk_redis._memorydb.cluster_checks import check_cluster, warn_of_region
from cdk_redis._memorydb.multi_region_cluster import warn_of_region as warn_of_multi_region
from cdk_redis._memorydb.parameter_group import MemoryDbParameterGroup
from cdk_redis._memorydb.subnet_group import MemoryDbSubnetGroup
from cdk_redis._memorydb.user import MemoryDbUser
from cdk_redis._store.checks import (
    check_dual_stack,
    check_key,
    check_node_type,
    check_parameters,
    check_port,
    check_topic,
    check_topology,
    check_windows,
)
from cdk_redis._store.final_snapshot import apply_removal_policy
from cdk_redis._store.imported_store import ImportedStore
from cdk_redis._store.parameter_groups import IParameterGroup
from cdk_redis._store.store import Store
from cdk_redis._values.endpoint import Endpoint
from cdk_redis._values.engine import Engine
from cdk_redis._values.network_type import IpDiscovery, NetworkType
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.topology import Topology

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
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._values.restore import Restore
    from cdk_redis._values.windows import MaintenanceWindow

_DEFAULT_NODE_TYPE = "db.t4g.small"
_MAX_NAME = 40
_NAMED_BY_HAND = "@cdk-redis:namedCluster"
_OPENED = "@cdk-redis:openAccess"
_PLAINTEXT = "@cdk-redis:plaintext"


class MemoryDbCluster(Store):
    """A MemoryDB cluster.

    Defines one ``AWS::MemoryDB::Cluster`` with its own subnet group, security group, parameter group and access
    control list; each of them can be given instead. TLS, encryption at rest and snapshots are on. Nobody signs in but
    the users that are added.

    Changing `shards`, `replicas`, `node_type`, `parameters`, users, `snapshots`, `ip_discovery` or windows is an
    update in place. Changing `network`, `subnet_group`, `port`, `kms_key`, `network_type`, `restore`, `multi_region`,
    `unsafe_plaintext` or `cluster_name`, or a node type to or from the ``r6gd`` family, **replaces** the cluster: the
    old one is deleted after a final snapshot, and the new one is empty. Its generated name changes with them, so that
    the new one can stand beside the old.

    The first cluster of an account needs a role of the service, see `MemoryDbServiceLinkedRole`. MemoryDB runs in some
    Regions only, and in some of those not in every zone, see `RedisNetwork(zone_ids=...)`. The service delivers no
    logs and scales on no metric.

    Tags are given by ``cdk.Tags.of(cluster)``, as everywhere in the CDK.

    Attributes:
        resource: The L1 construct, for what this one does not offer.
        subnet_group: Where its nodes are placed.
        parameter_group: Its parameter group; None for a member of a Multi-Region cluster, which decides it.
        acl: Its access control list; None for a cluster with open access.
        multi_region: The Multi-Region cluster that it is a member of.
    """

    service = MEMORYDB

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork,
        engine: Engine | None = None,
        node_type: str = _DEFAULT_NODE_TYPE,
        shards: int = 1,
        replicas: int = 1,
        port: int = 6379,
        kms_key: kms.IKey | None = None,
        parameters: Mapping[str, str] | None = None,
        parameter_group: IParameterGroup | None = None,
        acl: IAcl | None = None,
        snapshots: Snapshots | None = None,
        restore: Restore | None = None,
        maintenance_window: MaintenanceWindow | None = None,
        notification_topic: sns.ITopic | None = None,
        auto_minor_version_upgrade: bool = True,
        network_type: NetworkType = NetworkType.IPV4,
        ip_discovery: IpDiscovery | None = None,
        subnet_group: ISubnetGroup | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        multi_region: IMultiRegionCluster | None = None,
        cluster_name: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.SNAPSHOT,
        unsafe_open_access: bool = False,
        unsafe_plaintext: bool = False,
    ) -> None:
        """Define the cluster.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: Where it stands: the subnets, and the security group that it gets.
            engine: Engine and version. A newer one is installed in place, Valkey over Redis OSS too; moving back to
                an older one is refused by AWS. Default: - ``Engine.valkey("7.3")``.
            node_type: Size of each node, such as ``db.r7g.large``; ``r6gd`` types switch data tiering on.
            shards: Number of shards, 1 to 500.
            replicas: Replicas of each shard, 0 to 5. Data is durable without one; with one or more the cluster
                stays up when a node or a zone fails.
            port: Port that the nodes listen on, 1150 to 65535 without 8005. Changing it replaces the cluster.
            kms_key: Key that encrypts the data at rest, in the cluster's Region. Changing it replaces the cluster.
                Default: - a key owned by the service.
            parameters: Engine settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Default: - the family's.
            parameter_group: An existing parameter group, in place of `parameters`.
                Default: - one made of the parameters.
            acl: An existing access control list, to which the users that are added go.
                Default: - one of its own.
            snapshots: Daily snapshots. Default: - kept for 7 days, taken at an hour that AWS chooses.
            restore: What it begins with. Adding or changing it later replaces the cluster. Default: - it is empty.
            maintenance_window: Weekly hour for AWS's own work. Default: - AWS chooses one.
            notification_topic: Topic that is told of failovers, new nodes and maintenance; of the cluster's own
                account and Region, and not encrypted. Default: - nobody is told.
            auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
            network_type: Kinds of IP addresses of the nodes; the subnets must have them. Changing it replaces the
                cluster.
            ip_discovery: Kind of address told to clients that ask for the nodes. Default: - IPv4, or IPv6 where
                there is no other.
            subnet_group: An existing subnet group. Changing it replaces the cluster.
                Default: - one over the network's subnets.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - one made by the network, that lets in its client security group and those granted.
            multi_region: The Multi-Region cluster that this one is a member of. It decides `engine`, `node_type`,
                `shards`, TLS and the parameters of all members, so that they are left out here. Changing it replaces
                the cluster. Default: - it stands alone.
            cluster_name: Name of the cluster: 1 to 40 lower-case letters, digits and single hyphens. CloudFormation
                cannot replace a cluster named by hand. Default: - generated from the path of this construct and from
                what forces a replacement.
            description: Text shown in the console. Default: - the path of this construct.
            removal_policy: What happens to the cluster when it leaves the stack or is replaced: a final snapshot and
                deletion (SNAPSHOT), it stays (RETAIN), or it is lost (DESTROY).
            unsafe_open_access: Whether anyone on the network gets in without signing in, by the service's
                ``open-access`` list. Such a cluster has no users.
            unsafe_plaintext: Whether the cluster has no TLS, and therefore no users either: say
                `unsafe_open_access`, too. Changing it replaces the cluster.

        Raises:
            ConfigurationError: With every parameter that AWS would refuse.
        """
        super().__init__(scope, id, port=port)
        snapshots = snapshots or Snapshots.daily()
        member_problems = Problems(self)
        if multi_region is not None:
            engine, node_type, shards = _as_member(member_problems, multi_region, engine, node_type, shards)
        engine = engine or Engine.valkey("7.3")
        problems = Problems(self)
        check_topology(problems, shards, replicas)
        check_node_type(problems, node_type, "db")
        check_port(problems, port)
        check_parameters(problems, parameters)
        check_windows(problems, snapshots, maintenance_window)
        check_key(problems, self, kms_key, create_kms_key=False)
        check_topic(problems, self, notification_topic)
        check_dual_stack(problems, network_type, ip_discovery, network, subnet_group)
        problems.join(member_problems)
        check_name(problems, "cluster_name", cluster_name, max_length=_MAX_NAME)
        check_cluster(
            problems,
            engine=engine,
            node_type=node_type,
            network=network,
            network_type=network_type,
            subnet_group=subnet_group,
            parameters=parameters,
            parameter_group=parameter_group,
            acl=acl,
            multi_region=multi_region,
            open_access=unsafe_open_access,
            plaintext=unsafe_plaintext,
        )
        problems.raise_if_any()

        self.network = network
        self.parameters = dict(parameters or {})
        self.open_access = unsafe_open_access
        self.multi_region = multi_region
        # Multi-Region clusters have no keys that expire.
        self.keys_expire = multi_region is None
        self.topology = Topology(engine, True, shards, replicas, tls=not unsafe_plaintext)
        self.subnet_group: ISubnetGroup = subnet_group or MemoryDbSubnetGroup(self, "Subnets", network=network)
        self.parameter_group = self._choose_parameter_group(parameter_group, parameters)
        self.acl: IAcl | None = None if unsafe_open_access else acl or Acl(self, "Acl")
        if self.acl is not None:
            # The list's own: clusters that share it share its users.
            self.users = self.acl.users
        self._use_security_groups(
            security_groups or [network.create_store_security_group(self, "SecurityGroup", port=port)]
        )
        self.resource = self._create(
            node_type=node_type,
            kms_key=kms_key,
            snapshots=snapshots,
            restore=restore,
            maintenance_window=maintenance_window,
            notification_topic=notification_topic,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            network_type=network_type,
            ip_discovery=ip_discovery,
            cluster_name=cluster_name or self._generated_name(network, node_type, kms_key, restore, network_type),
            description=description,
        )
        apply_removal_policy(self, self.resource, self.resource.cluster_name, removal_policy)
        self._warn(named_by_hand=cluster_name is not None)
        self.store_name = self.resource.ref
        self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = self._endpoint()

    def _choose_parameter_group(
        self, parameter_group: IParameterGroup | None, parameters: Mapping[str, str] | None
    ) -> IParameterGroup | None:
        if parameter_group is not None or self.multi_region is not None:
            return parameter_group
        return MemoryDbParameterGroup(self, "Parameters", engine=self.topology.engine, parameters=parameters)

    def _create(
        self,
        *,
        node_type: str,
        kms_key: kms.IKey | None,
        snapshots: Snapshots,
        restore: Restore | None,
        maintenance_window: MaintenanceWindow | None,
        notification_topic: sns.ITopic | None,
        auto_minor_version_upgrade: bool,
        network_type: NetworkType,
        ip_discovery: IpDiscovery | None,
        cluster_name: str,
        description: str | None,
    ) -> memorydb.CfnCluster:
        from aws_cdk import aws_memorydb as memorydb

        topology, multi_region = self.topology, self.multi_region
        alone = multi_region is None
        return define(
            memorydb.CfnCluster,
            self,
            "Resource",
            cluster_name=cluster_name,
            description=description or self.node.path,
            multi_region_cluster_name=multi_region.multi_region_cluster_name if multi_region else None,
            # A member takes these from its Multi-Region cluster: when that one scales, its members must not as well.
            engine=topology.engine.name if alone else None,
            engine_version=topology.engine.version if alone else None,
            num_shards=topology.shards if alone else None,
            parameter_group_name=self.parameter_group.parameter_group_name if self.parameter_group else None,
            tls_enabled=topology.tls if alone else None,
            node_type=node_type,
            num_replicas_per_shard=topology.replicas,
            port=self._port,
            subnet_group_name=self.subnet_group.subnet_group_name,
            security_group_ids=[group.security_group_id for group in self.security_groups],
            acl_name=self.acl.acl_name if self.acl else OPEN_ACCESS,
            kms_key_id=kms_key.key_arn if kms_key else None,
            # A text, not a boolean, in this service.
            data_tiering="true" if _has_data_tiering(node_type) else None,
            # What everybody has is left out: linters take the schema's enumeration for an object (E3012).
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

    def _endpoint(self) -> Endpoint:
        # A number here, where outputs and environments take text. CloudFormation makes text of it, but the linters
        # that know its type refuse it there: behind a choice they cannot see it.
        port = self.resource.get_att("ClusterEndpoint.Port").to_string()
        return Endpoint.from_attributes(
            self.resource.attr_cluster_endpoint_address, cdk.Fn.select(0, [port, str(self._port)])
        )

    def _generated_name(
        self,
        network: RedisNetwork,
        node_type: str,
        kms_key: kms.IKey | None,
        restore: Restore | None,
        network_type: NetworkType,
    ) -> str:
        forces_replacement: list[object] = [
            # The group's reference stays the same when its VPC changes.
            network.vpc.vpc_id,
            self.subnet_group.subnet_group_name,
            self._port,
            kms_key.key_arn if kms_key else None,
        ]
        # What is not there adds nothing, so that a name stays when this list grows.
        rarer: dict[str, object] = {
            "data_tiering": _has_data_tiering(node_type),
            "network_type": network_type.value if network_type is not NetworkType.IPV4 else None,
            "restore": [restore.snapshot_name, *restore.object_arns] if restore else None,
            "multi_region": self.multi_region.identity if self.multi_region else None,
            "plaintext": not self.topology.tls,
        }
        forces_replacement += [[name, value] for name, value in rarer.items() if value]
        return unique_name(self, max_length=_MAX_NAME, replaced_by=forces_replacement)

    def _warn(self, *, named_by_hand: bool) -> None:
        if named_by_hand:
            cdk.Annotations.of(self).add_warning_v2(
                _NAMED_BY_HAND,
                "cluster_name was given by hand: a change that replaces the cluster will fail, because the new one "
                "cannot have the name of the old; leave it out unless something outside depends on it",
            )
        if self.open_access:
            cdk.Annotations.of(self).add_warning_v2(
                _OPENED, "unsafe_open_access: anyone who reaches the network reads and writes everything"
            )
        if not self.topology.tls:
            cdk.Annotations.of(self).add_warning_v2(
                _PLAINTEXT, "unsafe_plaintext: anyone who listens on the network reads everything"
            )
        if self.multi_region is None:
            warn_of_region(self)
        else:
            warn_of_multi_region(self)

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        if self.acl is None:
            hint = "leave `unsafe_open_access` out"
            raise ConfigurationError(
                self.node.path, [problem("name", id, "a cluster with open access has no users", hint)]
            )
        if authentication.kind == "iam" and not self.topology.engine.supports_iam:
            reason = f"{self.topology.engine} has no IAM users"
            raise ConfigurationError(self.node.path, [problem("name", id, reason, "use `add_password_user`")])
        user = MemoryDbUser(scope, id, access=access, authentication=authentication)
        self.acl.add(user)
        return user

    @classmethod
    def from_cluster_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        cluster_name: str,
        endpoint: Endpoint,
        security_groups: Sequence[ec2.ISecurityGroup],
        engine: Engine | None = None,
        shards: int = 1,
        replicas: int = 1,
        users: Sequence[User] = (),
        network: RedisNetwork | None = None,
        tls: bool = True,
    ) -> Store:
        """Import a cluster that another app owns, to connect to it and to smoke-test it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            cluster_name: Its name.
            endpoint: Its cluster endpoint.
            security_groups: Its security groups, to which rules are added.
            engine: Its engine and version. Default: - ``Engine.valkey("7.3")``.
            shards: Number of shards.
            replicas: Replicas of each shard.
            users: Its users, see `MemoryDbUser.from_user_attributes`.
            network: The network that it stands in; a smoke test needs it.
            tls: Whether it is reached over TLS.
        """
        return ImportedStore(
            scope,
            id,
            service=cls.service,
            store_name=cluster_name,
            endpoint=endpoint,
            reader_endpoint=None,
            topology=Topology(engine or Engine.valkey("7.3"), True, shards, replicas, tls=tls),
            security_groups=security_groups,
            users=users,
            network=network,
        )


def _has_data_tiering(node_type: str) -> bool:
    return ".r6gd." in node_type


def _as_member(
    problems: Problems, multi_region: IMultiRegionCluster, engine: Engine | None, node_type: str, shards: int
) -> tuple[Engine, str, int]:
    """What the Multi-Region cluster decides; a member may leave it out, or say the same."""
    said = (
        ("engine", engine, None, multi_region.engine),
        ("node_type", node_type, _DEFAULT_NODE_TYPE, multi_region.node_type),
        ("shards", shards, 1, multi_region.shards),
    )
    for parameter, given, default, decided in said:
        if given not in (default, decided):
            given = given if isinstance(given, int) else str(given)
            problems.add(parameter, given, f"the Multi-Region cluster decides it: {decided}", "leave it out")
    return multi_region.engine, multi_region.node_type, multi_region.shards
