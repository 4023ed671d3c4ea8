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

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.service import ELASTICACHE
from cdk_redis._elasticache.auth_token import AuthToken
from cdk_redis._elasticache.parameter_group import ElastiCacheParameterGroup
from cdk_redis._elasticache.replication_group_resource import create_resource
from cdk_redis._elasticache.replication_group_settings import ReplicationGroupSettings
from cdk_redis._elasticache.scaling import ReplicaScaling, ShardScaling, check_scaling
from cdk_redis._elasticache.subnet_group import ElastiCacheSubnetGroup
from cdk_redis._elasticache.user import ElastiCacheUser
from cdk_redis._elasticache.user_group import ElastiCacheUserGroup
from cdk_redis._store.encryption_key import choose_key
from cdk_redis._store.imported_store import ImportedStore
from cdk_redis._store.store import Store
from cdk_redis._values.endpoint import Endpoint
from cdk_redis._values.engine import Engine
from cdk_redis._values.network_type import NetworkType
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager
    from aws_cdk import aws_sns as sns

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.authentication import Authentication
    from cdk_redis._access.users import User
    from cdk_redis._elasticache.durability import Durability
    from cdk_redis._elasticache.log_delivery import LogDelivery
    from cdk_redis._elasticache.placement import ShardPlacement
    from cdk_redis._elasticache.transit_encryption import TransitEncryptionMode
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._values.network_type import IpDiscovery
    from cdk_redis._values.restore import Restore
    from cdk_redis._values.windows import MaintenanceWindow

_OPENED = "@cdk-redis:openAccess"
_PLAINTEXT = "@cdk-redis:plaintext"


