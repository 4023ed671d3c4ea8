"""A global datastore: a replication group that takes writes, and copies of it in other Regions that serve reads.

In the stack of one Region, and in the stack of another:

cache = ReplicationGroup(self, "Cache", network=network, node_type="cache.r7g.large")
self.everywhere = GlobalDatastore(self, "Everywhere", primary=cache)

SecondaryReplicationGroup(self, "Cache", network=network, global_datastore=other_stack.everywhere)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.checks import check_flags, check_given, check_required, check_texts, value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import name_problem, unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.tokens import is_token
from cdk_redis._core.weak_reference import deploy_after, read_weakly
from cdk_redis._elasticache.parameter_group import ElastiCacheParameterGroup
from cdk_redis._elasticache.replication_group import ReplicationGroup
from cdk_redis._store.checks import MAX_REPLICAS, MAX_SHARDS, check_node_type, check_parameters
from cdk_redis._values.engine import Engine
from cdk_redis._values.node_type import NodeType
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache

# AWS adds a prefix and a hyphen in front.
_MAX_SUFFIX = 34
_MAX_SECONDARIES = 2
# Families that are too old, or whose processors are lent: they are not admitted.
_NOT_ADMITTED = ("t1", "t2", "t3", "t4g", "m1", "m2", "m3", "m4", "r3", "r4", "c1")
_UNKNOWN_PROPERTY = "CloudFormation-Validate::F3002"


class IGlobalDatastore(Protocol):
    """A global datastore, defined here or imported."""

    topology: Topology
    """Engine and shards of every member; the replicas are the primary's."""

    automatic_failover: bool
    """Whether its members replace a node that fails by a replica; the primary's setting is every member's."""

    open_access: bool
    """Whether anyone on the network gets in without signing in."""

    def join(self, member: Construct) -> str:
        """Admit a secondary; gives the id of the global datastore, for the member's stack."""
        ...


