"""Auto scaling of replication groups: Application Auto Scaling changes the number of shards or replicas.

cache.scale_shards(minimum=3, maximum=10).track_memory(60)
cache.scale_replicas(minimum=1, maximum=5).track_cpu(50)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import value_of
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.tokens import is_token
from cdk_redis._elasticache.node_types import NODE_TYPES
from cdk_redis._store.checks import MAX_REPLICAS, MAX_SHARDS

if TYPE_CHECKING:
    from aws_cdk import aws_applicationautoscaling as autoscaling
    from aws_cdk import aws_elasticache as elasticache

    from cdk_redis._values.engine import Engine
    from cdk_redis._values.node_type import NodeType
    from cdk_redis._values.topology import Topology

# ElastiCache rejects other target values.
_LOWEST_TARGET, _HIGHEST_TARGET = 35, 70
# "ElastiCache Auto Scaling is limited to": clusters in cluster mode with Valkey 7.2 or Redis OSS 6.0 onwards, with data
# tiering Redis OSS 7.0.7 onwards; these families and sizes; no members of a global datastore.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoScaling.html, read on 2026-11-21
# A family that the table of node types does not have passes, so that NodeType.of can be scaled.
FAMILIES = ["r8g", "r8gd", "r7g", "r7gd", "r6g", "r6gd", "r5", "m8g", "m7g", "m6g", "m5", "c8gn", "c7gn"]
_SIZES = ("large", "xlarge", "2xlarge")
_COOLDOWN = cdk.Duration.minutes(10)


class _Scaling(Construct):
    """A scalable target of Application Auto Scaling.

    Attributes:
        target: The L2 scalable target, for schedules and policies that this construct does not have.
    """

    _what: str
    _dimension: str

    @checked_arguments
    def __init__(
        self, scope: Construct, id: str, *, resource: elasticache.CfnReplicationGroup, minimum: int, maximum: int
    ) -> None:
        super().__init__(scope, id)
        from aws_cdk import aws_applicationautoscaling as autoscaling

        problems = Problems(self)
        _check_bounds(problems, self._what, minimum, maximum)
        if _are_numbers(minimum, maximum) and minimum > maximum:
            problems.add("minimum, maximum", (minimum, maximum), "the minimum must not be greater than the maximum")
        problems.raise_if_any()

        self._resource = resource
        self.target: autoscaling.ScalableTarget = autoscaling.ScalableTarget(
            self,
            "Target",
            service_namespace=autoscaling.ServiceNamespace.ELASTICACHE,
            scalable_dimension=f"elasticache:replication-group:{self._dimension}",
            resource_id=f"replication-group/{resource.ref}",
            min_capacity=minimum,
            max_capacity=maximum,
        )

    def _track(self, id: str, metric: str, percent: int, scale_in_cooldown: cdk.Duration | None) -> None:
        from aws_cdk import aws_applicationautoscaling as autoscaling

        problems = Problems(self)
        scale_in_cooldown = value_of(problems, "scale_in_cooldown", scale_in_cooldown, cdk.Duration)
        problems.check_range(
            "percent", percent, _LOWEST_TARGET, _HIGHEST_TARGET, "ElastiCache accepts {low} to {high} percent"
        )
        if self.node.try_find_child(id) is not None:
            problems.add("percent", percent, "this metric has a policy already", "call the method once")
        problems.raise_if_any()
        autoscaling.TargetTrackingScalingPolicy(
            self,
            id,
            scaling_target=self.target,
            target_value=percent,
            predefined_metric=getattr(autoscaling.PredefinedMetric, metric),
            scale_in_cooldown=scale_in_cooldown or _COOLDOWN,
            scale_out_cooldown=_COOLDOWN,
        )


class ShardScaling(_Scaling):
    """Auto scaling of the number of shards. `ReplicationGroup.scale_shards` returns one.

    Attributes:
        target: The L2 scalable target, for schedules and policies that this construct does not have.
    """

    _what = "shards"
    _dimension = "NodeGroups"

    @checked_arguments
    def track_cpu(self, percent: int = 60, *, scale_in_cooldown: cdk.Duration | None = None) -> ShardScaling:
        """Add and remove shards to keep the CPU utilization of the primaries at a target.

        Args:
            percent: Target for the average engine CPU utilization of the primaries, 35 to 70 percent.
            scale_in_cooldown: Minimum time between two removals. Default: - ten minutes.

        Raises:
            ConfigurationError: If the percentage is out of range, or this metric has a policy already.
        """
        self._track("Cpu", "ELASTICACHE_PRIMARY_ENGINE_CPU_UTILIZATION", percent, scale_in_cooldown)
        return self

    @checked_arguments
    def track_memory(self, percent: int = 60, *, scale_in_cooldown: cdk.Duration | None = None) -> ShardScaling:
        """Add and remove shards to keep the memory usage at a target.

        Args:
            percent: Target for the average usage of the memory for data, 35 to 70 percent.
            scale_in_cooldown: Minimum time between two removals. Default: - ten minutes.

        Raises:
            ConfigurationError: If the percentage is out of range, this metric has a policy already, or the nodes have
                data tiering: they use all their memory before their disks.
        """
        if self._resource.data_tiering_enabled is True:
            reason = "nodes with data tiering use all their memory before their disks"
            raise ConfigurationError(self.node.path, [problem("percent", percent, reason, "use `track_capacity`")])
        metric = "ELASTICACHE_DATABASE_MEMORY_USAGE_COUNTED_FOR_EVICT_PERCENTAGE"
        self._track("Memory", metric, percent, scale_in_cooldown)
        return self

    @checked_arguments
    def track_capacity(self, percent: int = 60, *, scale_in_cooldown: cdk.Duration | None = None) -> ShardScaling:
        """Add and remove shards to keep the usage of memory and, with data tiering, of disks at a target.

        Args:
            percent: Target for the average usage of memory and disks for data, 35 to 70 percent.
            scale_in_cooldown: Minimum time between two removals. Default: - ten minutes.

        Raises:
            ConfigurationError: If the percentage is out of range, or this metric has a policy already.
        """
        metric = "ELASTICACHE_DATABASE_CAPACITY_USAGE_COUNTED_FOR_EVICT_PERCENTAGE"
        self._track("Capacity", metric, percent, scale_in_cooldown)
        return self


class ReplicaScaling(_Scaling):
    """Auto scaling of the number of replicas of each shard. `ReplicationGroup.scale_replicas` returns one.

    Attributes:
        target: The L2 scalable target, for schedules and policies that this construct does not have.
    """

    _what = "replicas"
    _dimension = "Replicas"

    @checked_arguments
    def track_cpu(self, percent: int = 60, *, scale_in_cooldown: cdk.Duration | None = None) -> ReplicaScaling:
        """Add and remove replicas of each shard to keep the CPU utilization of the replicas at a target.

        Args:
            percent: Target for the average engine CPU utilization of the replicas, 35 to 70 percent.
            scale_in_cooldown: Minimum time between two removals. Default: - ten minutes.

        Raises:
            ConfigurationError: If the percentage is out of range, or this metric has a policy already.
        """
        self._track("Cpu", "ELASTICACHE_REPLICA_ENGINE_CPU_UTILIZATION", percent, scale_in_cooldown)
        return self


def check_scaling(
    store: Construct,
    what: str,
    *,
    node_type: NodeType,
    topology: Topology,
    minimum: int,
    maximum: int,
    placed: bool,
    in_global_datastore: bool,
) -> None:
    """Check that Application Auto Scaling can scale a store.

    Args:
        store: The store.
        what: ``"shards"`` or ``"replicas"``.
        node_type: Type of its nodes.
        topology: Its declared engine, shards and replicas.
        minimum: Smallest number of shards or replicas.
        maximum: Largest number of shards or replicas.
        placed: Whether the store has `placement`.
        in_global_datastore: Whether it is the primary of a global datastore.

    Raises:
        ConfigurationError: With all problems.
    """
    problems = Problems(store)
    current = (topology.shards or 1) if what == "shards" else (topology.replicas or 0)
    _check_bounds(problems, what, minimum, maximum)
    if not topology.cluster_mode:
        problems.add(what, current, "only a store in cluster mode can be scaled", "give a number of `shards`")
    # A deployment that changes the store resets the number to that of the template, which must be within the bounds.
    if _are_numbers(current, minimum, maximum) and not minimum <= current <= maximum:
        reason = f"the store has {current} {what}, and a deployment resets it to that number"
        problems.add("minimum, maximum", (minimum, maximum), reason, f"choose bounds that include {current}")
    if placed:
        problems.add(what, current, "ElastiCache does not scale a store with `placement`", "leave out `placement`")
    if in_global_datastore:
        reason = "ElastiCache does not scale members of a global datastore"
        problems.add(what, current, reason, "change `shards` of the GlobalDatastore")
    _check_nodes(problems, node_type, topology.engine)
    problems.raise_if_any()


def _check_nodes(problems: Problems, node_type: NodeType, engine: Engine) -> None:
    least = "7.0.7" if node_type.data_tiering else "6.0"
    if not engine.is_at_least(valkey="7.2", redis=least):
        nodes = " with data tiering" if node_type.data_tiering else ""
        reason = f"ElastiCache scales stores{nodes} of Redis OSS {least} or newer, or Valkey"
        problems.add("engine", str(engine), reason, "choose a newer engine")
    if not node_type.checked or node_type.family not in NODE_TYPES.families:
        return
    if node_type.family not in FAMILIES or node_type.size not in _SIZES:
        reason = f"ElastiCache scales {', '.join(FAMILIES)} nodes of the sizes {', '.join(_SIZES)}"
        problems.add("node_type", node_type.name_in("cache"), reason, "use one such as cache.r7g.large")


def _check_bounds(problems: Problems, what: str, minimum: int, maximum: int) -> None:
    most = MAX_SHARDS if what == "shards" else MAX_REPLICAS
    for parameter, given in (("minimum", minimum), ("maximum", maximum)):
        problems.check_range(parameter, given, 1, most, f"a store scales from {{low}} to {{high}} {what}")


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int) and not is_token(value) for value in values)
