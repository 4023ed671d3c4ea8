"""Scaling of replication groups by Application Auto Scaling: shards and replicas that follow the load.

cache.scale_shards(minimum=3, maximum=10).track_memory(60)
cache.scale_replicas(minimum=1, maximum=5).track_cpu(50)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.checks import check_given, check_required, value_of
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.tokens import is_token
from cdk_redis._store.checks import MAX_REPLICAS, MAX_SHARDS

if TYPE_CHECKING:
    from aws_cdk import aws_applicationautoscaling as autoscaling
    from aws_cdk import aws_elasticache as elasticache

    from cdk_redis._values.topology import Topology

# ElastiCache refuses other targets.
_LOWEST_TARGET, _HIGHEST_TARGET = 35, 70
# Sizes too small, and generations too old, for ElastiCache to scale.
_FIXED = ("t1", "t2", "t3", "t4g", "m1", "m2", "m3", "m4", "c1", "r3", "r4")
_COOLDOWN = cdk.Duration.minutes(10)


class _Scaling(Construct):
    """What follows the load, and within which bounds.

    Attributes:
        target: The L2 scalable target, for schedules and policies that this one does not offer.
    """

    _what: str
    _dimension: str

    def __init__(
        self, scope: Construct, id: str, *, resource: elasticache.CfnReplicationGroup, minimum: int, maximum: int
    ) -> None:
        super().__init__(scope, id)
        from aws_cdk import aws_applicationautoscaling as autoscaling

        problems = Problems(self)
        check_required(problems, minimum=minimum, maximum=maximum)
        _check_bounds(problems, self._what, minimum, maximum)
        if _are_numbers(minimum, maximum) and minimum > maximum:
            problems.add("minimum, maximum", (minimum, maximum), "the minimum is not greater than the maximum")
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
        check_given(problems, percent=percent)
        scale_in_cooldown = value_of(problems, "scale_in_cooldown", scale_in_cooldown, cdk.Duration)
        problems.check_range(
            "percent", percent, _LOWEST_TARGET, _HIGHEST_TARGET, "ElastiCache holds {low} to {high} percent"
        )
        if self.node.try_find_child(id) is not None:
            problems.add("percent", percent, "this is tracked already", "call it once")
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
    """Shards that follow the load; made by `ReplicationGroup.scale_shards`.

    Attributes:
        target: The scalable target, for schedules and policies that this one does not offer.
    """

    _what = "shards"
    _dimension = "NodeGroups"

    def track_cpu(self, percent: int = 60, *, scale_in_cooldown: cdk.Duration | None = None) -> ShardScaling:
        """Add shards while the primaries' engines are busier than this, and remove them while they are idler.

        Args:
            percent: Average use of the primaries' engine threads, 35 to 70 percent.
            scale_in_cooldown: Time between two removals. Default: - ten minutes.

        Raises:
            ConfigurationError: If the percentage is out of range, or called twice.
        """
        self._track("Cpu", "ELASTICACHE_PRIMARY_ENGINE_CPU_UTILIZATION", percent, scale_in_cooldown)
        return self

    def track_memory(self, percent: int = 60, *, scale_in_cooldown: cdk.Duration | None = None) -> ShardScaling:
        """Add shards while memory is fuller than this, and remove them while it is emptier.

        Args:
            percent: Average use of the memory for data, 35 to 70 percent.
            scale_in_cooldown: Time between two removals. Default: - ten minutes.

        Raises:
            ConfigurationError: If the percentage is out of range, called twice, or the nodes have data tiering:
                their memory is always full.
        """
        if self._resource.data_tiering_enabled is True:
            reason = "nodes with data tiering fill their memory before their disks"
            raise ConfigurationError(self.node.path, [problem("percent", percent, reason, "use `track_capacity`")])
        metric = "ELASTICACHE_DATABASE_MEMORY_USAGE_COUNTED_FOR_EVICT_PERCENTAGE"
        self._track("Memory", metric, percent, scale_in_cooldown)
        return self

    def track_capacity(self, percent: int = 60, *, scale_in_cooldown: cdk.Duration | None = None) -> ShardScaling:
        """Add shards while memory and, with data tiering, disks are fuller than this.

        Args:
            percent: Average use of all that holds data, 35 to 70 percent.
            scale_in_cooldown: Time between two removals. Default: - ten minutes.

        Raises:
            ConfigurationError: If the percentage is out of range, or called twice.
        """
        metric = "ELASTICACHE_DATABASE_CAPACITY_USAGE_COUNTED_FOR_EVICT_PERCENTAGE"
        self._track("Capacity", metric, percent, scale_in_cooldown)
        return self


class ReplicaScaling(_Scaling):
    """Replicas that follow the load; made by `ReplicationGroup.scale_replicas`.

    Attributes:
        target: The scalable target, for schedules and policies that this one does not offer.
    """

    _what = "replicas"
    _dimension = "Replicas"

    def track_cpu(self, percent: int = 60, *, scale_in_cooldown: cdk.Duration | None = None) -> ReplicaScaling:
        """Add a replica to each shard while the replicas' engines are busier than this.

        Args:
            percent: Average use of the replicas' engine threads, 35 to 70 percent.
            scale_in_cooldown: Time between two removals. Default: - ten minutes.

        Raises:
            ConfigurationError: If the percentage is out of range, or called twice.
        """
        self._track("Cpu", "ELASTICACHE_REPLICA_ENGINE_CPU_UTILIZATION", percent, scale_in_cooldown)
        return self


def check_scaling(
    store: Construct,
    what: str,
    *,
    resource: elasticache.CfnReplicationGroup,
    topology: Topology,
    minimum: int,
    maximum: int,
    placed: bool,
) -> None:
    """Refuse what Application Auto Scaling would.

    Args:
        store: The store.
        what: ``"shards"`` or ``"replicas"``.
        resource: Its L1.
        topology: Its declared shards and replicas.
        minimum: As given.
        maximum: As given.
        placed: Whether the zones of its nodes are given.

    Raises:
        ConfigurationError: With every problem.
    """
    problems = Problems(store)
    current = (topology.shards or 1) if what == "shards" else (topology.replicas or 0)
    _check_bounds(problems, what, minimum, maximum)
    if not topology.cluster_mode:
        problems.add(what, current, "only a store in cluster mode is scaled", "give a number of `shards`")
    # A deployment that changes the store sets the number back to the template's: it must at least be within bounds.
    if _are_numbers(current, minimum, maximum) and not minimum <= current <= maximum:
        reason = f"the store has {current} {what}, and a deployment brings it back there"
        problems.add("minimum, maximum", (minimum, maximum), reason, f"let the bounds include {current}")
    if placed:
        problems.add(what, current, "nodes that are placed by hand are counted by hand", "leave out `placement`")
    family = str(resource.cache_node_type).split(".")[1:2]
    if family and family[0] in _FIXED:
        given = resource.cache_node_type
        problems.add("node_type", given, "ElastiCache scales none of these", "use one such as cache.r7g.large")
    problems.raise_if_any()


def _check_bounds(problems: Problems, what: str, minimum: int, maximum: int) -> None:
    most = MAX_SHARDS if what == "shards" else MAX_REPLICAS
    for parameter, given in (("minimum", minimum), ("maximum", maximum)):
        problems.check_range(parameter, given, 1, most, f"a store is scaled from {{low}} to {{high}} {what}")


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int) and not is_token(value) for value in values)
