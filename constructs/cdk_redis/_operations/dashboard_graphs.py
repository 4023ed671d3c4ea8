"""Graphs of a store on a dashboard, the most important ones first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import aws_cdk as cdk

from cdk_redis._store.alarms import threshold_of
from cdk_redis._store.nodes import dimensions_of, has_node_metrics_only, node_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch

    from cdk_redis._core.service import Service
    from cdk_redis._store.interface import IStore

    Metric = cloudwatch.Metric | cloudwatch.MathExpression

_MINUTE = cdk.Duration.minutes(1)
# A group with more nodes has one search a graph, which also finds nodes that are added later.
_MOST_LINES = 10
# The search finds nodes of which the name of the group is a part. CloudWatch shows up to 500 of them.
_SEARCH = "SEARCH('{{AWS/ElastiCache,CacheClusterId}} MetricName=\"{metric}\" AND {group}', '{statistic}', 60)"


class Line(NamedTuple):
    """A metric in a graph.

    Attributes:
        metric: Its name in CloudWatch.
        statistic: Its statistic.
        label: Its label; that of a node is the node's number.
    """

    metric: str
    statistic: str
    label: str = ""


class Graph(NamedTuple):
    """A graph of one or more metrics.

    Attributes:
        title: Its title.
        unit: Unit of the axis.
        lines: The metrics; several only for a store whose metrics are of the whole store.
        most: The threshold of the alarm is drawn below this value: a line far above all values would flatten them.
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    most: float = math.inf


_SERVER_LATENCIES = ("SuccessfulReadRequestLatency", "SuccessfulWriteRequestLatency")


def _nodes(engine: str) -> list[Graph]:
    latencies = _SERVER_LATENCIES if engine == "valkey" else ("GetTypeCmdsLatency", "SetTypeCmdsLatency")
    return [
        Graph("CPU of the engine", "percent", (Line("EngineCPUUtilization", "Average"),)),
        Graph("Memory in use", "percent", (Line("DatabaseMemoryUsagePercentage", "Average"),)),
        Graph("Connections", "connections", (Line("CurrConnections", "Average"),), 0),
        Graph("Replication lag", "seconds", (Line("ReplicationLag", "Average"),)),
        Graph("Latency of reads", "microseconds", (Line(latencies[0], "Average"),), 0),
        Graph("Latency of writes", "microseconds", (Line(latencies[1], "Average"),), 0),
        Graph("Bytes sent", "bytes a minute", (Line("NetworkBytesOut", "Sum"),)),
        Graph("Evicted keys", "keys a minute", (Line("Evictions", "Sum"),)),
        Graph("Hit rate", "percent", (Line("CacheHitRate", "Average"),)),
    ]


def _highest(metric: str) -> tuple[Line, ...]:
    return Line(metric, "Maximum", "highest node"), Line(metric, "Average", "average")


def _latencies() -> Graph:
    reads, writes = _SERVER_LATENCIES
    return Graph("Latency", "microseconds", (Line(reads, "Average", "reads"), Line(writes, "Average", "writes")), 0)


def _cluster(engine: str) -> list[Graph]:
    failures = (
        Line("AuthenticationFailures", "Sum", "sign-in"),
        Line("CommandAuthorizationFailures", "Sum", "command"),
        Line("KeyAuthorizationFailures", "Sum", "key"),
    )
    throughput = (Line("MaxReplicationThroughput", "Maximum", "highest shard"),)
    delays = (Line("ReplicationDelayedWriteCommands", "Sum", "delayed writes"),)
    network = (Line("NetworkBytesIn", "Sum", "received"), Line("NetworkBytesOut", "Sum", "sent"))
    return [
        Graph("CPU of the engine", "percent", _highest("EngineCPUUtilization")),
        Graph("Memory in use", "percent", _highest("DatabaseMemoryUsagePercentage")),
        Graph("Connections of a node", "connections", _highest("CurrConnections"), 0),
        Graph("Replication lag", "seconds", _highest("ReplicationLag")),
        Graph("Transaction log: throughput", "bytes a second", throughput),
        Graph("Transaction log: delayed writes", "commands a minute", delays),
        *([_latencies()] if engine == "valkey" else []),
        Graph("Network", "bytes a minute", network),
        Graph("Refused clients", "a minute", failures),
    ]


