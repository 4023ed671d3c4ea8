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

from ._endpoint import Endpoint
from ._engine import Engine
from ._errors import ConfigurationError, problem
from ._naming import final_snapshot_name, unique_name
from ._parameter_groups import MemoryDbParameterGroup
from ._service import MEMORYDB
from ._snapshots import Snapshots
from ._store import ImportedStore, Store, Topology
from ._subnet_groups import MemoryDbSubnetGroup
from ._user_groups import Acl
from ._users import MemoryDbUser
from ._validation import check_name, check_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_memorydb as memorydb

    from ._access_string import AccessString
    from ._authentication import Authentication
    from ._network import RedisNetwork
    from ._subnet_groups import ISubnetGroup
    from ._users import User
    from ._windows import MaintenanceWindow

_MAX_NAME = 40
# The list that the service brings along: everyone may do everything, without signing in.
_OPEN_ACCESS = "open-access"
_NAMED_BY_HAND = "@cdk-redis:namedCluster"
_OPENED = "@cdk-redis:openAccess"


class MemoryDbCluster(Store):
    """A MemoryDB cluster.

    Defines one ``AWS::MemoryDB::Cluster`` with its own subnet group, security group, parameter group and access
    control list. TLS, encryption at rest and snapshots are on. Nobody signs in but the users that are added.

    Changing `shards`, `replicas`, `node_type`, `parameters`, users, snapshots or windows is an update in place.
    Changing `network`, `subnet_group`, `port`, `kms_key` or `cluster_name` **replaces** the cluster: the old one is
    deleted after a final snapshot, and the new one is empty. Its generated name changes with them, so that the new
    one can stand beside the old.

    Attributes:
        resource: The L1 construct, for what this one does not offer.
        subnet_group: Where its nodes are placed.
        parameter_group: Its parameter group.
        acl: Its access control list; None for a cluster with open access.
    """

    service = MEMORYDB

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork,
        engine: Engine | None = None,
        node_type: str = "db.t4g.small",
        shards: int = 1,
        replicas: int = 1,
        port: int = 6379,
        kms_key: kms.IKey | None = None,
        parameters: Mapping[str, str] | None = None,
        snapshots: Snapshots | None = None,
        maintenance_window: MaintenanceWindow | None = None,
        auto_minor_version_upgrade: bool = True,
        subnet_group: ISubnetGroup | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        cluster_name: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.SNAPSHOT,
        unsafe_open_access: bool = False,
    ) -> None:
        """Define the cluster.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: Where it stands: the subnets, and the security group that it gets.
            engine: Engine and version; moving back to an older one is refused by AWS.
                Default: - ``Engine.valkey("7.3")``.
            node_type: Size of each node, such as ``db.r7g.large``; ``r6gd`` types switch data tiering on.
            shards: Number of shards, 1 to 500.
            replicas: Replicas of each shard, 0 to 5. Data is durable without one; with one or more the cluster
                stays up when a node or a zone fails.
            port: Port that the nodes listen on, 1150 to 65535 without 8005. Changing it replaces the cluster.
            kms_key: Key that encrypts the data at rest, in the cluster's Region. Changing it replaces the cluster.
                Default: - a key owned by the service.
            parameters: Engine settings by the engine's names. Default: - the family's.
            snapshots: Daily snapshots. Default: - kept for 7 days, taken at an hour that AWS chooses.
            maintenance_window: Weekly hour for AWS's own work. Default: - AWS chooses one.
            auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
            subnet_group: An existing subnet group. Changing it replaces the cluster.
                Default: - one over the network's subnets.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - one made by the network, that lets in its client security group and those granted.
            cluster_name: Name of the cluster: 1 to 40 lower-case letters, digits and single hyphens. CloudFormation
                cannot replace a cluster named by hand. Default: - generated from the path of this construct and from
                what forces a replacement.
            description: Text shown in the console. Default: - the path of this construct.
            removal_policy: What happens to the cluster when it leaves the stack or is replaced: a final snapshot and
                deletion (SNAPSHOT), it stays (RETAIN), or it is lost (DESTROY).
            unsafe_open_access: Whether anyone on the network gets in without signing in, by the service's
                ``open-access`` list. Such a cluster takes no users.

        Raises:
            ConfigurationError: With every parameter that AWS would refuse.
        """
        super().__init__(scope, id, port=port)
        engine = engine or Engine.valkey("7.3")
        snapshots = snapshots or Snapshots.daily()
        problems = check_store(
            self,
            node_prefix="db",
            node_type=node_type,
            shards=shards,
            replicas=replicas,
            port=port,
            kms_key=kms_key,
            parameters=parameters,
            snapshots=snapshots,
            maintenance_window=maintenance_window,
        )
        check_name(problems, "cluster_name", cluster_name, max_length=_MAX_NAME)
        problems.note(engine.check_memorydb())
        problems.raise_if_any()

        self.network = network
        self.open_access = unsafe_open_access
        self.topology = Topology(engine, cluster_mode=True, shards=shards, replicas=replicas)
        self.subnet_group: ISubnetGroup = subnet_group or MemoryDbSubnetGroup(self, "Subnets", network=network)
        self.parameter_group = MemoryDbParameterGroup(self, "Parameters", engine=engine, parameters=parameters)
        self.acl: Acl | None = None if unsafe_open_access else Acl(self, "Acl")
        self._use_security_groups(
            security_groups or [network.create_store_security_group(self, "SecurityGroup", port=port)]
        )
        self.resource = self._create(
            node_type=node_type,
            kms_key=kms_key,
            snapshots=snapshots,
            maintenance_window=maintenance_window,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            cluster_name=cluster_name or self._generated_name(network, kms_key),
            description=description,
        )
        self._apply_removal_policy(removal_policy)
        self._warn(named_by_hand=cluster_name is not None)
        self.store_name = self.resource.ref
        self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = self._endpoint()

    def _create(
        self,
        *,
        node_type: str,
        kms_key: kms.IKey | None,
        snapshots: Snapshots,
        maintenance_window: MaintenanceWindow | None,
        auto_minor_version_upgrade: bool,
        cluster_name: str,
        description: str | None,
    ) -> memorydb.CfnCluster:
        from aws_cdk import aws_memorydb as memorydb

        topology = self.topology
        return memorydb.CfnCluster(
            self,
            "Resource",
            cluster_name=cluster_name,
            description=description or self.node.path,
            engine=topology.engine.name,
            engine_version=topology.engine.version,
            node_type=node_type,
            num_shards=topology.shards,
            num_replicas_per_shard=topology.replicas,
            port=self._port,
            subnet_group_name=self.subnet_group.subnet_group_name,
            security_group_ids=[group.security_group_id for group in self.security_groups],
            parameter_group_name=self.parameter_group.parameter_group_name,
            acl_name=self.acl.acl_name if self.acl else _OPEN_ACCESS,
            tls_enabled=True,
            kms_key_id=kms_key.key_arn if kms_key else None,
            # A text, not a boolean, in this service.
            data_tiering="true" if ".r6gd." in node_type else None,
            snapshot_retention_limit=snapshots.retention_days,
            snapshot_window=str(snapshots.window) if snapshots.window else None,
            maintenance_window=str(maintenance_window) if maintenance_window else None,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
        )

    def _endpoint(self) -> Endpoint:
        # A number here, where outputs and environments take text. CloudFormation makes text of it, but the linters
        # that know its type refuse it there: behind a choice they cannot see it.
        port = self.resource.get_att("ClusterEndpoint.Port").to_string()
        return Endpoint.from_attributes(
            self.resource.attr_cluster_endpoint_address, cdk.Fn.select(0, [port, str(self._port)])
        )

    def _generated_name(self, network: RedisNetwork, kms_key: kms.IKey | None) -> str:
        forces_replacement = [
            # The group's reference stays the same when its VPC changes.
            network.vpc.vpc_id,
            self.subnet_group.subnet_group_name,
            self._port,
            kms_key.key_arn if kms_key else None,
        ]
        return unique_name(self, max_length=_MAX_NAME, replaced_by=forces_replacement)

    def _apply_removal_policy(self, removal_policy: cdk.RemovalPolicy) -> None:
        if removal_policy != cdk.RemovalPolicy.SNAPSHOT:
            self.resource.apply_removal_policy(removal_policy)
            return
        # CloudFormation's own snapshot policy is not for this type: CDK renders it without a word and the
        # deployment fails. The service takes the name of a final snapshot instead.
        self.resource.final_snapshot_name = final_snapshot_name(self, self.resource.cluster_name)
        self.resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)

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

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        if self.acl is None:
            mend = "leave `unsafe_open_access` out"
            raise ConfigurationError(
                self.node.path, [problem("name", id, "a cluster with open access has no users", mend)]
            )
        if authentication.kind == "iam" and not self.topology.engine.supports_iam:
            allowed = f"{self.topology.engine} has no IAM users"
            raise ConfigurationError(self.node.path, [problem("name", id, allowed, "use `add_password_user`")])
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
        """
        return ImportedStore(
            scope,
            id,
            service=cls.service,
            store_name=cluster_name,
            endpoint=endpoint,
            reader_endpoint=None,
            topology=Topology(engine or Engine.valkey("7.3"), cluster_mode=True, shards=shards, replicas=replicas),
            security_groups=security_groups,
            users=users,
            network=network,
        )
