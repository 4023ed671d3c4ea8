"""An ElastiCache replication group: Valkey or Redis OSS, with cluster mode or without.

network = RedisNetwork(self, "Network")
cache = ReplicationGroup(self, "Cache", network=network, shards=3, replicas=1)
app = cache.add_iam_user("app", AccessString.read_write("app:*"))
cache.grant_connect(function, user=app)
SmokeTest(self, "SmokeTest", target=cache)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from ._endpoint import Endpoint
from ._engine import Engine
from ._errors import ConfigurationError, Problems, problem
from ._parameter_groups import ElastiCacheParameterGroup
from ._service import ELASTICACHE
from ._snapshots import Snapshots
from ._store import ImportedStore, Store, Topology
from ._subnet_groups import ElastiCacheSubnetGroup
from ._user_groups import ElastiCacheUserGroup
from ._users import ElastiCacheUser
from ._validation import check_name, check_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kms as kms

    from ._access_string import AccessString
    from ._authentication import Authentication
    from ._network import RedisNetwork
    from ._subnet_groups import ISubnetGroup
    from ._users import User
    from ._windows import MaintenanceWindow

_MAX_NAME = 40
# Node types that keep part of the data on a local disk; the service wants to be told (pitfall of r6gd).
_DATA_TIERING_FAMILY = "r6gd"


class ReplicationGroup(Store):
    """An ElastiCache replication group.

    Defines one ``AWS::ElastiCache::ReplicationGroup`` with its own subnet group, security group, parameter group and
    user group. TLS, encryption at rest, snapshots and, as soon as there is a replica, automatic failover over several
    zones are on. Nobody signs in but the users that are added.

    Changing `shards` (from a number to another), `replicas`, `node_type`, `parameters`, users, snapshots or windows is
    an update in place. Changing `network`, `subnet_group`, `port`, `kms_key` or `replication_group_id` **replaces**
    the store: the old one is deleted after a final snapshot, and the new one is empty. Cluster mode cannot be
    switched by an edit of `shards` between None and a number: ElastiCache refuses it.

    Attributes:
        resource: The L1 construct, for what this one does not offer.
        subnet_group: Where its nodes are placed.
        parameter_group: Its parameter group.
        user_group: Its user group.
    """

    service = ELASTICACHE

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork,
        engine: Engine | None = None,
        node_type: str = "cache.t4g.small",
        shards: int | None = None,
        replicas: int = 1,
        port: int = 6379,
        kms_key: kms.IKey | None = None,
        parameters: Mapping[str, str] | None = None,
        snapshots: Snapshots | None = None,
        maintenance_window: MaintenanceWindow | None = None,
        auto_minor_version_upgrade: bool = True,
        subnet_group: ISubnetGroup | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        replication_group_id: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.SNAPSHOT,
    ) -> None:
        """Define the replication group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: Where it stands: the subnets, and the security group that it gets.
            engine: Engine and version; moving back to an older one is refused by AWS.
                Default: - ``Engine.valkey("8.1")``.
            node_type: Size of each node, such as ``cache.r7g.large``; ``r6gd`` types switch data tiering on.
            shards: Number of shards, 1 to 500. Giving a number, even 1, is cluster mode: keys are spread over shards,
                and shards can be added and removed in place. Default: - cluster mode is off: one shard, with a
                primary and a reader endpoint.
            replicas: Replicas of each shard, 0 to 5. With one or more, automatic failover and placement over
                several zones are on.
            port: Port that the nodes listen on, 1150 to 65535 without 8005. Changing it replaces the store.
            kms_key: Key that encrypts the data at rest, in the store's Region. Changing it replaces the store.
                Default: - a key owned by the service.
            parameters: Engine settings by the engine's names. Default: - the family's.
            snapshots: Daily snapshots. Default: - kept for 7 days, taken at an hour that AWS chooses.
            maintenance_window: Weekly hour for AWS's own work. Default: - AWS chooses one.
            auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
            subnet_group: An existing subnet group. Changing it replaces the store.
                Default: - one over the network's subnets.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - one made by the network, that lets in its client security group and those granted.
            replication_group_id: Name of the store: 1 to 40 lower-case letters, digits and single hyphens. A named
                store cannot be replaced by CloudFormation while it exists. Default: - CloudFormation names it.
            description: Text shown in the console. Default: - the path of this construct.
            removal_policy: What happens to the store when it leaves the stack or is replaced: a final snapshot and
                deletion (SNAPSHOT), it stays (RETAIN), or it is lost (DESTROY).

        Raises:
            ConfigurationError: With every parameter that AWS would refuse.
        """
        super().__init__(scope, id, port=port)
        engine = engine or Engine.valkey("8.1")
        snapshots = snapshots or Snapshots.daily()
        problems = check_store(
            self,
            node_prefix="cache",
            node_type=node_type,
            shards=1 if shards is None else shards,
            replicas=replicas,
            port=port,
            kms_key=kms_key,
            parameters=parameters,
            snapshots=snapshots,
            maintenance_window=maintenance_window,
        )
        check_name(problems, "replication_group_id", replication_group_id, max_length=_MAX_NAME)
        _check_engine(problems, engine)
        problems.raise_if_any()

        self.network = network
        self.topology = Topology(engine, shards is not None, 1 if shards is None else shards, replicas)
        self.subnet_group: ISubnetGroup = subnet_group or ElastiCacheSubnetGroup(self, "Subnets", network=network)
        self.parameter_group = ElastiCacheParameterGroup(
            self, "Parameters", engine=engine, cluster_mode=self.topology.cluster_mode, parameters=parameters
        )
        self.user_group = ElastiCacheUserGroup(self, "UserGroup", engine=engine)
        self._use_security_groups(
            security_groups or [network.create_store_security_group(self, "SecurityGroup", port=port)]
        )
        self.resource = self._create(
            node_type=node_type,
            kms_key=kms_key,
            snapshots=snapshots,
            maintenance_window=maintenance_window,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            replication_group_id=replication_group_id,
            description=description,
        )
        self.resource.apply_removal_policy(removal_policy)
        self.store_name = self.resource.ref
        self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = self.configuration_endpoint if self.topology.cluster_mode else self.primary_endpoint
        self.reader_endpoint = None if self.topology.cluster_mode else self._endpoint("reader_end_point")

    def _create(
        self,
        *,
        node_type: str,
        kms_key: kms.IKey | None,
        snapshots: Snapshots,
        maintenance_window: MaintenanceWindow | None,
        auto_minor_version_upgrade: bool,
        replication_group_id: str | None,
        description: str | None,
    ) -> elasticache.CfnReplicationGroup:
        from aws_cdk import aws_elasticache as elasticache

        topology = self.topology
        has_replicas = topology.replicas > 0
        resource = elasticache.CfnReplicationGroup(
            self,
            "Resource",
            replication_group_id=replication_group_id,
            replication_group_description=description or self.node.path,
            engine=topology.engine.name,
            engine_version=topology.engine.version,
            cache_node_type=node_type,
            # Never NumCacheClusters: it excludes shards, and drifts as soon as replicas scale.
            num_node_groups=topology.shards,
            replicas_per_node_group=topology.replicas,
            # Always said: left out, CloudFormation's handler turns it on and fails for a single node. Cluster mode
            # demands it whatever the number of replicas.
            automatic_failover_enabled=has_replicas or topology.cluster_mode,
            multi_az_enabled=has_replicas,
            port=self._port,
            cache_subnet_group_name=self.subnet_group.subnet_group_name,
            security_group_ids=[group.security_group_id for group in self.security_groups],
            cache_parameter_group_name=self.parameter_group.parameter_group_name,
            user_group_ids=[self.user_group.user_group_id],
            transit_encryption_enabled=True,
            at_rest_encryption_enabled=True,
            kms_key_id=kms_key.key_arn if kms_key else None,
            data_tiering_enabled=True if f".{_DATA_TIERING_FAMILY}." in node_type else None,
            snapshot_retention_limit=snapshots.retention_days,
            snapshot_window=str(snapshots.window) if snapshots.window else None,
            preferred_maintenance_window=str(maintenance_window) if maintenance_window else None,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
        )
        # Without it, changing the number of shards replaces the store.
        resource.cfn_options.update_policy = cdk.CfnUpdatePolicy(use_online_resharding=True)
        return resource

    @property
    def cluster_mode(self) -> bool:
        """Whether keys are spread over shards."""
        return self.topology.cluster_mode

    @property
    def primary_endpoint(self) -> Endpoint:
        """Always the primary, also after a failover; without cluster mode only.

        Raises:
            ConfigurationError: In cluster mode, which has a primary in every shard.
        """
        return self._endpoint("primary_end_point", needs_cluster_mode=False)

    @property
    def configuration_endpoint(self) -> Endpoint:
        """Tells clients of all shards; in cluster mode only.

        Raises:
            ConfigurationError: Without cluster mode.
        """
        return self._endpoint("configuration_end_point", needs_cluster_mode=True)

    def _endpoint(self, attribute: str, *, needs_cluster_mode: bool = False) -> Endpoint:
        # Asking CloudFormation for the endpoint of the other mode fails the deployment.
        if needs_cluster_mode is not self.cluster_mode:
            mode = "on" if self.cluster_mode else "off"
            raise ConfigurationError(
                self.node.path, [problem("endpoint", attribute, f"cluster mode is {mode}", "use `endpoint`")]
            )
        return Endpoint.from_attributes(
            getattr(self.resource, f"attr_{attribute}_address"), getattr(self.resource, f"attr_{attribute}_port")
        )

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        user = ElastiCacheUser(scope, id, engine=self.topology.engine, access=access, authentication=authentication)
        self.user_group.add(user)
        return user

    @classmethod
    def from_replication_group_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        replication_group_id: str,
        endpoint: Endpoint,
        security_groups: Sequence[ec2.ISecurityGroup],
        reader_endpoint: Endpoint | None = None,
        engine: Engine | None = None,
        shards: int | None = None,
        replicas: int = 1,
        users: Sequence[User] = (),
        network: RedisNetwork | None = None,
    ) -> Store:
        """Import a replication group that another app owns, to connect to it and to smoke-test it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            replication_group_id: Its name.
            endpoint: Its configuration endpoint, or its primary endpoint where cluster mode is off.
            security_groups: Its security groups, to which rules are added.
            reader_endpoint: Its reader endpoint, where cluster mode is off.
            engine: Its engine and version. Default: - ``Engine.valkey("8.1")``.
            shards: Number of shards; None where cluster mode is off.
            replicas: Replicas of each shard.
            users: Its users, see `ElastiCacheUser.from_user_attributes`.
            network: The network that it stands in; a smoke test needs it.
        """
        return ImportedStore(
            scope,
            id,
            service=cls.service,
            store_name=replication_group_id,
            endpoint=endpoint,
            reader_endpoint=reader_endpoint,
            topology=Topology(engine or Engine.valkey("8.1"), shards is not None, shards or 1, replicas),
            security_groups=security_groups,
            users=users,
            network=network,
        )


def _check_engine(problems: Problems, engine: Engine) -> None:
    problems.note(engine.check_elasticache())
    if not engine.supports_user_groups:
        problems.add("engine", str(engine), "users need Redis OSS 6.0 or newer, or Valkey", "choose a newer version")
