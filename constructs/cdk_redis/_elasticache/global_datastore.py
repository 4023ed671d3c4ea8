"""A global datastore: a primary replication group for writes, and secondaries in other Regions for reads.

In the stack of the primary:

cache = ReplicationGroup(self, "Cache", network=network, node_type="cache.r7g.large")
self.global_datastore = GlobalDatastore(self, "GlobalDatastore", primary=cache)

In a stack of another Region:

SecondaryReplicationGroup(self, "Cache", network=network, global_datastore=primary_stack.global_datastore)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.location import check_location
from cdk_redis._core.naming import description_of, name_problem, unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.taken_names import check_not_taken
from cdk_redis._core.tokens import is_token
from cdk_redis._core.weak_reference import deploy_after, read_weakly
from cdk_redis._elasticache.durability import Durability
from cdk_redis._elasticache.node_types import NODE_TYPES
from cdk_redis._elasticache.parameter_group import ElastiCacheParameterGroup, check_settings
from cdk_redis._elasticache.replication_group import ReplicationGroup
from cdk_redis._store.checks import MAX_REPLICAS, MAX_SHARDS, check_node_type, check_parameters, check_topology
from cdk_redis._values.engine import Engine
from cdk_redis._values.node_type import NodeType
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache

# AWS puts a prefix and a hyphen before it.
_MAX_SUFFIX = 34
_MAX_SECONDARIES = 2
_ID = re.compile(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)+")
# "Global datastores are supported on the following instance families in size large and above."
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Redis-Global-Datastores-Getting-Started.html
# Read on 2026-11-21. A family that the table of node types lacks passes, so that NodeType.of can be used.
FAMILIES = ["m5", "m6g", "m7g", "m8g", "r5", "r6g", "r6gd", "r7g", "r8g", "c7gn", "c8gn"]
# The older guide, of 2023, says "use Redis engine version 5.0.6 or higher"; the newer one names no version.
_FIRST_REDIS = "5.0.6"
_UNKNOWN_PROPERTY = "CloudFormation-Validate::F3002"


class IGlobalDatastore(Protocol):
    """A global datastore, defined here or imported."""

    topology: Topology
    """Engine and shards of all members, and replicas of the primary."""

    automatic_failover: bool
    """Whether automatic failover is on, in all members as in the primary."""

    open_access: bool
    """Whether anyone on the network can connect without signing in."""

    def join(self, member: Construct) -> str:
        """Add a secondary; returns the id of the global datastore for the stack of the secondary."""
        ...


class GlobalDatastore(cdk.Resource):
    """Replicates a replication group to other Regions.

    Defines one ``AWS::ElastiCache::GlobalReplicationGroup`` with the primary as its only member; each
    `SecondaryReplicationGroup` joins it from a stack in another Region. Replication usually takes less than a second.
    AWS does not promote a secondary automatically: you promote it. When the global datastore is deleted, its members
    stay as separate replication groups.

    Once it is created, AWS rejects changes of engine, node type and number of shards of a single member: do not change
    them on the primary, and set the new ones here. AWS changes all members in place.

    Attributes:
        resource: The L1 construct, for properties that this construct does not have.
        global_replication_group_id: Its id, a prefix that AWS chooses and the suffix; a token.
        primary: The primary replication group.
        topology: Engine and shards of all members, and replicas of the primary.
        automatic_failover: Whether automatic failover is on, in all members as in the primary.
        open_access: Whether anyone on the network can connect without signing in.
    """

    @checked_arguments
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
        extra_parameters: Mapping[str, str] | None = None,
        suffix: str | None = None,
        description: str | None = None,
    ) -> None:
        """Define the global datastore.

        Args:
            scope: Construct this one is defined in: the stack of the primary.
            id: Id within the scope.
            primary: The primary replication group: nodes of size ``large`` or larger that are not burstable, IPv4
                addresses, users instead of an AUTH token, and no auto scaling.
            engine: New engine and version of all members. Default: - those of the primary.
            node_type: New node type of all members. Default: - that of the primary.
            shards: New number of shards of all members, in cluster mode. Default: - that of the primary.
            parameters: Engine settings for a new `engine`; a parameter group is created for it. Their names and values
                are checked against the family. Default: - the family's settings. Without a new engine, all members have
                the settings of the primary.
            extra_parameters: Engine settings for a new `engine` whose names or values this library does not know,
                passed on unchecked.
            suffix: End of its id, 1 to 34 lower-case letters, digits and single hyphens. Cannot be changed.
                Default: - generated from the path of this construct.
            description: Text shown in the console. Default: - the path of this construct.

        Raises:
            ConfigurationError: With every parameter that AWS would reject.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        engine = value_of(problems, "engine", engine, Engine)
        node_type = value_of(problems, "node_type", node_type, NodeType)
        check_parameters(problems, parameters)
        # Later checks read the values.
        problems.raise_if_any()
        self._check(primary, engine, node_type, shards, parameters, extra_parameters, suffix)
        self.primary = primary
        self._secondaries: list[Construct] = []
        self.topology = primary.join_global_datastore(engine=engine, shards=shards)
        self.open_access = primary.open_access
        self.automatic_failover = primary.resource.automatic_failover_enabled is True
        _acknowledge_tags(self)
        self.resource = self._create(engine, node_type, shards, parameters, extra_parameters, suffix, description)
        self.global_replication_group_id: str = self.resource.ref

    def _create(
        self,
        engine: Engine | None,
        node_type: NodeType | None,
        shards: int | None,
        parameters: Mapping[str, str] | None,
        extra_parameters: Mapping[str, str] | None,
        suffix: str | None,
        description: str | None,
    ) -> elasticache.CfnGlobalReplicationGroup:
        from aws_cdk import aws_elasticache as elasticache

        parameter_group = engine and ElastiCacheParameterGroup(
            self,
            "Parameters",
            engine=engine,
            cluster_mode=self.topology.cluster_mode,
            parameters=parameters,
            extra_parameters=extra_parameters,
        )
        return define(
            elasticache.CfnGlobalReplicationGroup,
            self,
            "Resource",
            # Only the primary, because "GlobalReplicationGroup cannot be created with multiple members".
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
            global_replication_group_description=description or description_of(self.node.path),
        )

    def _check(
        self,
        primary: ReplicationGroup,
        engine: Engine | None,
        node_type: NodeType | None,
        shards: int | None,
        parameters: Mapping[str, str] | None,
        extra_parameters: Mapping[str, str] | None,
        suffix: str | None,
    ) -> None:
        problems = Problems(self)
        _check_primary(problems, primary)
        if node_type is not None:
            check_node_type(problems, node_type, NODE_TYPES, engine or primary.topology.engine)
            _check_node_type(problems, "node_type", node_type)
        if engine is not None:
            problems.note(engine.check_elasticache())
            _check_engine(problems, "engine", engine)
            data_tiering = (node_type or primary.node_type).data_tiering
            check_settings(problems, parameters, extra_parameters, engine, data_tiering=data_tiering)
        else:
            _check_no_parameters(problems, parameters=parameters, extra_parameters=extra_parameters)
        if shards is not None and not primary.topology.cluster_mode:
            problems.add("shards", shards, "the primary is not in cluster mode", "leave it out")
        if shards is not None:
            check_topology(problems, shards, primary.topology.replicas or 0)
        if suffix is not None and (reason := name_problem(suffix, max_length=_MAX_SUFFIX)) is not None:
            problems.add("suffix", suffix, reason)
        check_not_taken(problems, "suffix", suffix, scope=self, kind="global datastore")
        problems.raise_if_any()

    @checked_arguments
    def join(self, member: Construct) -> str:
        """Add a secondary in another Region; `SecondaryReplicationGroup` calls this.

        Args:
            member: The secondary.

        Returns:
            The id of the global datastore, which the secondary's stack reads from an output of this stack.

        Raises:
            ConfigurationError: If the Region of the secondary is not known or has a member already, or there are two
                secondaries already.
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
            reason = "a secondary must be in another Region than the primary, and one of the two Regions is not known"
            problems.add("global_datastore", path, reason, "give both stacks an `env` with a Region")
        elif region in taken:
            reason = f"it has a member in {region} already"
            problems.add("global_datastore", path, reason, "define the secondary in a stack of another Region")
        elif region.startswith("cn-") is not taken[0].startswith("cn-"):
            # "The exception to this are China (Beijing) Region and China (Ningxia) regions, where replication can only
            # occur between the two regions." (the page above)
            reason = f"the primary is in {taken[0]}, and Regions in China replicate only to each other"
            problems.add("global_datastore", path, reason, "choose another Region for the secondary")
        what, user = "a global datastore", "the secondary"
        check_location(
            problems, "global_datastore", self.primary, what, scope=member, user=user, region=False, account=True
        )
        if len(self._secondaries) >= _MAX_SECONDARIES:
            problems.add("global_datastore", path, f"it has {_MAX_SECONDARIES} secondaries, and AWS allows no more")
        problems.raise_if_any()

    @classmethod
    @checked_arguments
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
            shards: Number of shards; None if cluster mode is off.
            replicas: Replicas of each shard of the primary; with one or more, automatic failover is on.
            open_access: Whether anyone on the network can connect without signing in.

        Raises:
            ConfigurationError: With every parameter that is invalid for a global datastore.
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
        known_engine = value_of(problems, "engine", engine, Engine)
        if known_engine is not None:
            _check_engine(problems, "engine", known_engine)
        problems.check_range("shards", shards, 1, MAX_SHARDS, "a store has {low} to {high} shards")
        problems.check_range("replicas", replicas, 0, MAX_REPLICAS, "a shard has {low} to {high} replicas")
        given = global_replication_group_id
        if not is_token(given) and not _ID.fullmatch(given):
            reason = 'an id has a prefix that AWS chooses, a hyphen and a suffix, such as "ldgnf-orders"'
            problems.add("global_replication_group_id", given, reason)
        problems.raise_if_any()
        topology = Topology(cast("Engine", known_engine), shards is not None, 1 if shards is None else shards, replicas)
        self.global_replication_group_id = global_replication_group_id
        self.topology = topology
        self.automatic_failover = topology.cluster_mode or topology.replicas != 0
        self.open_access = open_access
        self._secondaries: list[Construct] = []

    def join(self, member: Construct) -> str:
        """Add a secondary; the primary, and what other apps have added, are not known."""
        problems = Problems(member)
        path, stack = self.node.path, cdk.Stack.of(member)
        for other in map(cdk.Stack.of, self._secondaries):
            if stack is other or (stack.region == other.region and not is_token(stack.region)):
                reason = f"it has a member in {'this stack' if is_token(stack.region) else stack.region} already"
                hint = "define the secondary in a stack of another Region"
                problems.add("global_datastore", path, reason, hint)
                break
        if len(self._secondaries) >= _MAX_SECONDARIES:
            problems.add("global_datastore", path, f"it has {_MAX_SECONDARIES} secondaries, and AWS allows no more")
        problems.raise_if_any()
        self._secondaries.append(member)
        return self.global_replication_group_id


def _acknowledge_tags(datastore: Construct) -> None:
    """Acknowledge the CDK's validation error for the tags: AWS accepts them, and the CDK's schema is too old."""
    # Older versions of aws-cdk-lib do not validate templates.
    if hasattr(cdk, "Validations"):
        cdk.Validations.of(datastore).acknowledge(
            cdk.Acknowledgment(id=_UNKNOWN_PROPERTY, reason="AWS::ElastiCache::GlobalReplicationGroup has Tags")
        )


def _check_primary(problems: Problems, primary: ReplicationGroup) -> None:
    path, resource = primary.node.path, primary.resource
    _check_node_type(problems, "primary", primary.node_type)
    _check_engine(problems, "primary", primary.topology.engine)
    # The oldest versions of aws-cdk-lib have neither property.
    if getattr(resource, "durability", None) in (Durability.SYNC.value, Durability.ASYNC.value):
        reason = "a global datastore does not support durability"
        problems.add("primary", path, reason, "leave out its `durability`")
    if any(primary.node.try_find_child(scaling) is not None for scaling in ("ShardScaling", "ReplicaScaling")):
        reason = "ElastiCache does not scale members of a global datastore"
        problems.add("primary", path, reason, "leave out scale_shards and scale_replicas")
    if getattr(resource, "network_type", None) not in (None, "ipv4"):
        problems.add("primary", path, "a global datastore has IPv4 addresses only", "leave out its `network_type`")
    if primary.auth_token is not None:
        reason = "it has an AUTH token, which its secondaries would have to share across Regions"
        problems.add("primary", path, reason, "use users instead; each member has its own")


def _check_node_type(problems: Problems, parameter: str, node_type: NodeType) -> None:
    if not node_type.checked or node_type.family not in NODE_TYPES.families:
        return
    if node_type.family not in FAMILIES or not node_type.size.endswith("large"):
        reason = f"a global datastore needs {', '.join(FAMILIES)} nodes of size large or larger"
        problems.add(parameter, str(node_type), reason, "use a node type such as cache.r7g.large")


def _check_engine(problems: Problems, parameter: str, engine: Engine) -> None:
    if not engine.is_at_least(valkey="7.2", redis=_FIRST_REDIS):
        reason = f"a global datastore needs Redis OSS {_FIRST_REDIS} or newer, or Valkey"
        problems.add(parameter, str(engine), reason, "choose a newer engine")


def _check_no_parameters(problems: Problems, **given: Mapping[str, str] | None) -> None:
    for parameter, settings in given.items():
        if settings is not None:
            hint = "set them on the primary; AWS copies them to all members"
            problems.add(parameter, settings, "they are for a new `engine`, which is not set", hint)
