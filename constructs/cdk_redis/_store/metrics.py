"""CloudWatch metrics of a store, under the same names for every service.

cache.metric_memory_usage().create_alarm(self, "AlmostFull", threshold=80, evaluation_periods=3)

The services measure nodes. MemoryDB publishes the figures of all nodes of a cluster under the cluster's name as well;
ElastiCache has nothing for a replication group, so that here a metric of a group is a formula over its nodes: the
maximum of their maxima, the sum of their sums, and so on, whichever statistic is asked for. Three things follow:

* CloudWatch takes at most 10 metrics in an alarm's formula: an alarm on a larger group watches single nodes, with
  `node`.
* The nodes are those that the template declares, by the numbers that the service gives them when it makes them. A
  group that was scaled in may have kept other numbers.
* A percentile of percentiles means nothing: for those, name a `node`.

A serverless cache is one thing with one name, and has no figures of processors, memory or replicas.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import IConstruct

    from cdk_redis._core.service import Service
    from cdk_redis._values.topology import Topology

    Metric = cloudwatch.Metric | cloudwatch.MathExpression

_AVERAGE, _MAXIMUM, _MINIMUM, _SUM = "Average", "Maximum", "Minimum", "Sum"
# What makes one figure of several nodes'; a count of samples adds up as a sum does.
_COMBINED = {_AVERAGE: "AVG", _MAXIMUM: "MAX", _MINIMUM: "MIN", _SUM: "SUM", "SampleCount": "SUM"}
# What the service publishes of nodes, and not of serverless caches.
_OF_NODES_ONLY = frozenset(
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
    """The metric methods of every store.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.html and
    https://docs.aws.amazon.com/memorydb/latest/devguide/metrics.memorydb.html
    """

    service: Service
    store_name: str
    topology: Topology

    def metric(
        self,
        name: str,
        *,
        statistic: str = _AVERAGE,
        period: cdk.Duration | None = None,
        node: str | None = None,
        label: str | None = None,
    ) -> Metric:
        """Any metric of the store, by the service's own name for it.

        Args:
            name: The metric's name, such as ``CurrItems``.
            statistic: Average, Maximum, Minimum, Sum or SampleCount; for a single node also a percentile.
            period: Time that one figure stands for, 1 minute or more. Default: - 5 minutes.
            node: One node by its number, as the console shows it behind the store's name: ``"0001-001"``, or
                ``"001"`` without cluster mode. Default: - all nodes.
            label: Name of the line in a graph. Default: - the metric's name.

        Raises:
            ConfigurationError: If there is no such node, or the statistic cannot be had for all nodes.
        """
        if self.service.serverless:
            self._check_serverless(name, node)
        else:
            self._check_node(node)
        dimensions = self._metric_dimensions(node)
        metrics = {number: self._single_metric(name, of, statistic, period) for number, of in dimensions.items()}
        if len(metrics) == 1:
            (metric,) = metrics.values()
            return metric.with_(label=label) if label else metric
        return self._combined_metric(name, statistic, metrics, period, label)

    def metric_cpu(
        self, *, statistic: str = _MAXIMUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Processor time used on the whole host, in percent; of nodes with one or two processors, watch this one.

        Args:
            statistic: See `metric`. Default: - the maximum, which is the busiest node's.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("CPUUtilization", statistic=statistic, period=period, node=node)

    def metric_engine_cpu(
        self, *, statistic: str = _MAXIMUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Processor time used by the engine's main thread, in percent; from four processors on, watch this one.

        Args:
            statistic: See `metric`. Default: - the maximum, which is the busiest node's.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("EngineCPUUtilization", statistic=statistic, period=period, node=node)

    def metric_memory_usage(
        self, *, statistic: str = _MAXIMUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Memory in use of what the engine may take, in percent.

        Args:
            statistic: See `metric`. Default: - the maximum, which is the fullest node's.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("DatabaseMemoryUsagePercentage", statistic=statistic, period=period, node=node)

    def metric_capacity_usage(
        self, *, statistic: str = _MAXIMUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Capacity in use, in percent: memory, and with data tiering the disk as well.

        Args:
            statistic: See `metric`. Default: - the maximum, which is the fullest node's.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("DatabaseCapacityUsagePercentage", statistic=statistic, period=period, node=node)

    def metric_freeable_memory(
        self, *, statistic: str = _MINIMUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Memory that the host could still give, in bytes.

        Args:
            statistic: See `metric`. Default: - the minimum, which is the tightest node's.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("FreeableMemory", statistic=statistic, period=period, node=node)

    def metric_swap_usage(
        self, *, statistic: str = _MAXIMUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Memory moved out to disk by the host, in bytes; more than a few tens of megabytes slows the engine.

        Args:
            statistic: See `metric`. Default: - the maximum over the nodes.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("SwapUsage", statistic=statistic, period=period, node=node)

    def metric_replication_lag(
        self, *, statistic: str = _MAXIMUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """How far replicas are behind their primary, in seconds; primaries publish none.

        Args:
            statistic: See `metric`. Default: - the maximum, which is the slowest replica's.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("ReplicationLag", statistic=statistic, period=period, node=node)

    def metric_connections(
        self, *, statistic: str = _MAXIMUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Open client connections of a node, which can have 65,000; the service's own few are among them.

        Args:
            statistic: See `metric`. Default: - the maximum, which is the most wanted node's.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("CurrConnections", statistic=statistic, period=period, node=node)

    def metric_new_connections(
        self, *, statistic: str = _SUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Connections accepted in the period; many mean clients that do not keep theirs.

        Args:
            statistic: See `metric`. Default: - the sum over the nodes.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("NewConnections", statistic=statistic, period=period, node=node)

    def metric_evictions(
        self, *, statistic: str = _SUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Keys thrown out in the period because memory was full.

        Args:
            statistic: See `metric`. Default: - the sum over the nodes.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("Evictions", statistic=statistic, period=period, node=node)

    def metric_cache_hit_rate(self, *, period: cdk.Duration | None = None, node: str | None = None) -> Metric:
        """Reads that found their key, in percent of all reads in the period; no figure where nothing was read.

        Made of hits and misses, so that a busy node counts for more than an idle one; that takes two metrics of each
        node.

        Args:
            period: See `metric`.
            node: See `metric`.
        """
        from aws_cdk import aws_cloudwatch as cloudwatch

        prefix = "Keyspace" if self.service.name == "memorydb" else "Cache"
        counts = {
            count: self.metric(f"{prefix}{count.title()}", statistic=_SUM, period=period, node=node)
            for count in ("hits", "misses")
        }
        return cloudwatch.MathExpression(
            expression="100 * hits / (hits + misses)",
            using_metrics=cast("dict[str, cloudwatch.IMetric]", counts),
            label="Hit rate",
            period=period,
        )

    def metric_network_in(
        self, *, statistic: str = _SUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Bytes received from the network in the period.

        Args:
            statistic: See `metric`. Default: - the sum over the nodes.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("NetworkBytesIn", statistic=statistic, period=period, node=node)

    def metric_network_out(
        self, *, statistic: str = _SUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Bytes sent to the network in the period.

        Args:
            statistic: See `metric`. Default: - the sum over the nodes.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("NetworkBytesOut", statistic=statistic, period=period, node=node)

    def metric_authentication_failures(
        self, *, statistic: str = _SUM, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Attempts to sign in that failed in the period.

        Args:
            statistic: See `metric`. Default: - the sum over the nodes.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("AuthenticationFailures", statistic=statistic, period=period, node=node)

    def metric_write_latency(
        self, *, statistic: str = _AVERAGE, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Time that writes took in the engine, in microseconds; from Valkey 7.2 on.

        Args:
            statistic: See `metric`. Default: - the average.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("SuccessfulWriteRequestLatency", statistic=statistic, period=period, node=node)

    def metric_read_latency(
        self, *, statistic: str = _AVERAGE, period: cdk.Duration | None = None, node: str | None = None
    ) -> Metric:
        """Time that reads took in the engine, in microseconds; from Valkey 7.2 on.

        Args:
            statistic: See `metric`. Default: - the average.
            period: See `metric`.
            node: See `metric`.
        """
        return self.metric("SuccessfulReadRequestLatency", statistic=statistic, period=period, node=node)

    def _metric_dimensions(self, node: str | None) -> dict[str, dict[str, str]]:
        """By node number, what CloudWatch knows it by; of MemoryDB's cluster as a whole by no number."""
        if self.service.name == "memorydb":
            if node is None:
                return {"": {"ClusterName": self.store_name}}
            return {node: {"ClusterName": self.store_name, "NodeName": f"{self.store_name}-{node}"}}
        if self.service.serverless:
            return {"": {"clusterId": self.store_name}}
        numbers = self._node_numbers() if node is None else [node]
        return {number: {"CacheClusterId": f"{self.store_name}-{number}"} for number in numbers}

    def _single_metric(
        self, name: str, dimensions: dict[str, str], statistic: str, period: cdk.Duration | None
    ) -> cloudwatch.Metric:
        from aws_cdk import aws_cloudwatch as cloudwatch

        metric = cloudwatch.Metric(
            namespace=self.service.metric_namespace,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=period,
        )
        # So that a dashboard in another Region or account finds it.
        return metric.attach_to(cast("IConstruct", self))

    def _combined_metric(
        self,
        name: str,
        statistic: str,
        metrics: dict[str, cloudwatch.Metric],
        period: cdk.Duration | None,
        label: str | None,
    ) -> cloudwatch.MathExpression:
        from aws_cdk import aws_cloudwatch as cloudwatch

        if statistic not in _COMBINED:
            reason = f"over several nodes there is {', '.join(_COMBINED)}"
            raise ConfigurationError(self._path, [problem("statistic", statistic, reason, "name a `node`")])
        # Told apart by the metric too, because formulas are put into formulas.
        prefix = name[:1].lower() + name[1:]
        named = {f"{prefix}_{number.replace('-', '_')}": metric for number, metric in metrics.items()}
        return cloudwatch.MathExpression(
            expression=f"{_COMBINED[statistic]}([{', '.join(named)}])",
            using_metrics=cast("dict[str, cloudwatch.IMetric]", named),
            label=label or name,
            period=period,
        )

    def _node_numbers(self) -> list[str]:
        shards, replicas = self.topology.shards, self.topology.replicas
        if shards is None or replicas is None or is_token(shards) or is_token(replicas):
            reason = "the numbers of shards and replicas are not known, so that the nodes cannot be counted"
            raise ConfigurationError(self._path, [problem("node", None, reason, "name a `node`")])
        nodes = [f"{number:03d}" for number in range(1, replicas + 2)]
        if not self.topology.cluster_mode:
            return nodes
        return [f"{shard:04d}-{node}" for shard in range(1, shards + 1) for node in nodes]

    def _check_serverless(self, name: str, node: str | None) -> None:
        if node is not None:
            raise ConfigurationError(self._path, [problem("node", node, "a serverless cache has no nodes")])
        if name in _OF_NODES_ONLY:
            reason = "the service measures it of nodes, and a serverless cache has none"
            hint = "watch `BytesUsedForCache` and `ElastiCacheProcessingUnits` with `metric`"
            raise ConfigurationError(self._path, [problem("name", name, reason, hint)])

    def _check_node(self, node: str | None) -> None:
        if node is None or is_token(node):
            return
        form, example = (r"\d{4}-\d{3}", "0001-001") if self.topology.cluster_mode else (r"\d{3}", "001")
        if not re.fullmatch(form, node):
            raise ConfigurationError(
                self._path, [problem("node", node, f"a node's number reads like {example!r} here")]
            )

    @property
    def _path(self) -> str:
        return cast("IConstruct", self).node.path
