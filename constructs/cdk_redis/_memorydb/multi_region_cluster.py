"""A MemoryDB Multi-Region cluster: one data set that applications read and write in up to five Regions.

everywhere = MultiRegionCluster(primary_stack, "Everywhere", node_type="db.r7g.xlarge", shards=2)
MemoryDbCluster(primary_stack, "Ledger", network=network, multi_region=everywhere)
MemoryDbCluster(other_stack, "Ledger", network=other_network, multi_region=everywhere)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import check_name, value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import description_of, name_by_properties
from cdk_redis._core.resource import define
from cdk_redis._core.tokens import is_token
from cdk_redis._memorydb.defaults import DEFAULT_ENGINE
from cdk_redis._memorydb.node_types import NODE_TYPES
from cdk_redis._memorydb.regions import warn_of_region
from cdk_redis._store.checks import MAX_SHARDS, check_node_type
from cdk_redis._values.engine import Engine
from cdk_redis._values.node_type import NodeType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_ec2 as ec2

    from cdk_redis._store.parameter_groups import IParameterGroup

# A change of any of these replaces the Multi-Region cluster, which then needs a new name.
_REPLACING = ("engine_version", "multi_region_parameter_group_name", "tls_enabled")
_DEFAULT_NODE_TYPE = "db.r7g.xlarge"
# MemoryDB adds a prefix of five characters and a hyphen, such as "virxk-"; names have 40 characters at most.
_MAX_SUFFIX = 34
_UPDATE_STRATEGIES = ("COORDINATED", "UNCOORDINATED")


class IMultiRegionCluster(Protocol):
    """A Multi-Region cluster, defined here or imported, with the attributes that its members read."""

    engine: Engine
    node_type: NodeType
    shards: int
    tls: bool
    identity: str

    @property
    def multi_region_cluster_name(self) -> str:
        """Its full name, with the prefix that MemoryDB adds."""
        ...


class MultiRegionCluster(cdk.Resource):
    """A MemoryDB Multi-Region cluster, whose members replicate to each other.

    Defines one ``AWS::MemoryDB::MultiRegionCluster``, which holds no data itself. Each of up to five Regions has one
    member, a `MemoryDbCluster` with ``multi_region=...``. All members have the engine, node type, shards, TLS and
    parameters that are set here; each member has its own replicas, users, key, windows and snapshots.

    A change of `shards` or `node_type` scales all members in place. A change of `engine` or `parameter_group_name`
    **replaces** the Multi-Region cluster and its members. MemoryDB deletes it only after its last member.

    Multi-Region clusters do not support keys with a time to live, data tiering, vector search, types other than
    strings, hashes, sets and sorted sets, or one endpoint for all Regions
    (https://docs.aws.amazon.com/memorydb/latest/devguide/multi-region.prereq.html). `SmokeTest` refuses members,
    because all keys that it writes have a time to live.

    Members in other Regions are defined in other stacks, which need its name: give all of these stacks
    ``cross_region_references=True``, or import it there with `from_multi_region_cluster_attributes`.

    Attributes:
        engine: Engine and version of all members.
        node_type: Node type of all members.
        shards: Number of shards of each member.
        tls: Whether members use TLS: always True.
        identity: Changes when members must be replaced; part of their generated names.
        resource: The L1 construct.
    """

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine | str | None = None,
        node_type: NodeType | ec2.InstanceType | str = _DEFAULT_NODE_TYPE,
        shards: int = 1,
        parameter_group_name: str | None = None,
        name_suffix: str | None = None,
        description: str | None = None,
        update_strategy: str | None = None,
    ) -> None:
        """Define the Multi-Region cluster. Define its members one by one.

        Args:
            scope: Construct this one is defined in: a stack in the Region of any member.
            id: Id within the scope.
            engine: Engine and version, Valkey 7.3 or newer. Default: - ``"valkey:7.3"``.
            node_type: Size of each node: ``db.r7g.xlarge`` or larger; `NodeType.of` accepts a newer one.
            shards: Number of shards, 1 to 500.
            parameter_group_name: A Multi-Region parameter group, which all members use. Default: - the service's,
                ``default.memorydb-valkey7.multiregion``.
            name_suffix: The end of its name, 1 to 34 lower-case letters, digits and single hyphens; MemoryDB adds a
                prefix. CloudFormation cannot replace a Multi-Region cluster with a suffix that you give.
                Default: - generated from the path of this construct and the properties that force a replacement.
            description: Text shown in the console. Default: - the path of this construct.
            update_strategy: How MemoryDB adds shards: ``"COORDINATED"``, in all Regions or in none, or
                ``"UNCOORDINATED"``, in each Region as soon as possible. Default: - the service's, COORDINATED.

        Raises:
            ConfigurationError: With every parameter that AWS would refuse.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        problems = Problems(self)
        engine = value_of(problems, "engine", engine, Engine) or DEFAULT_ENGINE
        node_type = value_of(problems, "node_type", node_type, NodeType) or NodeType(_DEFAULT_NODE_TYPE)
        problems.note(engine.check_memorydb())
        _check_engine(problems, engine)
        _check_node_type(problems, node_type, engine)
        problems.check_range("shards", shards, 1, MAX_SHARDS, "a store has {low} to {high} shards")
        check_name(problems, "name_suffix", name_suffix, max_length=_MAX_SUFFIX)
        _check_update_strategy(problems, update_strategy)
        problems.raise_if_any()

        self.engine = engine
        self.node_type = node_type
        self.shards = shards
        self.tls = True
        self.resource = define(
            memorydb.CfnMultiRegionCluster,
            self,
            "Resource",
            description=description or description_of(self.node.path),
            engine=engine.name,
            engine_version=engine.version,
            multi_region_cluster_name_suffix=name_suffix,
            multi_region_parameter_group_name=parameter_group_name,
            node_type=node_type.name_in("db"),
            num_shards=shards,
            tls_enabled=self.tls,
            update_strategy=update_strategy,
        )
        # A reference to it is the same text in the template before and after a replacement; the suffix changes.
        self.identity = name_suffix or name_by_properties(self.resource, _REPLACING, max_length=_MAX_SUFFIX)
        self.resource.multi_region_cluster_name_suffix = self.identity
        # No data is lost: MemoryDB refuses to delete it as long as it has a member.
        self.resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        warn_of_region(self, multi_region=True)

    @property
    def multi_region_cluster_name(self) -> str:
        """Its full name, with the prefix that MemoryDB adds; a token."""
        return self.resource.ref

    @classmethod
    @checked_arguments
    def from_multi_region_cluster_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        multi_region_cluster_name: str,
        engine: Engine | str | None = None,
        node_type: NodeType | ec2.InstanceType | str = _DEFAULT_NODE_TYPE,
        shards: int = 1,
    ) -> IMultiRegionCluster:
        """Import one that another app or another Region owns, to define a member of it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            multi_region_cluster_name: Its full name, with MemoryDB's prefix, as the console shows it.
            engine: Its engine and version. Default: - ``"valkey:7.3"``.
            node_type: Its node type.
            shards: Its number of shards.

        Raises:
            ConfigurationError: If a Multi-Region cluster cannot have the engine, the node type or the shards.
        """
        return _ImportedMultiRegionCluster(scope, id, multi_region_cluster_name, engine, node_type, shards)


