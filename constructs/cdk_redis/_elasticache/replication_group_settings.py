"""What a replication group was asked to be, and whether AWS would accept it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token
from cdk_redis._elasticache.durability import Durability, check_durability
from cdk_redis._elasticache.log_delivery import LogDelivery, check_log_delivery
from cdk_redis._elasticache.parameter_names import check_parameter_names
from cdk_redis._elasticache.placement import ShardPlacement, check_placement
from cdk_redis._elasticache.transit_encryption import TransitEncryptionMode, check_transit_encryption
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
from cdk_redis._values.engine import Engine
from cdk_redis._values.network_type import IpDiscovery, NetworkType, check_network_type
from cdk_redis._values.restore import Restore
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    from cdk_redis._access.authentication import Authentication
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._store.store import Store
    from cdk_redis._values.windows import MaintenanceWindow

_MAX_NAME = 40
# Node types that keep part of the data on a local disk; the service wants to be told, and refuses to be told of others.
_DATA_TIERING_FAMILY = ".r6gd."


@dataclass(frozen=True)
class ReplicationGroupSettings:
    """The parameters of a `ReplicationGroup`, where they are described, with their defaults filled in."""

    engine: Engine
    node_type: str
    shards: int | None
    replicas: int
    port: int
    kms_key: kms.IKey | None
    create_kms_key: bool
    parameters: Mapping[str, str] | None
    extra_parameters: Mapping[str, str] | None
    snapshots: Snapshots
    maintenance_window: MaintenanceWindow | None
    auto_minor_version_upgrade: bool
    authentication: Authentication | None
    log_delivery: Sequence[LogDelivery]
    notification_topic: sns.ITopic | None
    network_type: NetworkType
    ip_discovery: IpDiscovery | None
    placement: Sequence[ShardPlacement] | None
    restore: Restore | None
    durability: Durability | None
    cluster_mode_compatible: bool
    transit_encryption_mode: TransitEncryptionMode | None
    replication_group_id: str | None
    description: str | None
    unsafe_open_access: bool
    unsafe_plaintext: bool

    @property
    def cluster_mode(self) -> bool:
        """Whether keys are spread over shards."""
        return self.shards is not None

    @property
    def shard_count(self) -> int:
        """Number of shards, with cluster mode or without."""
        return 1 if self.shards is None else self.shards

    @property
    def has_replicas(self) -> bool:
        """Whether a shard has replicas; a token is believed to be more than none."""
        return is_token(self.replicas) or self.replicas > 0

    @property
    def data_tiering(self) -> bool:
        """Whether the nodes keep part of the data on disk."""
        return isinstance(self.node_type, str) and _DATA_TIERING_FAMILY in self.node_type

    @property
    def open_access(self) -> bool:
        """Whether anyone on the network gets in without signing in."""
        return self.unsafe_open_access or self.unsafe_plaintext

    @property
    def has_users(self) -> bool:
        """Whether it has users, rather than an AUTH token or no authentication."""
        return not self.open_access and self.authentication is None

    @property
    def can_move_to_cluster_mode(self) -> bool:
        """Whether the engine can turn cluster mode on in a store that has data."""
        return not _is_redis_before(self.engine, (7, 0))

    @property
    def topology(self) -> Topology:
        """What the smoke test compares with what is there."""
        return Topology(
            self.engine,
            self.cluster_mode,
            self.shard_count,
            self.replicas,
            tls=not self.unsafe_plaintext,
            plaintext=self.unsafe_plaintext or self.transit_encryption_mode is TransitEncryptionMode.PREFERRED,
        )

    def check(self, store: Store, network: RedisNetwork, subnet_group: ISubnetGroup | None) -> None:
        """Refuse what AWS would.

        Args:
            store: The store under construction.
            network: The network of the store.
            subnet_group: An existing subnet group, whose subnets are not known.

        Raises:
            ConfigurationError: With every problem.
        """
        problems = Problems(store)
        check_topology(problems, self.shard_count, self.replicas)
        check_node_type(problems, self.node_type, "cache")
        check_port(problems, self.port)
        check_parameters(problems, self.parameters)
        check_windows(problems, self.snapshots, self.maintenance_window)
        check_key(problems, store, self.kms_key, self.create_kms_key)
        check_name(problems, "replication_group_id", self.replication_group_id, max_length=_MAX_NAME)
        check_topic(problems, store, self.notification_topic)
        self._check_engine(problems)
        self._check_access(problems)
        check_dual_stack(problems, self.network_type, self.ip_discovery, network, subnet_group)
        self._check_topology(problems, network if subnet_group is None else None)
        problems.raise_if_any()

    def _check_engine(self, problems: Problems) -> None:
        engine = self.engine
        problems.note(engine.check_elasticache())
        if self.has_users and not engine.supports_user_groups:
            hint = "choose a newer version, or authentication=Authentication.auth_token()"
            problems.add("engine", str(engine), "users need Redis OSS 6.0 or newer, or Valkey", hint)
        if self.data_tiering and _is_redis_before(engine, (6, 2)):
            hint = "choose a newer version, or another node type"
            problems.add("node_type", self.node_type, f"{engine} has no data tiering", hint)
        check_parameter_names(
            problems,
            self.parameters,
            self.extra_parameters,
            engine=engine,
            data_tiering=self.data_tiering,
        )
        check_log_delivery(problems, self.log_delivery, engine=engine)

    def _check_access(self, problems: Problems) -> None:
        check_transit_encryption(
            problems, self.transit_encryption_mode, plaintext=self.unsafe_plaintext, engine=self.engine
        )
        if self.authentication is None:
            return
        if self.authentication.kind != "auth-token":
            reason = "a store has users, or an AUTH token"
            hint = "leave it out and add users, or use Authentication.auth_token()"
            problems.add("authentication", self.authentication.kind, reason, hint)
        for parameter in ("unsafe_open_access", "unsafe_plaintext"):
            if getattr(self, parameter):
                reason = f"nobody signs in to a store with {parameter}"
                problems.add("authentication", self.authentication.kind, reason, "leave out one of the two")

    def _check_topology(self, problems: Problems, network: RedisNetwork | None) -> None:
        check_network_type(problems, self.network_type, engine=self.engine, node_type=self.node_type)
        check_placement(problems, self.placement, shards=self.shard_count, replicas=self.replicas, network=network)
        check_durability(
            problems,
            self.durability,
            engine=self.engine,
            node_type=self.node_type,
            cluster_mode=self.cluster_mode,
            replicas=self.replicas,
            plaintext=self.unsafe_plaintext,
        )
        if self.cluster_mode_compatible:
            self._check_compatible(problems)
        if self.restore is not None and self.restore.object_arns and self.cluster_mode and is_token(self.shards):
            reason = "slots are divided before the deploy, when a token is not known"
            problems.add("shards", self.shards, reason, "write the number out")

    def _check_compatible(self, problems: Problems) -> None:
        parameter = "cluster_mode_compatible"
        if self.cluster_mode:
            problems.add(parameter, True, "cluster mode is on when `shards` is given", "leave out one of the two")
        if not self.has_replicas:
            problems.add(parameter, True, "the move needs automatic failover", "have a replica at least")
        if not self.can_move_to_cluster_mode:
            hint = "upgrade it to Valkey, or to Redis OSS 7.0 or newer, in a deployment of its own"
            problems.add(parameter, True, f"{self.engine} cannot move", hint)


def _is_redis_before(engine: Engine, version: tuple[int, int]) -> bool:
    if is_token(engine.name) or is_token(engine.version):
        return False
    return engine.name == "redis" and engine.major_minor < version