class ReplicationGroup(Store):
    """An ElastiCache replication group.

    Defines one ``AWS::ElastiCache::ReplicationGroup`` with its own subnet group, security group, parameter group and
    user group. TLS, encryption at rest, snapshots and, as soon as there is a replica, automatic failover over several
    zones are on. Nobody signs in but the users that are added.

    What a change does is in the table ``docs/replaces.md``: `shards` (from a number to another), `replicas`,
    `node_type`, `parameters`, users, logs, snapshots and windows change in place; `network_type`, `subnet_group`,
    `port`, `kms_key`, `restore` or `replication_group_id` **replace** the store: the old one is deleted after a final
    snapshot, and the new one is empty. Change the number of shards in a deployment of its own.

    Attributes:
        resource: The L1 construct, for what this one does not offer.
        subnet_group: Where its nodes are placed.
        parameter_group: Its parameter group.
        user_group: Its user group; None for a store with an AUTH token or with open access.
        kms_key: Key of the data at rest, given or made; None for the service's own.
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
        create_kms_key: bool = False,
        parameters: Mapping[str, str] | None = None,
        extra_parameters: Mapping[str, str] | None = None,
        snapshots: Snapshots | None = None,
        maintenance_window: MaintenanceWindow | None = None,
        auto_minor_version_upgrade: bool = True,
        authentication: Authentication | None = None,
        log_delivery: Sequence[LogDelivery] = (),
        notification_topic: sns.ITopic | None = None,
        subnet_group: ISubnetGroup | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        network_type: NetworkType = NetworkType.IPV4,
        ip_discovery: IpDiscovery | None = None,
        placement: Sequence[ShardPlacement] | None = None,
        restore: Restore | None = None,
        durability: Durability | None = None,
        cluster_mode_compatible: bool = False,
        transit_encryption_mode: TransitEncryptionMode | None = None,
        replication_group_id: str | None = None,
        description: str | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.SNAPSHOT,
        unsafe_open_access: bool = False,
        unsafe_plaintext: bool = False,
    ) -> None:
        """Define the replication group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: Where it stands: the subnets, and the security group that it gets.
            engine: Engine and version. A newer one is installed in place, Valkey over Redis OSS too; moving back to
                an older one is refused by AWS. Default: - ``Engine.valkey("8.1")``.
            node_type: Size of each node, such as ``cache.r7g.large``; ``r6gd`` types switch data tiering on.
            shards: Number of shards, 1 to 500. Giving a number, even 1, is cluster mode: keys are spread over shards,
                and shards can be added and removed in place. Default: - cluster mode is off: one shard, with a
                primary and a reader endpoint.
            replicas: Replicas of each shard, 0 to 5. With one or more, automatic failover and placement over
                several zones are on.
            port: Port that the nodes listen on, 1150 to 65535 without 8005. Changing it replaces the store.
            kms_key: Key that encrypts the data at rest, in the store's Region. Changing it replaces the store.
                Default: - a key owned by the service.
            create_kms_key: Whether a key is made for the data, with yearly rotation; it stays when the store goes.
                Changing it replaces the store.
            parameters: Engine settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Default: - the family's.
            extra_parameters: Engine settings whose names this library does not know, passed on unchecked.
            snapshots: Daily snapshots. Default: - kept for 7 days, taken at an hour that AWS chooses.
            maintenance_window: Weekly hour for AWS's own work. Default: - AWS chooses one.
            auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
            authentication: ``Authentication.auth_token()`` for one password in place of users, see `auth_token`.
                Changing between the two can replace the store. Default: - users, see `add_iam_user` and
                `add_password_user`.
            log_delivery: Logs to send, `LogDelivery.slow_log` and `LogDelivery.engine_log`. Default: - none.
            notification_topic: Topic that is told of failovers, new nodes and maintenance; of the store's own account
                and Region, and not encrypted. Default: - nobody is told.
            subnet_group: An existing subnet group. Changing it replaces the store.
                Default: - one over the network's subnets.
            security_groups: Existing security groups, to which the rules for connecting are added.
                Default: - one made by the network, that lets in its client security group and those granted.
            network_type: Kinds of IP addresses of the nodes; the subnets must have them. Changing it replaces the
                store.
            ip_discovery: Kind of address told to clients that ask for the nodes. Default: - IPv4, or IPv6 where
                there is no other.
            placement: Zones of each shard's nodes, one `ShardPlacement` a shard. Default: - AWS spreads the nodes.
                Adding, changing or removing it can replace the store, and a store that is placed does not scale by
                itself: leave it out unless zones matter.
            restore: What it begins with. Adding or changing it later replaces the store. Default: - it is empty.
            durability: Whether writes outlive the nodes: Valkey 9.0 in cluster mode. Cannot be turned on or off
                later. Default: - AWS decides, which today is not.
            cluster_mode_compatible: First step of the move to cluster mode, while `shards` is left out: serves clients
                with cluster mode and without. Once all clients have it, leave this out and give ``shards=1``, in a
                second deployment. There is no way back from there.
            transit_encryption_mode: For the move from plaintext to TLS, `PREFERRED` and then `REQUIRED` in a second
                deployment. Default: - only clients with TLS are let in.
            replication_group_id: Name of the store: 1 to 40 lower-case letters, digits and single hyphens.
                Changing it replaces the store; while it stays, nothing else can. Default: - CloudFormation names it.
            description: Text shown in the console. Default: - the path of this construct.
            removal_policy: What happens to the store when it leaves the stack or is replaced: a final snapshot and
                deletion (SNAPSHOT), it stays (RETAIN), or it is lost (DESTROY).
            unsafe_open_access: Whether anyone on the network gets in without signing in. Such a store has no users.
            unsafe_plaintext: Whether the store has no TLS, and therefore no users either.

        Raises:
            ConfigurationError: With every parameter that AWS would refuse.
        """
        super().__init__(scope, id, port=port)
        settings = ReplicationGroupSettings(
            engine=engine or Engine.valkey("8.1"),
            node_type=node_type,
            shards=shards,
            replicas=replicas,
            port=port,
            kms_key=kms_key,
            create_kms_key=create_kms_key,
            parameters=parameters,
            extra_parameters=extra_parameters,
            snapshots=snapshots or Snapshots.daily(),
            maintenance_window=maintenance_window,
            auto_minor_version_upgrade=auto_minor_version_upgrade,
            authentication=authentication,
            log_delivery=log_delivery,
            notification_topic=notification_topic,
            network_type=network_type,
            ip_discovery=ip_discovery,
            placement=placement,
            restore=restore,
            durability=durability,
            cluster_mode_compatible=cluster_mode_compatible,
            transit_encryption_mode=transit_encryption_mode,
            replication_group_id=replication_group_id,
            description=description,
            unsafe_open_access=unsafe_open_access,
            unsafe_plaintext=unsafe_plaintext,
        )
        settings.check(self, network, subnet_group)

        self.network = network
        self.topology = settings.topology
        self.open_access = settings.open_access
        self.parameters = dict(parameters or {})
        self.subnet_group: ISubnetGroup = subnet_group or ElastiCacheSubnetGroup(self, "Subnets", network=network)
        self.parameter_group = self._create_parameter_group(settings)
        self.user_group = self._create_user_group(settings)
        if self.user_group is not None:
            self.users = self.user_group.users
        token = self._create_auth_token(settings)
        self.kms_key = choose_key(self, kms_key, create_kms_key=create_kms_key)
        self._use_security_groups(
            security_groups or [network.create_store_security_group(self, "SecurityGroup", port=port)]
        )
        self.resource = create_resource(
            self,
            settings,
            subnet_group=self.subnet_group,
            security_groups=self.security_groups,
            parameter_group=self.parameter_group,
            user_group=self.user_group,
            auth_token=token,
            kms_key=self.kms_key,
        )
        self.resource.apply_removal_policy(removal_policy)
        self._is_placed = placement is not None
        self.store_name = self.resource.ref
        self.store_arn = self.service.store_arn(self, self.store_name)
        self.endpoint = self.configuration_endpoint if self.topology.cluster_mode else self.primary_endpoint
        self.reader_endpoint = None if self.topology.cluster_mode else self._endpoint("reader_end_point")
        self._warn()

    def _create_parameter_group(self, settings: ReplicationGroupSettings) -> ElastiCacheParameterGroup:
        cluster_mode = settings.cluster_mode or settings.cluster_mode_compatible
        # AWS does not let a group in use turn cluster mode on: the move to it is a move to another group.
        return ElastiCacheParameterGroup(
            self,
            "ClusterParameters" if cluster_mode else "Parameters",
            engine=settings.engine,
            cluster_mode=cluster_mode,
            parameters={**(settings.parameters or {}), **(settings.extra_parameters or {})},
        )

    def _create_user_group(self, settings: ReplicationGroupSettings) -> ElastiCacheUserGroup | None:
        return ElastiCacheUserGroup(self, "UserGroup", engine=settings.engine) if settings.has_users else None

    def _create_auth_token(self, settings: ReplicationGroupSettings) -> AuthToken | None:
        if settings.authentication is None:
            return None
        token = AuthToken(self, "AuthToken", authentication=settings.authentication)
        self.auth_token = token
        self.users.append(token)
        return token

    def _warn(self) -> None:
        if not self.topology.tls:
            cdk.Annotations.of(self).add_warning_v2(
                _PLAINTEXT, "unsafe_plaintext: whoever is on the way reads everything, passwords of clients included"
            )
        if self.open_access:
            cdk.Annotations.of(self).add_warning_v2(
                _OPENED, "nobody signs in: anyone who reaches the network reads and writes everything"
            )

    def scale_shards(self, *, minimum: int, maximum: int) -> ShardScaling:
        """Let the number of shards follow the load, between two bounds.

        Say by what: ``cache.scale_shards(minimum=3, maximum=10).track_memory(60)``. A deployment that changes
        the store brings the number back to `shards`; scaling then begins there again.

        Args:
            minimum: Fewest shards, 1 or more, and no more than `shards`.
            maximum: Most shards, up to 500, and no fewer than `shards`.

        Raises:
            ConfigurationError: If the bounds are none, or the store cannot be scaled: without cluster mode, with
                `placement`, or with nodes that are too small or too old.
        """
        self._check_scaling("shards", minimum, maximum)
        return ShardScaling(self, "ShardScaling", resource=self.resource, minimum=minimum, maximum=maximum)

    def scale_replicas(self, *, minimum: int, maximum: int) -> ReplicaScaling:
        """Let the number of replicas of each shard follow the load, between two bounds.

        Say by what: ``cache.scale_replicas(minimum=1, maximum=5).track_cpu(60)``. A deployment that changes
        the store brings the number back to `replicas`; scaling then begins there again.

        Args:
            minimum: Fewest replicas, 1 or more, and no more than `replicas`.
            maximum: Most replicas, up to 5, and no fewer than `replicas`.

        Raises:
            ConfigurationError: If the bounds are none, or the store cannot be scaled: without cluster mode, with
                `placement`, or with nodes that are too small or too old.
        """
        self._check_scaling("replicas", minimum, maximum)
        return ReplicaScaling(self, "ReplicaScaling", resource=self.resource, minimum=minimum, maximum=maximum)

    def _check_scaling(self, what: str, minimum: int, maximum: int) -> None:
        check_scaling(
            self,
            what,
            resource=self.resource,
            topology=self.topology,
            minimum=minimum,
            maximum=maximum,
            placed=self._is_placed,
        )

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
        if self.user_group is None:
            hint = "sign in as `auth_token`" if self.auth_token else "leave out what is unsafe"
            reason = "a store has users, or an AUTH token, or nobody signs in"
            raise ConfigurationError(self.node.path, [problem("name", id, reason, hint)])
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
        auth_token: secretsmanager.ISecret | None = None,
        network: RedisNetwork | None = None,
        unsafe_open_access: bool = False,
        unsafe_plaintext: bool = False,
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
            auth_token: For a store with an AUTH token, the secret that holds it.
            network: The network that it stands in; a smoke test needs it.
            unsafe_open_access: Whether anyone on the network gets in without signing in.
            unsafe_plaintext: Whether it has no TLS.
        """
        topology = Topology(
            engine or Engine.valkey("8.1"),
            shards is not None,
            shards or 1,
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
            security_groups=security_groups,
            users=users,
            network=network,
            open_access=unsafe_open_access or unsafe_plaintext,
        )
        if auth_token is not None:
            store.auth_token = AuthToken.from_secret(store, "AuthToken", auth_token)
            store.users.append(store.auth_token)
        return store