_SERVERLESS = [
    # Thresholds of a cache without usage limits.
    Graph("Data", "bytes", (Line("BytesUsedForCache", "Maximum", "data"),), 4e12),
    Graph("Processing units", "units a minute", (Line("ElastiCacheProcessingUnits", "Sum", "units"),), 7.2e8),
    Graph("Throttled commands", "commands a minute", (Line("ThrottledCmds", "Sum", "throttled"),)),
    _latencies(),
    Graph("Connections", "connections", (Line("CurrConnections", "Maximum", "connections"),), 0),
    Graph("Hit rate", "percent", (Line("CacheHitRate", "Average", "hits"),)),
]


@dataclass(frozen=True)
class Shown:
    """A store on a dashboard, which may be in another stack.

    Attributes:
        store: The store.
        store_name: Its name, as the stack of the dashboard can read it.
    """

    store: IStore
    store_name: str

    @property
    def service(self) -> Service:
        """The service that runs it."""
        return self.store.service

    @property
    def graphs(self) -> list[Graph]:
        """All its graphs, the most important ones first."""
        engine = self.store.topology.engine.name
        if self.service.serverless:
            return _SERVERLESS
        graphs = _cluster(engine) if self.service.name == "memorydb" else _nodes(engine)
        has_replicas = self.store.topology.replicas != 0
        return [graph for graph in graphs if has_replicas or graph.title != "Replication lag"]

    @property
    def nodes(self) -> list[str]:
        """Numbers of the nodes whose metrics it has; none if its metrics are of the whole store."""
        topology = self.store.topology
        if not has_node_metrics_only(self.service):
            return []
        return node_numbers(topology, topology.shards or 1, topology.replicas or 0)

    def metrics_in(self, graph: Graph) -> int:
        """Number of metrics that CloudWatch reads for a graph."""
        return (len(self.nodes) or 1) * len(graph.lines)

    def widget(self, graph: Graph, *, width: int, height: int) -> cloudwatch.GraphWidget:
        """The widget of a graph, with the threshold of the store's alarm if it has one."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        threshold = threshold_of(self.store, graph.lines[0].metric)
        annotations = None
        # At zero, the line would hide the axis.
        if threshold is not None and 0 < threshold < graph.most:
            annotations = [cloudwatch.HorizontalAnnotation(value=threshold, label="alarm", color="#d13212")]
        return cloudwatch.GraphWidget(
            title=graph.title,
            left=cast(
                "Sequence[cloudwatch.IMetric]", [metric for line in graph.lines for metric in self._metrics(line)]
            ),
            left_annotations=annotations,
            left_y_axis=cloudwatch.YAxisProps(label=graph.unit, show_units=False, min=0),
            legend_position=cloudwatch.LegendPosition.BOTTOM,
            width=width,
            height=height,
        )

    def _metrics(self, line: Line) -> list[Metric]:
        from aws_cdk import aws_cloudwatch as cloudwatch

        if len(self.nodes) > _MOST_LINES:
            search = _SEARCH.format(metric=line.metric, statistic=line.statistic, group=self.store_name)
            # Each line that is found has its own label.
            return [cloudwatch.MathExpression(expression=search, using_metrics={}, label="", period=_MINUTE)]
        return [
            cloudwatch.Metric(
                namespace=self.service.metric_namespace,
                metric_name=line.metric,
                dimensions_map=dimensions_of(self, node),
                statistic=line.statistic,
                period=_MINUTE,
                label=node or line.label,
            )
            for node in self.nodes or [None]
        ]