class GlobalDatastore(cdk.Resource):
    """Copies a replication group to other Regions.

    Defines one ``AWS::ElastiCache::GlobalReplicationGroup`` around a primary; each `SecondaryReplicationGroup` joins
    it from a stack in another Region. Replication takes less than a second, mostly; a secondary takes over as primary
    by hand only. When the global datastore goes, its members stay, each on its own.

    From the moment that it is made, AWS refuses to change engine, node type and number of shards of a single member:
    leave those of the primary as they are, and say the new ones here. All members follow, in place.

    Attributes:
        resource: The L1 construct, for what this one does not offer.
        global_replication_group_id: Its id, which AWS makes of a prefix and the suffix; a token.
        primary: The replication group that takes the writes.
        topology: Engine and shards of every member, and the replicas of the primary.
        automatic_failover: Whether its members replace a node that fails by a replica.
        open_access: Whether anyone on the network gets in without signing in.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        primary: ReplicationGroup,
        engine: Engine | str | None = None,
        node_type: NodeType | ec2.InstanceType | str | None = None,
        shards: int | None = None,
        parameters: Mapping[str, str] | None = None,
        suffix: str | None = None,
        description: str | None = None,
    ) -> None:
        """Define the global datastore.

        Args:
            scope: Construct this one is defined in: the stack of the primary.
            id: Id within the scope.
            primary: The replication group that takes the writes: of size ``large`` at least, no burstable nodes, with
                IPv4 addresses, and with users rather than an AUTH token.
            engine: Engine and version that all members move to. Default: - the primary's.
            node_type: Node type that all members move to. Default: - the primary's.
            shards: Number of shards that all members move to, in cluster mode. Default: - the primary's.
            parameters: Engine settings for the new `engine`, whose parameter group is made here.
                Default: - the family's. The settings of the primary, if there is no new engine, are every member's.
            suffix: End of its id, 1 to 34 lower-case letters, digits and single hyphens. Cannot be changed.
                Default: - generated from the path of this construct.
            description: Text shown in the console. Default: - the path of this construct.

        Raises:
            ConfigurationError: With everything that AWS would refuse.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        engine = value_of(problems, "engine", engine, Engine)
        node_type = value_of(problems, "node_type", node_type, NodeType)
        check_texts(problems, description=description)
        check_parameters(problems, parameters)
        # Later checks read the values.
        problems.raise_if_any()
        self._check(primary, engine, node_type, shards, parameters, suffix)
        self.primary = primary
        self._secondaries: list[Construct] = []
        self.topology = primary.join_global_datastore(engine=engine, shards=shards)
        self.open_access = primary.open_access
        self.automatic_failover = primary.resource.automatic_failover_enabled is True
        _acknowledge_tags(self)
        self.resource = self._create(engine, node_type, shards, parameters, suffix, description)
        self.global_replication_group_id: str = self.resource.ref

    def _create(
        self,
        engine: Engine | None,
        node_type: NodeType | None,
        shards: int | None,
        parameters: Mapping[str, str] | None,
        suffix: str | None,
        description: str | None,
    ) -> elasticache.CfnGlobalReplicationGroup:
        from aws_cdk import aws_elasticache as elasticache

        parameter_group = engine and ElastiCacheParameterGroup(
            self, "Parameters", engine=engine, cluster_mode=self.topology.cluster_mode, parameters=parameters
        )
        return define(
            elasticache.CfnGlobalReplicationGroup,
            self,
            "Resource",
            # The primary alone: "GlobalReplicationGroup cannot be created with multiple members". The others join.
            members=[
                elasticache.CfnGlobalReplicationGroup.GlobalReplicationGroupMemberProperty(
                    replication_group_id=self.primary.store_name,
                    replication_group_region=cdk.Stack.of(self.primary).region,
                    role="PRIMARY",
                )
            ],
            automatic_failover_enabled=self.automatic_failover,
            engine=engine.name if engine else None,
            engine_version=engine.version if engine else None,
            cache_node_type=node_type.name_in("cache") if node_type else None,
            global_node_group_count=shards,
            cache_parameter_group_name=parameter_group.parameter_group_name if parameter_group else None,
            global_replication_group_id_suffix=suffix or unique_name(self, max_length=_MAX_SUFFIX),
            global_replication_group_description=description or self.node.path,
        )

    def _check(
        self,
        primary: object,
        engine: Engine | None,
        node_type: NodeType | None,
        shards: int | None,
        parameters: Mapping[str, str] | None,
        suffix: str | None,
    ) -> None:
        problems = Problems(self)
        if not isinstance(primary, ReplicationGroup):
            problems.add("primary", primary, "only a ReplicationGroup has copies in other Regions")
            problems.raise_if_any()
            return
        _check_primary(problems, primary)
        if node_type is not None:
            check_node_type(problems, node_type.name_in("cache"), "cache")
            _check_node_type(problems, "node_type", node_type)
        if engine is not None:
            problems.note(engine.check_elasticache())
        elif parameters is not None:
            hint = "set them on the primary, and AWS sets them everywhere"
            problems.add("parameters", dict(parameters), "they are for a new `engine`, and there is none", hint)
        if shards is not None and not primary.topology.cluster_mode:
            problems.add("shards", shards, "the primary is not in cluster mode", "leave it out")
        problems.check_range("shards", shards, 1, MAX_SHARDS, "a store has {low} to {high} shards")
        if suffix is not None and (reason := name_problem(suffix, max_length=_MAX_SUFFIX)) is not None:
            problems.add("suffix", suffix, reason)
        problems.raise_if_any()

    def join(self, member: Construct) -> str:
        """Admit a secondary in another Region; called by `SecondaryReplicationGroup`.

        Args:
            member: The secondary.

        Returns:
            The id of the global datastore, which the member's stack reads from a plain output of this one's.

        Raises:
            ConfigurationError: If the member's Region is not known, or has a member already, or there are two
                secondaries.
        """
        self._check_region(member)
        self._secondaries.append(member)
        deploy_after(member, self)
        return read_weakly(member, self, "Id", self.global_replication_group_id)

    def _check_region(self, member: Construct) -> None:
        problems = Problems(member)
        region = cdk.Stack.of(member).region
        taken = [cdk.Stack.of(other).region for other in (self.primary, *self._secondaries)]
        path = self.node.path
        if is_token(region) or is_token(taken[0]):
            reason = "a secondary stands in another Region than the primary, and one of the two is not known"
            problems.add("global_datastore", path, reason, "give both stacks an `env` with a Region")
        elif region in taken:
            reason = f"it has a member in {region} already"
            problems.add("global_datastore", path, reason, "define the secondary in a stack of another Region")
        if len(self._secondaries) >= _MAX_SECONDARIES:
            problems.add("global_datastore", path, f"it has {_MAX_SECONDARIES} secondaries, and AWS allows no more")
        problems.raise_if_any()

    @classmethod
    def from_global_datastore_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        global_replication_group_id: str,
        engine: Engine | str,
        shards: int | None = None,
        replicas: int = 1,
        open_access: bool = False,
    ) -> IGlobalDatastore:
        """Import a global datastore that another app owns, to add a secondary to it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            global_replication_group_id: Its id, prefix included.
            engine: Engine and version of its members.
            shards: Number of shards; None where cluster mode is off.
            replicas: Replicas of each shard of the primary, with which automatic failover is on.
            open_access: Whether anyone on the network gets in without signing in.

        Raises:
            ConfigurationError: With everything that a global datastore cannot have.
        """
        return _ImportedGlobalDatastore(scope, id, global_replication_group_id, engine, shards, replicas, open_access)


