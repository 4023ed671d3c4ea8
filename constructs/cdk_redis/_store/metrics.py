"""CloudWatch metrics of a store, under the same names for every service.

Example::

    cache.metric_memory_usage().create_alarm(self, "AlmostFull", threshold=80, evaluation_periods=3)

Both services publish metrics of nodes. MemoryDB also publishes them for the cluster as a whole, under its name.
ElastiCache documents no metrics of a whole replication group, so here the metric of a group is a formula over its
nodes: the maximum of the nodes' maxima, the sum of their sums, and so on, depending on the statistic. Limits:

* CloudWatch allows at most 10 metrics in the formula of an alarm. For a larger group, create an alarm for each
  node with `node`, and combine them with `aws_cloudwatch.CompositeAlarm`. For a graph, set ``graph=True``.
* The nodes are those that the template declares, with the numbers that ElastiCache gives to the nodes of a new group.
  A group that was scaled in may have kept nodes with other numbers.
* Percentiles cannot be combined: give a `node`.

A serverless cache has no nodes. Its metrics are published under its name; it has none of CPU, memory or replicas.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.html,
https://docs.aws.amazon.com/memorydb/latest/devguide/metrics.memorydb.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.tokens import is_token
from cdk_redis._store.metric_options import MetricOptions, check_period
from cdk_redis._store.nodes import (
    MOST_METRICS_IN_AN_ALARM,
    dimensions_of,
    has_node_metrics_only,
    node_numbers,
)

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import IConstruct
    from typing_extensions import Unpack

    from cdk_redis._core.service import Service
    from cdk_redis._values.topology import Topology

    Metric = cloudwatch.Metric | cloudwatch.MathExpression

_AVERAGE, _MAXIMUM, _MINIMUM, _SUM = "Average", "Maximum", "Minimum", "Sum"
# The function that combines nodes, by statistic.
_COMBINED = {_AVERAGE: "AVG", _MAXIMUM: "MAX", _MINIMUM: "MIN", _SUM: "SUM", "SampleCount": "SUM"}
# Published for nodes only, not for serverless caches.
_NODE_METRICS = frozenset(
    {
        "CPUUtilization",
        "DatabaseCapacityUsagePercentage",
        "DatabaseMemoryUsagePercentage",
        "EngineCPUUtilization",
        "FreeableMemory",
        "ReplicationLag",
        "SwapUsage",
    }
)


class StoreMetrics:
    """The metric methods of every store."""

    service: Service
    store_name: str
    topology: Topology

    @checked_arguments
    def metric(
        self,
        name: str,
        *,
        statistic: str = _AVERAGE,
        period: cdk.Duration | None = None,
        node: str | None = None,
        graph: bool = False,
        label: str | None = None,
        color: str | None = None,
        unit: cloudwatch.Unit | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> Metric:
        """Any metric of the store, by its CloudWatch name.

        Args:
            name: The metric's name, such as ``CurrItems``.
            statistic: See `MetricOptions`, as for all that follow. Default: - the average.
            period: Period of one data point.
            node: One node by its number.
            graph: Whether the metric is for a graph.
            label: Name of the line in a graph.
            color: Color of the line in a graph.
            unit: Unit to filter data points by.
            region: Region to read the metric from.
            account: Account to read the metric from.

        Raises:
            ConfigurationError: If there is no such node, the statistic cannot be combined over nodes, or the group has
                more nodes than an alarm can combine.
        """
        problems = Problems(cast("IConstruct", self))
        check_period(problems, period)
        problems.raise_if_any()
        if self.service.serverless:
            self._check_serverless(name, node)
        else:
            self._check_node(node)
        dimensions = self._metric_dimensions(node)
        if not graph:
            self._check_count(len(dimensions), 1)
        single = len(dimensions) == 1
        metrics = {
            number: self._single_metric(
                name,
                dimensions=of,
                statistic=statistic,
                period=period,
                unit=unit,
                region=region,
                account=account,
                label=label if single else None,
                color=color if single else None,
            )
            for number, of in dimensions.items()
        }
        if single:
            (metric,) = metrics.values()
            return metric
        return self._combined_metric(name, statistic, metrics, period=period, label=label, color=color)

    def metric_cpu(self, **options: Unpack[MetricOptions]) -> Metric:
        """CPU utilization of the whole host, in percent; use it for nodes with one or two vCPUs.

        Default statistic: the maximum, that is the busiest node.
        """
        return self._measure("CPUUtilization", _MAXIMUM, options)

    def metric_engine_cpu(self, **options: Unpack[MetricOptions]) -> Metric:
        """CPU utilization of the engine's main thread, in percent; use it for nodes with four or more vCPUs.

        Default statistic: the maximum, that is the busiest node.
        """
        return self._measure("EngineCPUUtilization", _MAXIMUM, options)

    def metric_memory_usage(self, **options: Unpack[MetricOptions]) -> Metric:
        """Memory in use, in percent of the memory that the engine may use.

        Default statistic: the maximum, that is the fullest node.
        """
        return self._measure("DatabaseMemoryUsagePercentage", _MAXIMUM, options)

    def metric_capacity_usage(self, **options: Unpack[MetricOptions]) -> Metric:
        """Capacity in use, in percent: memory, and with data tiering the disk as well.

        Default statistic: the maximum, that is the fullest node.
        """
        return self._measure("DatabaseCapacityUsagePercentage", _MAXIMUM, options)

    def metric_freeable_memory(self, **options: Unpack[MetricOptions]) -> Metric:
        """Free memory of the host, in bytes.

        Default statistic: the minimum, that is the node with the least.
        """
        return self._measure("FreeableMemory", _MINIMUM, options)

    def metric_swap_usage(self, **options: Unpack[MetricOptions]) -> Metric:
        """Swap space used on the host, in bytes; more than a few tens of megabytes slows the engine.

        Default statistic: the maximum.
        """
        return self._measure("SwapUsage", _MAXIMUM, options)

    def metric_replication_lag(self, **options: Unpack[MetricOptions]) -> Metric:
        """How far replicas are behind their primary, in seconds; published by replicas only.

        Default statistic: the maximum, that is the slowest replica.
        """
        return self._measure("ReplicationLag", _MAXIMUM, options)

    def metric_connections(self, **options: Unpack[MetricOptions]) -> Metric:
        """Open client connections of a node, of at most 65,000; the service itself uses a few.

        Default statistic: the maximum, that is the node with the most.
        """
        return self._measure("CurrConnections", _MAXIMUM, options)

    def metric_new_connections(self, **options: Unpack[MetricOptions]) -> Metric:
        """Connections accepted in the period; many mean clients that do not reuse connections.

        Default statistic: the sum.
        """
        return self._measure("NewConnections", _SUM, options)

    def metric_evictions(self, **options: Unpack[MetricOptions]) -> Metric:
        """Keys evicted in the period because memory was full.

        Default statistic: the sum.
        """
        return self._measure("Evictions", _SUM, options)

    def metric_cache_hit_rate(self, **options: Unpack[MetricOptions]) -> cloudwatch.MathExpression:
        """Reads that found their key, in percent of all reads in the period; no data point without reads.

        A formula of hits and misses, which are two metrics a node: an alarm on a replication group can combine five
        nodes. It has no `statistic`.
        """
        if "statistic" in options:
            given, reason = options["statistic"], "the hit rate is a formula of sums"
            raise ConfigurationError(self._path, [problem("statistic", given, reason, "leave it out")])
        if not options.get("graph"):
            self._check_count(len(self._metric_dimensions(options.get("node"))), 2)
        prefix = "Keyspace" if self.service.name == "memorydb" else "Cache"
        of_counts = options.copy()
        of_counts.pop("label", None)
        of_counts.pop("color", None)
        counts = {count: self._measure(f"{prefix}{count.title()}", _SUM, of_counts) for count in ("hits", "misses")}
        return self._expression(
            2 * len(self._metric_dimensions(options.get("node"))),
            expression="100 * hits / (hits + misses)",
            using_metrics=cast("dict[str, cloudwatch.IMetric]", counts),
            label=options.get("label", "Hit rate"),
            color=options.get("color"),
            period=options.get("period"),
        )

    def metric_network_in(self, **options: Unpack[MetricOptions]) -> Metric:
        """Bytes received from the network in the period.

        Default statistic: the sum.
        """
        return self._measure("NetworkBytesIn", _SUM, options)

    def metric_network_out(self, **options: Unpack[MetricOptions]) -> Metric:
        """Bytes sent to the network in the period.

        Default statistic: the sum.
        """
        return self._measure("NetworkBytesOut", _SUM, options)

    def metric_authentication_failures(self, **options: Unpack[MetricOptions]) -> Metric:
        """Failed attempts to sign in during the period.

        Default statistic: the sum.
        """
        return self._measure("AuthenticationFailures", _SUM, options)

    def metric_write_latency(self, **options: Unpack[MetricOptions]) -> Metric:
        """Time that writes took in the engine, in microseconds; from Valkey 7.2 on.

        Default statistic: the average.
        """
        return self._measure("SuccessfulWriteRequestLatency", _AVERAGE, options)

    def metric_read_latency(self, **options: Unpack[MetricOptions]) -> Metric:
        """Time that reads took in the engine, in microseconds; from Valkey 7.2 on.

        Default statistic: the average.
        """
        return self._measure("SuccessfulReadRequestLatency", _AVERAGE, options)

    def _measure(self, name: str, statistic: str, options: MetricOptions) -> Metric:
        """`metric` with another default statistic."""
        of_metric: MetricOptions = {"statistic": statistic, **options}
        return self.metric(name, **of_metric)

    def _metric_dimensions(self, node: str | None) -> dict[str, dict[str, str]]:
        """Dimensions of each node by its number; of a cluster or cache as a whole by an empty number."""
        if node is None and has_node_metrics_only(self.service):
            return {number: dimensions_of(self, number) for number in self._node_numbers()}
        return {node or "": dimensions_of(self, node)}

    def _single_metric(
        self,
        name: str,
        *,
        dimensions: dict[str, str],
        statistic: str,
        period: cdk.Duration | None,
        unit: cloudwatch.Unit | None,
        region: str | None,
        account: str | None,
        label: str | None,
        color: str | None,
    ) -> cloudwatch.Metric:
        from aws_cdk import aws_cloudwatch as cloudwatch

        metric = cloudwatch.Metric(
            namespace=self.service.metric_namespace,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=period,
            unit=unit,
            region=region,
            account=account,
            label=label,
            color=color,
        )
        # A dashboard in another Region or account needs them.
        return metric.attach_to(cast("IConstruct", self))

    def _combined_metric(
        self,
        name: str,
        statistic: str,
        metrics: dict[str, cloudwatch.Metric],
        *,
        period: cdk.Duration | None,
        label: str | None,
        color: str | None,
    ) -> cloudwatch.MathExpression:

        if statistic not in _COMBINED:
            reason = f"the statistics that combine nodes are {', '.join(_COMBINED)}"
            raise ConfigurationError(self._path, [problem("statistic", statistic, reason, "give a `node`")])
        # The metric's name is part of the id, because formulas can be used in formulas.
        prefix = name[:1].lower() + name[1:]
        named = {f"{prefix}_{number.replace('-', '_')}": metric for number, metric in metrics.items()}
        return self._expression(
            len(metrics),
            expression=f"{_COMBINED[statistic]}([{', '.join(named)}])",
            using_metrics=cast("dict[str, cloudwatch.IMetric]", named),
            label=label or name,
            color=color,
            period=period,
        )

    def _expression(self, count: int, **given: Any) -> cloudwatch.MathExpression:
        """A formula; one of too many metrics for an alarm refuses to create one."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        if count <= MOST_METRICS_IN_AN_ALARM:
            return cloudwatch.MathExpression(**given)
        from cdk_redis._store.graph_metrics import GraphExpression

        reason = f"it is a formula of {count} metrics, and an alarm can have {MOST_METRICS_IN_AN_ALARM}"
        hint = "create an alarm for each `node` and a CompositeAlarm of them"
        return GraphExpression(self._path, problem("metric", given["label"], reason, hint), **given)

    def _node_numbers(self) -> list[str]:
        shards, replicas = self.topology.shards, self.topology.replicas
        if shards is None or replicas is None or is_token(shards) or is_token(replicas):
            reason = "the number of nodes is unknown, because the shards or replicas are a token"
            raise ConfigurationError(self._path, [problem("node", None, reason, "give a `node`")])
        return node_numbers(self.topology, shards, replicas)

    def _check_count(self, nodes: int, metrics_of_each: int) -> None:
        count = nodes * metrics_of_each
        if count <= MOST_METRICS_IN_AN_ALARM:
            return
        most = MOST_METRICS_IN_AN_ALARM
        reason = f"{nodes} nodes need a formula of {count} metrics, and an alarm can have {most}"
        hint = "create an alarm for each `node` and a CompositeAlarm of them; for a graph, set `graph=True`"
        raise ConfigurationError(self._path, [problem("node", None, reason, hint)])

    def _check_serverless(self, name: str, node: str | None) -> None:
        if node is not None:
            raise ConfigurationError(self._path, [problem("node", node, "a serverless cache has no nodes")])
        if name in _NODE_METRICS:
            reason = "ElastiCache publishes it for nodes, and a serverless cache has none"
            hint = "use `metric` with `BytesUsedForCache` or `ElastiCacheProcessingUnits`"
            raise ConfigurationError(self._path, [problem("name", name, reason, hint)])

    def _check_node(self, node: str | None) -> None:
        if node is None or is_token(node):
            return
        form, example = (r"\d{4}-\d{3}", "0001-001") if self.topology.cluster_mode else (r"\d{3}", "001")
        given: object = node
        if not isinstance(given, str) or not re.fullmatch(form, given):
            reason = f"a node of this store has a number such as {example!r}"
            raise ConfigurationError(self._path, [problem("node", node, reason)])

    @property
    def _path(self) -> str:
        return cast("IConstruct", self).node.path
