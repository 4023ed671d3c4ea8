"""A MemoryDB Multi-Region cluster: one data set, written and read in up to five Regions.

everywhere = MultiRegionCluster(primary_stack, "Everywhere", node_type="db.r7g.xlarge", shards=2)
MemoryDbCluster(primary_stack, "Ledger", network=network, multi_region=everywhere)
MemoryDbCluster(other_stack, "Ledger", network=other_network, multi_region=everywhere)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.tokens import is_token
from cdk_redis._network.zones import MULTI_REGION_REGIONS
from cdk_redis._store.checks import MAX_SHARDS
from cdk_redis._values.engine import Engine

if TYPE_CHECKING:
    from aws_cdk import aws_memorydb as memorydb

# The service puts a prefix of its Region and a hyphen before it, "virxk-", and a cluster's name ends at 40.
_MAX_SUFFIX = 34
# R7g from xlarge on, says the guide; what AWS adds must not wait for this library.
_NODE_TYPE = re.compile(r"db\.r7g\.(\d*xlarge)")
_UPDATE_STRATEGIES = ("COORDINATED", "UNCOORDINATED")
_REGION = "@cdk-redis:multiRegionRegion"


class IMultiRegionCluster(Protocol):
    """A Multi-Region cluster, defined here or imported: what its members must know."""

    engine: Engine
    node_type: str
    shards: int
    tls: bool
    identity: object

    @property
    def multi_region_cluster_name(self) -> str:
        """Its whole name, with the prefix that the service puts before it."""
        ...


class MultiRegionCluster(cdk.Resource):
    """A MemoryDB Multi-Region cluster, whose members replicate to each other.

    Defines one ``AWS::MemoryDB::MultiRegionCluster``. It holds no data itself: each Region has one `MemoryDbCluster`
    with ``multi_region=...``, its member, up to five. Engine, node type, shards, TLS and parameters are decided here
    and are the same in all members; replicas, users, keys, windows and snapshots are each member's own.

    Changing `shards` or `node_type` scales all members in place. Changing `engine` or `parameter_group_name`
    **replaces** it and its members. It is deleted after its last member, and cannot be before.

    What the service does not have in Multi-Region clusters: keys with a time to live, data tiering, vector search,
    types other than strings, hashes, sets and sorted sets, and one endpoint for all Regions
    (https://docs.aws.amazon.com/memorydb/latest/devguide/multi-region.prereq.html). `SmokeTest` refuses members,
    because it puts a time to live on all that it writes.

    Members in other Regions stand in other stacks, which read its name across Regions: give all of these stacks
    ``cross_region_references=True``, or import it there by `from_multi_region_cluster_attributes`.

    Attributes:
        engine: Engine and version of all members.
        node_type: Node type of all members.
        shards: Number of shards of each member.
        tls: Whether members are reached over TLS: always.
        identity: Changes when members must be replaced; part of their generated names.
        resource: The L1 construct.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine | None = None,
        node_type: str = "db.r7g.xlarge",
        shards: int = 1,
        parameter_group_name: str | None = None,
        name_suffix: str | None = None,
        description: str | None = None,
        update_strategy: str | None = None,
    ) -> None:
        """Define the Multi-Region cluster; its members are defined one by one.

        Args:
            scope: Construct this one is defined in: a stack in any Region of a member.
            id: Id within the scope.
            engine: Engine and version, Valkey 7.3 or newer. Default: - ``Engine.valkey("7.3")``.
            node_type: Size of each node: ``db.r7g.xlarge`` or larger.
            shards: Number of shards, 1 to 500.
            parameter_group_name: A Multi-Region parameter group; members have no other. Default: - the service's,
                ``default.memorydb-valkey7.multiregion``.
            name_suffix: The end of its name, 1 to 34 lower-case letters, digits and single hyphens: the service puts
                a prefix before it. CloudFormation cannot replace one named by hand. Default: - generated from the path
                of this construct and from what forces a replacement.
            description: Text shown in the console. Default: - the path of this construct.
            update_strategy: How shards are added: ``"COORDINATED"``, in all Regions or in none, or
                ``"UNCOORDINATED"``, in each as soon as it can. Default: - the service's, COORDINATED.

        Raises:
            ConfigurationError: With every parameter that AWS would refuse.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        self.engine = engine or Engine.valkey("7.3")
        self.node_type = node_type
        self.shards = shards
        self.tls = True
        self._check(name_suffix, update_strategy)
        forces_replacement = [self.engine.name, self.engine.version, parameter_group_name]
        suffix = name_suffix or unique_name(self, max_length=_MAX_SUFFIX, replaced_by=forces_replacement)
        self.identity: object = [suffix, *forces_replacement]
        self.resource: memorydb.CfnMultiRegionCluster = define(
            memorydb.CfnMultiRegionCluster,
            self,
            "Resource",
            description=description or self.node.path,
            engine=self.engine.name,
            engine_version=self.engine.version,
            multi_region_cluster_name_suffix=suffix,
            multi_region_parameter_group_name=parameter_group_name,
            node_type=node_type,
            num_shards=shards,
            tls_enabled=self.tls,
            update_strategy=update_strategy,
        )
        # Nothing is lost with it: the service refuses to delete it as long as it has a member.
        self.resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        warn_of_region(self)

    @property
    def multi_region_cluster_name(self) -> str:
        """Its whole name, with the prefix that the service puts before it; a token."""
        return self.resource.ref

    @classmethod
    def from_multi_region_cluster_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        multi_region_cluster_name: str,
        engine: Engine | None = None,
        node_type: str = "db.r7g.xlarge",
        shards: int = 1,
    ) -> IMultiRegionCluster:
        """Import one that another app or another Region owns, to define a member of it.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            multi_region_cluster_name: Its whole name, with the service's prefix, as the console shows it.
            engine: Its engine and version. Default: - ``Engine.valkey("7.3")``.
            node_type: Its node type.
            shards: Its number of shards.
        """
        return _ImportedMultiRegionCluster(
            scope, id, multi_region_cluster_name, engine or Engine.valkey("7.3"), node_type, shards
        )

    def _check(self, name_suffix: str | None, update_strategy: str | None) -> None:
        problems = Problems(self)
        problems.note(self.engine.check_memorydb())
        check_multi_region_engine(problems, self.engine)
        problems.check_range("shards", self.shards, 1, MAX_SHARDS, "a store has {low} to {high} shards")
        if not is_token(self.node_type) and not _NODE_TYPE.fullmatch(str(self.node_type)):
            problems.add("node_type", self.node_type, "Multi-Region clusters run on db.r7g.xlarge and larger")
        check_name(problems, "name_suffix", name_suffix, max_length=_MAX_SUFFIX)
        if update_strategy is not None and not is_token(update_strategy) and update_strategy not in _UPDATE_STRATEGIES:
            problems.add("update_strategy", update_strategy, f"it is one of {', '.join(_UPDATE_STRATEGIES)}")
        problems.raise_if_any()


class _ImportedMultiRegionCluster(cdk.Resource):
    def __init__(
        self, scope: Construct, id: str, multi_region_cluster_name: str, engine: Engine, node_type: str, shards: int
    ) -> None:
        super().__init__(scope, id)
        self.multi_region_cluster_name = multi_region_cluster_name
        self.engine = engine
        self.node_type = node_type
        self.shards = shards
        self.tls = True
        self.identity: object = [multi_region_cluster_name]


def check_multi_region_engine(problems: Problems, engine: Engine) -> None:
    """Note an engine that Multi-Region clusters do not run: they begin with Valkey 7.3."""
    if is_token(engine.name) or is_token(engine.version):
        return
    if engine.name != "valkey" or engine.major_minor < (7, 3):
        problems.add("engine", str(engine), "Multi-Region clusters run Valkey 7.3 or newer")


def warn_of_region(resource: cdk.Resource) -> None:
    """Warn where the Region is known and AWS's guide does not list it for Multi-Region clusters."""
    region = cdk.Stack.of(resource).region
    if is_token(region) or region in MULTI_REGION_REGIONS:
        return
    cdk.Annotations.of(resource).add_warning_v2(
        _REGION, f"MemoryDB Multi-Region is not known to run in {region}, but in {', '.join(MULTI_REGION_REGIONS)}"
    )
