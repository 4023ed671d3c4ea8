"""A CloudWatch dashboard of stores, their alarms, their smoke tests and their drills.

RedisDashboard(self, "Dashboard", stores=[cache, ledger], smoke_tests=[test], drills=[drill])
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.location import check_location
from cdk_redis._core.presets import preset_of
from cdk_redis._core.tokens import is_token
from cdk_redis._core.weak_reference import read_weakly, require_order
from cdk_redis._operations.dashboard_graphs import Shown
from cdk_redis._store.interface import IStore
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from cdk_redis._smoke_test.failover_drill import FailoverDrill
    from cdk_redis._smoke_test.smoke_test import SmokeTest
    from cdk_redis._values.preset import Preset

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_WIDTH = 24
_GRAPH_WIDTH, _GRAPH_HEIGHT = 8, 6
_TABLE_HEIGHT = 4
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
_MOST_METRICS = 2_500
# Fewer graphs than these say little about a store.
_FEWEST_GRAPHS = 3
_ALARMS_IN_A_WIDGET, _ALARMS_IN_A_ROW = 100, 6
# Metrics of a scheduled smoke test: two verdicts, two latencies.
_METRICS_OF_A_TEST = 4
_SMOKE_REPORT, _DRILL_REPORT = "cdk_redis_smoke_test", "cdk_redis_failover_drill"
# Names of columns, and the fields of the reports that they show.
_TEST_FIELDS = {"store": "store", "passed": "passed", "ms": "duration_ms"}
_DRILL_FIELDS = {
    "store": "store",
    "failover": "failover_seen",
    "recovered": "recovered",
    "no_writes_s": "seconds_of_failed_writes",
    "no_reads_s": "seconds_of_failed_reads",
    "longest_gap_s": "longest_gap_seconds",
    "writes": "acknowledged_writes",
    "writes_lost": "acknowledged_writes_lost",
}


class RedisDashboard(Construct):
    """A CloudWatch dashboard: what the stores are, whether an alarm is on, the last smoke tests and drills, and graphs.

    From top to bottom: a table of the stores, the state of their alarms, the last runs of each smoke test, with its
    verdict and latency if it has an alarm, the last drills, and graphs of each store with the thresholds of its alarms.
    A group of up to 10 nodes has a line for each node; a larger one a search, which also finds nodes that are added
    later.

    CloudWatch shows up to 2,500 metrics on a dashboard: stores with hundreds of nodes get fewer graphs, the most
    important ones. It costs about 3 USD a month.

    Call `add_alarms` of the stores first, to see their alarms, and `scale_shards` before. Stores whose preset asks for
    alarms get them here.

    Attributes:
        dashboard: The L2 construct, to add widgets of your own.
    """

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stores: Sequence[IStore],
        smoke_tests: Sequence[SmokeTest] = (),
        drills: Sequence[FailoverDrill] = (),
        dashboard_name: str | None = None,
    ) -> None:
        """Define the dashboard.

        Args:
            scope: Construct this one is defined in: the stack of the stores, or a stack that is deployed after them.
            id: Id within the scope.
            stores: The stores, of this Region and account, defined or imported.
            smoke_tests: Smoke tests whose last runs are shown; of those with an alarm, also verdict and latency.
            drills: Drills whose last results are shown.
            dashboard_name: Name of the dashboard, 1 to 255 letters, digits, hyphens and underscores.
                Default: - CloudFormation chooses one.

        Raises:
            ConfigurationError: If there is no store, one is given twice, is in another Region, account or a stack that
                is deployed later, has an unknown number of nodes, or the stores have too many nodes for one dashboard.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        self._check(problems, stores, smoke_tests, drills)
        if not (dashboard_name is None or is_token(dashboard_name) or _NAME.fullmatch(dashboard_name)):
            reason = "a name has 1 to 255 letters, digits, hyphens and underscores"
            problems.add("dashboard_name", dashboard_name, reason)
        shown = [self._show(store) for store in stores] if not problems.found else []
        counts = _number_of_graphs(problems, shown, _METRICS_OF_A_TEST * len(smoke_tests))
        problems.raise_if_any()
        for store in stores:
            _add_alarms_of_preset(store)
        from aws_cdk import aws_cloudwatch as cloudwatch

        self.dashboard: cloudwatch.Dashboard = cloudwatch.Dashboard(
            self,
            "Resource",
            dashboard_name=dashboard_name,
            default_interval=cdk.Duration.hours(3),
            # Alarms evaluate minutes, so the graphs show minutes too.
            period_override=cloudwatch.PeriodOverride.INHERIT,
        )
        self._add(self._overview(shown))
        for row in self._alarms(stores, smoke_tests):
            self._add(row)
        for test in smoke_tests:
            self._add(*self._smoke_test(test))
        if drills:
            self._add(self._drills(drills))
        for one, count in zip(shown, counts, strict=True):
            self._add_graphs(one, count)

    def _add(self, *widgets: cloudwatch.IWidget) -> None:
        self.dashboard.add_widgets(*widgets)

    def _check(
        self,
        problems: Problems,
        stores: Sequence[IStore],
        smoke_tests: Sequence[SmokeTest],
        drills: Sequence[FailoverDrill],
    ) -> None:
        if not stores:
            problems.note("stores: got an empty list, but a dashboard shows one store or more")
        owners: dict[str, Sequence[Any]] = {"stores": stores, "smoke_tests": smoke_tests, "drills": drills}
        for name, given in owners.items():
            for index, one in enumerate(given):
                if any(one is other for other in given[:index]):
                    problems.add(f"{name}[{index}]", one.node.path, "it is given twice", "give it once")
        for index, store in enumerate(stores):
            parameter = f"stores[{index}]"
            check_location(problems, parameter, store, "a store", scope=self, user="the dashboard", account=True)
            if any(is_token(count) for count in (store.topology.shards, store.topology.replicas)):
                reason = "its number of nodes must be known at synth"
                problems.add(parameter, store.node.path, reason, "give `shards` and `replicas` as numbers")
        if not problems.found:
            for name, given in owners.items():
                for index, one in enumerate(given):
                    require_order(self, f"{name}[{index}]", one)

    def _weak(self, owner: Construct, name: str, value: str) -> str:
        return read_weakly(self, owner, name, value)

    def _show(self, store: IStore) -> Shown:
        return Shown(store, self._weak(store, "Name", store.store_name))

    def _overview(self, shown: Sequence[Shown]) -> cloudwatch.IWidget:
        from aws_cdk import aws_cloudwatch as cloudwatch

        lines = [_line_of(one) for one in shown]
        head = "| Store | Name | Service | Engine | Shards | Replicas | Nodes | TLS |"
        text = "\n".join([f"# {self._title()}", "", head, f"|{' --- |' * (head.count('|') - 1)}", *lines])
        return cloudwatch.TextWidget(markdown=text, width=_WIDTH, height=min(2 + len(lines), 1000))

    def _title(self) -> str:
        return f"Stores of {cdk.Stack.of(self).node.path}"

    def _alarms(self, stores: Sequence[IStore], tests: Sequence[SmokeTest]) -> Iterator[cloudwatch.IWidget]:
        from aws_cdk import aws_cloudwatch as cloudwatch

        alarms = [self._near_alarm(store, name, alarm) for store in stores for name, alarm in store.alarms.items()]
        alarms += [self._near_alarm(test, "smoke_test", test.alarm) for test in tests if test.alarm is not None]
        for start in range(0, len(alarms), _ALARMS_IN_A_WIDGET):
            part = alarms[start : start + _ALARMS_IN_A_WIDGET]
            yield cloudwatch.AlarmStatusWidget(
                title="Alarms",
                alarms=cast("Any", part),
                sort_by=cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
                width=_WIDTH,
                height=2 + -(-len(part) // _ALARMS_IN_A_ROW),
            )

    def _near_alarm(self, owner: Construct, name: str, alarm: cloudwatch.AlarmBase) -> cloudwatch.IAlarm:
        """The alarm; an import of it if another stack owns it, so that no stack exports its ARN."""
        from aws_cdk import aws_cloudwatch as cloudwatch

        arn = self._weak(owner, f"Alarm-{name}", alarm.alarm_arn)
        if arn == alarm.alarm_arn:
            return cast("cloudwatch.IAlarm", alarm)
        return cloudwatch.Alarm.from_alarm_arn(self, f"{cdk.Names.node_unique_id(owner.node)}-{name}", arn)

    def _smoke_test(self, test: SmokeTest) -> list[cloudwatch.IWidget]:
        name = test.target.node.path
        last = _reports(
            f"Smoke test of {name}: last runs",
            [self._weak(cast("Construct", test), "LogGroup", test.log_group.log_group_name)],
            _SMOKE_REPORT,
            _TEST_FIELDS,
            width=_GRAPH_WIDTH if test.alarm else _WIDTH,
        )
        if test.alarm is None:
            return [last]
        return [*self._canary(test, name), last]

    def _canary(self, test: SmokeTest, name: str) -> list[cloudwatch.IWidget]:
        from aws_cdk import aws_cloudwatch as cloudwatch

        target = test.target
        store_name = self._weak(target, "Name", target.store_name)

        def metric(metric_name: str, label: str, color: str | None = None) -> cloudwatch.IMetric:
            found = cloudwatch.Metric(
                namespace=environment.DEFAULT_METRICS_NAMESPACE,
                metric_name=metric_name,
                dimensions_map={
                    environment.DIMENSION_SERVICE: target.service.name,
                    environment.DIMENSION_STORE: store_name,
                },
                statistic="Maximum",
                period=cdk.Duration.minutes(5),
                label=label,
                color=color,
            )
            return cast("cloudwatch.IMetric", found)

        verdict = cloudwatch.SingleValueWidget(
            title=f"Smoke test of {name}: checks",
            metrics=[
                metric(environment.METRIC_PASSED, "passed", "#1d8102"),
                metric(environment.METRIC_FAILED, "failed", "#d13212"),
            ],
            width=_GRAPH_WIDTH,
            height=_GRAPH_HEIGHT,
        )
        latency = cloudwatch.GraphWidget(
            title=f"Smoke test of {name}: round trip",
            left=[metric("LatencyP50", "p50"), metric("LatencyP99", "p99")],
            left_y_axis=cloudwatch.YAxisProps(label="milliseconds", show_units=False, min=0),
            width=_GRAPH_WIDTH,
            height=_GRAPH_HEIGHT,
        )
        return [verdict, latency]

    def _drills(self, drills: Iterable[FailoverDrill]) -> cloudwatch.IWidget:
        names = [self._weak(cast("Construct", drill), "LogGroup", drill.log_group.log_group_name) for drill in drills]
        return _reports("Failover drills: last results", names, _DRILL_REPORT, _DRILL_FIELDS, width=_WIDTH)

    def _add_graphs(self, shown: Shown, count: int) -> None:
        from aws_cdk import aws_cloudwatch as cloudwatch

        graphs = shown.graphs[:count]
        left_out = [graph.title for graph in shown.graphs[count:]]
        note = f" Left out, because a dashboard has 2,500 metrics: {', '.join(left_out)}." if left_out else ""
        text = f"## {shown.store.node.path}\n\n{_line_below(shown)}{note}"
        self._add(cloudwatch.TextWidget(markdown=text, width=_WIDTH, height=2))
        widgets = [shown.widget(graph, width=_GRAPH_WIDTH, height=_GRAPH_HEIGHT) for graph in graphs]
        for start in range(0, len(widgets), _WIDTH // _GRAPH_WIDTH):
            self._add(*widgets[start : start + _WIDTH // _GRAPH_WIDTH])


def _add_alarms_of_preset(store: IStore) -> None:
    """Give a store the alarms that its preset asks for, so that the dashboard can show them."""
    preset = cast("Preset | None", preset_of(store))
    if preset is not None and preset.alarms and not store.alarms:
        store.add_alarms(preset.alarm_topic)


def _number_of_graphs(problems: Problems, shown: Sequence[Shown], others: int) -> list[int]:
    """Number of graphs of each store: all of a small store, and of a large one as many as the dashboard can have.

    Args:
        problems: Where to add a problem.
        shown: The stores.
        others: Number of metrics of other widgets.
    """
    counts = [0] * len(shown)
    left = _MOST_METRICS - others
    by_size = sorted(range(len(shown)), key=lambda index: len(shown[index].nodes))
    for level in range(max((len(one.graphs) for one in shown), default=0)):
        for index in by_size:
            one = shown[index]
            if counts[index] == level < len(one.graphs) and (metrics := one.metrics_in(one.graphs[level])) <= left:
                counts[index] += 1
                left -= metrics
    if any(count < _FEWEST_GRAPHS for count in counts):
        nodes = sum(len(one.nodes) or 1 for one in shown)
        reason = f"a dashboard shows {_MOST_METRICS:,} metrics, too few for {_FEWEST_GRAPHS} graphs of {nodes:,} nodes"
        problems.note(f"stores: got {len(shown)} stores, but {reason}; define several dashboards")
    return counts


def _line_of(shown: Shown) -> str:
    store, topology = shown.store, shown.store.topology
    service = "MemoryDB" if shown.service.name == "memorydb" else "ElastiCache"
    shards, replicas, nodes = "serverless", "", ""
    if topology.shards is not None and topology.replicas is not None:
        shards = str(topology.shards) if topology.cluster_mode else "cluster mode off"
        replicas, nodes = str(topology.replicas), str(topology.shards * (1 + topology.replicas))
    tls = "required" if topology.tls and not topology.plaintext else "optional" if topology.tls else "off"
    cells = (store.node.path, f"`{shown.store_name}`", service, str(topology.engine), shards, replicas, nodes, tls)
    return f"| {' | '.join(cells)} |"


def _line_below(shown: Shown) -> str:
    if shown.nodes:
        return "One line a node." if shown.store.alarms else "One line a node. The store has no alarms."
    return "Of the whole store." if shown.store.alarms else "Of the whole store, which has no alarms."


def _reports(
    title: str, log_groups: Sequence[str], key: str, fields: Mapping[str, str], *, width: int
) -> cloudwatch.LogQueryWidget:
    """A table of the last reports in log groups."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    return cloudwatch.LogQueryWidget(
        title=title,
        log_group_names=list(log_groups),
        query_lines=[
            f"fields @timestamp, {', '.join(f'{key}.{field} as {name}' for name, field in fields.items())}",
            f"filter ispresent({key}.store)",
            "sort @timestamp desc",
            "limit 10",
        ],
        view=cloudwatch.LogQueryVisualizationType.TABLE,
        width=width,
        # Beside two graphs as high as they are.
        height=_GRAPH_HEIGHT if width < _WIDTH else _TABLE_HEIGHT,
    )