class _ImportedGlobalDatastore(cdk.Resource):
    def __init__(
        self,
        scope: Construct,
        id: str,
        global_replication_group_id: str,
        engine: Engine | str,
        shards: int | None,
        replicas: int,
        open_access: bool,
    ) -> None:
        super().__init__(scope, id)
        problems = Problems(self)
        check_required(problems, engine=engine)
        check_given(problems, replicas=replicas)
        known_engine = value_of(problems, "engine", engine, Engine)
        problems.check_range("shards", shards, 1, MAX_SHARDS, "a store has {low} to {high} shards")
        problems.check_range("replicas", replicas, 0, MAX_REPLICAS, "a shard has {low} to {high} replicas")
        check_flags(problems, open_access=open_access)
        given: object = global_replication_group_id
        if not is_token(given) and (not isinstance(given, str) or "-" not in given):
            reason = 'an id is a prefix that AWS chose, a hyphen and a suffix, such as "ldgnf-orders"'
            problems.add("global_replication_group_id", given, reason)
        problems.raise_if_any()
        topology = Topology(cast("Engine", known_engine), shards is not None, 1 if shards is None else shards, replicas)
        self.global_replication_group_id = global_replication_group_id
        self.topology = topology
        self.automatic_failover = topology.cluster_mode or topology.replicas != 0
        self.open_access = open_access

    def join(self, member: Construct) -> str:  # noqa: ARG002 - the Regions of its members are not known
        return self.global_replication_group_id


def _acknowledge_tags(datastore: Construct) -> None:
    """Let the CDK's validation pass the tags: its schema of the type is older than they are, and AWS takes them."""
    # An aws-cdk-lib that validates no templates has nothing to be told.
    if hasattr(cdk, "Validations"):
        cdk.Validations.of(datastore).acknowledge(
            cdk.Acknowledgment(id=_UNKNOWN_PROPERTY, reason="AWS::ElastiCache::GlobalReplicationGroup has Tags")
        )


def _check_primary(problems: Problems, primary: ReplicationGroup) -> None:
    path, resource = primary.node.path, primary.resource
    node_type = value_of(problems, "primary", resource.cache_node_type, NodeType)
    if node_type is not None:
        _check_node_type(problems, "primary", node_type)
    if resource.network_type not in (None, "ipv4"):
        problems.add("primary", path, "a global datastore has IPv4 addresses only", "leave out its `network_type`")
    if primary.auth_token is not None:
        reason = "it has an AUTH token, which its secondaries would have to share across Regions"
        problems.add("primary", path, reason, "give it users, which every member has for itself")


def _check_node_type(problems: Problems, parameter: str, node_type: NodeType) -> None:
    if is_token(node_type.name):
        return
    if node_type.family not in _NOT_ADMITTED and node_type.size.endswith("large"):
        return
    reason = "a global datastore needs nodes of size large at least, neither burstable nor of an older generation"
    problems.add(parameter, str(node_type), reason, "use a node type such as cache.r7g.large")
