"""Alarms of a store, with thresholds that AWS recommends or that follow from its limits.

alarms = cache.add_alarms(topic, overrides={"memory": 90, "evictions": False})
alarms["memory"].add_alarm_action(...)

Limits of CloudWatch and CloudFormation that decide how the alarms of a large replication group are defined:

* A formula in an alarm has at most 10 metrics, and cannot search for metrics. ElastiCache documents no metrics of a
  replication group as a whole. So each alarm watches whole shards, as many as have 10 nodes together, and a composite
  alarm, which alone notifies the topic, goes off when one of them does. The alarm that is on names the shards.
* A composite alarm has up to 100 children, and its rule 10,240 characters: many children are combined in two steps.
* A stack has up to 500 resources: with many alarms, those of each name are in a nested stack.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.acknowledgements import acknowledge
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.location import check_location
from cdk_redis._core.tokens import is_token
from cdk_redis._core.weak_reference import read_weakly, require_order
from cdk_redis._store.metrics import StoreMetrics
from cdk_redis._store.nodes import dimensions_of, has_node_metrics_only, node_numbers, parts_of
from cdk_redis._store.notifications import let_alarm_publish
from cdk_redis._values.alarm_override import AlarmOverride

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_sns as sns

    from cdk_redis._store.alarm_table import AlarmRow

_SCOPE = "Alarms"
# Far below 100, because the rule has 10,240 characters, and a child in it up to 350.
_MOST_CHILDREN = 25
# More alarms than this are defined in nested stacks. A template has up to 500 resources and one megabyte, and an alarm
# of ten nodes takes five kilobytes.
_MOST_IN_THE_STACK = 60
_LONGEST_DESCRIPTION = 1024


class StoreAlarms(StoreMetrics):
    """`add_alarms` of every store."""

    alarms: Mapping[str, cloudwatch.AlarmBase] = MappingProxyType({})
    _thresholds: Mapping[str, float] = MappingProxyType({})

    @checked_arguments
    def add_alarms(
        self,
        topic: sns.ITopic | None = None,
        *,
        overrides: Mapping[str, AlarmOverride | float | bool] | None = None,
    ) -> Mapping[str, cloudwatch.AlarmBase]:
        """Define the alarms of the store. They are also in ``store.alarms``.

        An alarm goes off when its metric is above the threshold in most of several minutes, on any node:

        =========================  ==============================================================================
        ``engine_cpu``             90 percent of the engine's thread
        ``cpu``                    90 percent of a core, for nodes with 1 or 2 vCPUs
        ``memory``                 80 percent of the memory; with data tiering, of memory and disk
        ``evictions``              20 keys a minute
        ``connections``            52,000 connections, 80 percent of the limit
        ``replication_lag``        1 second, with replicas; of a secondary also ``global_replication_lag``, 5 seconds
        ``network_in``, ``_out``,  packets above what the node's type allows: bandwidth, packets a second
        ``_packets``,              (``network_packets``) and tracked connections (``network_connections``)
        ``_connections``
        ``*_failures``             10 a minute: ``authentication_``, ``command_``, ``key_failures``
        ``read_latency``,          average of 5 milliseconds in the engine; writes to MemoryDB 10 milliseconds
        ``write_latency``
        ``data``, ``ecpu``         serverless: 80 percent of `usage_limits`, or of the most that AWS allows
        ``throttled``              serverless: commands that are throttled
        ``log_throughput``,        MemoryDB: 80 MB a second to the transaction log of a shard, and writes that wait for
        ``log_delays``             it
        =========================  ==============================================================================

        docs/alarms.md has the metric, the number of minutes and AWS's source of each. Imported stores have the same;
        as their node types and usage limits are not known, ``cpu`` needs a threshold, and ``data`` and ``ecpu`` count
        with what AWS allows.

        An alarm of a group of more than 10 nodes is a composite alarm of one for every few shards, because a formula
        takes 10 metrics; of groups with hundreds of nodes, they are in nested stacks. With auto scaling, call it after
        `scale_shards` and `scale_replicas`: nodes up to their maximum are watched.

        Args:
            topic: Topic that receives each alarm and its end; it may be in another stack, which is deployed first. If
                the topic's key is defined in this app, CloudWatch is allowed to use the key.
                Default: - the alarms notify nobody.
            overrides: Changes by the name of the alarm: a number is another threshold, False leaves the alarm out, an
                `AlarmOverride` also changes periods. Default: - none.

        Returns:
            The alarms by name.

        Raises:
            ConfigurationError: If a name or an override is invalid, the store has alarms already, the topic is in
                another Region or in a stack that is deployed after this one, or the number of nodes is a token.
        """
        from aws_cdk import aws_cloudwatch as cloudwatch

        scope = cast("Construct", self)
        problems = Problems(scope)
        if self.alarms:
            problems.note("add_alarms: the store has alarms already, in `alarms`; call it once")
        check_location(problems, "topic", topic, "a topic", scope=scope, user="the alarm")
        self._check_nodes(problems)
        rows = _changed(problems, self._alarm_rows(), overrides or {})
        problems.raise_if_any()
        parent = Construct(scope, _SCOPE)
        near = _near(parent, topic)
        nodes = node_numbers(self.topology, *self._most_nodes()) if has_node_metrics_only(self.service) else []
        self.alarms = MappingProxyType(_AlarmBuilder(self, parent, nodes).build(rows))
        self._thresholds = {row.metric: row.threshold for row in rows if row.threshold is not None}
        if topic is None:
            for alarm in self.alarms.values():
                if not isinstance(alarm, cloudwatch.CompositeAlarm):
                    acknowledge(alarm, {"CloudWatchAlarmAction": "no topic was given: it shows in CloudWatch"})
        if near is not None and topic is not None:
            let_alarm_publish(scope, topic, "topic")
            _notify(near, self.alarms.values())
        return self.alarms

    def _alarm_rows(self) -> Sequence[AlarmRow]:
        """The table of the store's alarms."""
        raise NotImplementedError

    def _most_nodes(self) -> tuple[int, int]:
        """Largest number of shards, and of replicas of each."""
        return self.topology.shards or 1, self.topology.replicas or 0

    def _check_nodes(self, problems: Problems) -> None:
        for name in ("shards", "replicas"):
            if is_token(getattr(self.topology, name)):
                reason = "the nodes that alarms watch must be known at synth"
                problems.note(f"{name}: got a token, but {reason}; create alarms with `metric_...` methods and `node`")