class _ImportedMultiRegionCluster(cdk.Resource):
    def __init__(self, scope: Construct, id: str, name: str, engine: object, node_type: object, shards: int) -> None:
        super().__init__(scope, id)
        problems = Problems(self)
        self.engine = value_of(problems, "engine", engine, Engine) or DEFAULT_ENGINE
        self.node_type = value_of(problems, "node_type", node_type, NodeType) or NodeType(_DEFAULT_NODE_TYPE)
        self.shards = shards
        self.tls = True
        self.multi_region_cluster_name = name
        self.identity = name
        _check_engine(problems, self.engine)
        _check_node_type(problems, self.node_type, self.engine)
        problems.check_range("shards", shards, 1, MAX_SHARDS, "a store has {low} to {high} shards")
        problems.raise_if_any()


def check_member(
    problems: Problems,
    multi_region: IMultiRegionCluster,
    engine: Engine | None,
    node_type: NodeType | None,
    shards: int | None,
    plaintext: bool,
) -> None:
    """Check that a member leaves out the parameters of its Multi-Region cluster, or has the same values.

    Args:
        problems: Where to add problems.
        multi_region: The Multi-Region cluster.
        engine: Engine of the member; None if it is left out.
        node_type: Node type of the member; None if it is left out.
        shards: Shards of the member; None if they are left out.
        plaintext: Whether the member has `unsafe_plaintext`.
    """
    for parameter, given, its in (
        ("engine", engine, multi_region.engine),
        ("node_type", node_type, multi_region.node_type),
        ("shards", shards, multi_region.shards),
    ):
        if given not in (None, its):
            shown = given if isinstance(given, int) else str(given)
            problems.add(parameter, shown, f"the Multi-Region cluster sets it to {its}", "leave it out")
    if plaintext:
        problems.add("unsafe_plaintext", True, "the members of a Multi-Region cluster use TLS", "leave it out")


def check_member_parameters(
    problems: Problems,
    parameters: Mapping[str, str] | None,
    extra_parameters: Mapping[str, str] | None,
    parameter_group: IParameterGroup | None,
) -> None:
    """Check that a member has no engine settings: they are in the parameter group of the Multi-Region cluster.

    Args:
        problems: Where to add problems.
        parameters: `parameters` of the member.
        extra_parameters: `extra_parameters` of the member.
        parameter_group: `parameter_group` of the member.
    """
    hint = "give the Multi-Region cluster a `parameter_group_name`"
    for parameter, given in (("parameters", parameters), ("extra_parameters", extra_parameters)):
        if given is not None:
            problems.add(parameter, given, "the Multi-Region cluster sets the parameters", hint)
    if parameter_group is not None:
        name = parameter_group.parameter_group_name
        problems.add("parameter_group", name, "the Multi-Region cluster sets it", hint)


def _check_engine(problems: Problems, engine: Engine) -> None:
    if not engine.is_at_least(valkey="7.3", redis=None):
        problems.add("engine", str(engine), "Multi-Region clusters run Valkey 7.3 or newer")


def _check_node_type(problems: Problems, node_type: NodeType, engine: Engine) -> None:
    check_node_type(problems, node_type, NODE_TYPES, engine)
    # "MemoryDB Multi-Region is supported on R7g nodes of size XL and above."
    # https://docs.aws.amazon.com/memorydb/latest/devguide/multi-region.prereq.html, read on 2026-11-21
    if not node_type.checked or node_type.family not in NODE_TYPES.families or node_type.prefix == "cache":
        return
    if node_type.family != "r7g" or not node_type.size.endswith("xlarge"):
        reason = "Multi-Region clusters run on db.r7g.xlarge and larger"
        problems.add("node_type", str(node_type), reason, "use one such as db.r7g.xlarge")


def _check_update_strategy(problems: Problems, given: object) -> None:
    if given is not None and not is_token(given) and given not in _UPDATE_STRATEGIES:
        problems.add("update_strategy", given, f"it is one of {', '.join(_UPDATE_STRATEGIES)}")