def threshold_of(store: StoreAlarms, metric: str) -> float | None:
    """Threshold of the alarm of a store for a metric; None if it has none.

    Args:
        store: The store.
        metric: The metric's name in CloudWatch.
    """
    return store._thresholds.get(metric)


class _AlarmBuilder:
    """Defines the alarms of a store.

    Args:
        store: The store.
        scope: Construct that the alarms are defined in.
        nodes: Numbers of its nodes; none for a service that publishes metrics of the store as a whole.
    """

    def __init__(self, store: StoreAlarms, scope: Construct, nodes: Sequence[str]) -> None:
        self._store = store
        self._scope = scope
        self._parts = parts_of(nodes)

    def build(self, rows: Sequence[AlarmRow]) -> dict[str, cloudwatch.AlarmBase]:
        """Define the alarms; returns them by name."""
        if len(self._parts) == 1:
            (nodes,) = self._parts.values()
            return {row.name: self._alarm(row, nodes) for row in rows}
        nested = len(rows) * (len(self._parts) + 1) > _MOST_IN_THE_STACK
        return {row.name: self._composite(row, nested=nested) for row in rows}

    def _alarm(self, row: AlarmRow, nodes: Sequence[str]) -> cloudwatch.AlarmBase:
        from aws_cdk import aws_cloudwatch as cloudwatch

        missing = cloudwatch.TreatMissingData
        return cloudwatch.Alarm(
            self._scope,
            row.construct_id,
            metric=cast("cloudwatch.IMetric", self._highest(row, nodes)),
            alarm_description=self._description(row),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=cast("float", row.threshold),
            evaluation_periods=row.evaluation_periods,
            datapoints_to_alarm=row.datapoints,
            treat_missing_data=missing.NOT_BREACHING if row.counts else missing.MISSING,
        )

    def _highest(self, row: AlarmRow, nodes: Sequence[str]) -> cloudwatch.Metric | cloudwatch.MathExpression:
        """The highest value of some nodes; the value of the store as a whole if there are none."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        period = cdk.Duration.seconds(row.seconds)
        metrics = {
            _metric_id(node): cloudwatch.Metric(
                namespace=self._store.service.metric_namespace,
                metric_name=row.metric,
                dimensions_map=dimensions_of(self._store, node),
                statistic=row.statistic,
                period=period,
            )
            for node in nodes or [None]
        }
        if len(metrics) == 1:
            (metric,) = metrics.values()
            return metric
        return cloudwatch.MathExpression(
            expression=f"MAX([{', '.join(metrics)}])",
            using_metrics=cast("dict[str, cloudwatch.IMetric]", metrics),
            label=row.name,
            period=period,
        )

    def _composite(self, row: AlarmRow, *, nested: bool) -> cloudwatch.AlarmBase:
        kind = cdk.NestedStack if nested else Construct
        scope = cast("Construct", kind(self._scope, row.construct_id))
        arns = [self._part(scope, row, part, nodes) for part, nodes in self._parts.items()]
        groups = [arns[start : start + _MOST_CHILDREN] for start in range(0, len(arns), _MOST_CHILDREN)]
        if len(groups) > 1:
            arns = [self._any(scope, f"Any{number}", row, of).alarm_arn for number, of in enumerate(groups, start=1)]
        return self._any(scope, "Any", row, arns)

    def _any(self, scope: Construct, id: str, row: AlarmRow, arns: Sequence[str]) -> cloudwatch.CompositeAlarm:
        from aws_cdk import aws_cloudwatch as cloudwatch

        rule = cloudwatch.AlarmRule.from_string(" OR ".join(f'ALARM("{arn}")' for arn in arns))
        return cloudwatch.CompositeAlarm(scope, id, alarm_rule=rule, alarm_description=self._description(row))

    def _part(self, scope: Construct, row: AlarmRow, part: str, nodes: Sequence[str]) -> str:
        """Define the alarm of some shards; returns its ARN.

        An L1 construct: L2 constructs of hundreds of alarms, each with ten metrics, take many seconds.
        """
        from aws_cdk import aws_cloudwatch as cloudwatch

        metrics = [
            {"id": _metric_id(node), "metricStat": self._statistic(row, node), "returnData": False} for node in nodes
        ]
        formula = f"MAX([{', '.join(map(_metric_id, nodes))}])"
        alarm = cloudwatch.CfnAlarm(
            scope,
            part,
            metrics=cast("Any", [*metrics, {"id": "highest", "expression": formula, "label": row.name}]),
            alarm_description=self._description(row, part),
            comparison_operator="GreaterThanThreshold",
            threshold=row.threshold,
            evaluation_periods=row.evaluation_periods,
            datapoints_to_alarm=row.datapoints,
            treat_missing_data="notBreaching" if row.counts else "missing",
        )
        acknowledge(alarm, {"CloudWatchAlarmAction": "the composite alarm of all shards notifies"})
        return alarm.attr_arn

    def _statistic(self, row: AlarmRow, node: str) -> dict[str, Any]:
        dimensions = [{"name": name, "value": value} for name, value in dimensions_of(self._store, node).items()]
        namespace = self._store.service.metric_namespace
        metric = {"namespace": namespace, "metricName": row.metric, "dimensions": dimensions}
        return {"metric": metric, "period": row.seconds, "stat": row.statistic}

    def _description(self, row: AlarmRow, part: str = "") -> str:
        shards = f", {part.replace('Shard', 'shard ').replace('To', ' to ')}" if part else ""
        path = cast("Construct", self._store).node.path
        text = f"{row.meaning[:1].upper()}{row.meaning[1:]}. What to do: {row.advice}. Store: {path}{shards}"
        return text[:_LONGEST_DESCRIPTION]


def _metric_id(node: str | None) -> str:
    """Id of the metric of a node in a formula: it begins with a small letter, without hyphens."""
    return f"node_{(node or 'all').replace('-', '_')}"


def _changed(
    problems: Problems, rows: Sequence[AlarmRow], overrides: Mapping[str, AlarmOverride | float | bool]
) -> list[AlarmRow]:
    """The rows of the alarms that the store gets."""
    by_name = {row.name: row for row in rows}
    found: dict[str, AlarmOverride] = {}
    for name, given in overrides.items():
        parameter = f"overrides[{name!r}]"
        if name not in by_name:
            problems.note(f"overrides: got {name!r}, but the alarms of this store are {', '.join(by_name)}")
        elif given is not True and (override := value_of(problems, parameter, given, AlarmOverride)) is not None:
            found[name] = override
            if (objection := by_name[name].problem_with(override)) is not None:
                problems.note(f"{parameter}: {'; '.join(objection)}")
    kept = [row for row in rows if not (row.name in found and found[row.name].off)]
    return [
        _overridden(row, found.get(row.name, AlarmOverride()))
        for row in kept
        if not row.objection or (row.threshold is None and row.name in found)
    ]


def _overridden(row: AlarmRow, override: AlarmOverride) -> AlarmRow:
    count = override.evaluation_periods
    return replace(
        row,
        threshold=row.threshold if override.threshold is None else override.threshold,
        seconds=row.seconds if override.period is None else int(override.period.to_seconds()),
        evaluation_periods=row.evaluation_periods if count is None else count,
        datapoints=row.datapoints if count is None else count,
    )


def _near(scope: Construct, topic: sns.ITopic | None) -> sns.ITopic | None:
    """The topic; an import of it if another stack owns it, so that no stack exports its ARN."""
    is_ours = not isinstance(topic, cdk.Resource) or cdk.Stack.of(topic) is cdk.Stack.of(scope)
    if topic is None or is_ours or not is_token(topic.topic_arn):
        return topic
    from aws_cdk import aws_sns as sns

    owner = cast("Construct", topic)
    require_order(cast("Construct", scope.node.scope), "topic", owner)
    return sns.Topic.from_topic_arn(scope, "Topic", read_weakly(scope, owner, "Arn", topic.topic_arn))


def _notify(topic: sns.ITopic, alarms: Any) -> None:
    from aws_cdk import aws_cloudwatch_actions as actions

    action = cast("cloudwatch.IAlarmAction", actions.SnsAction(topic))
    for alarm in alarms:
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
