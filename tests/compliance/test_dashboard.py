"""Dashboards of every kind of store, up to 500 nodes, follow the rules of CloudWatch; the picture of one is current."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events

from cdk_redis import FailoverDrill, MemoryDbCluster, RedisDashboard, RedisNetwork, ReplicationGroup, SmokeTest
from tests.compliance.support.dashboard_body import body_of
from tests.compliance.support.dashboard_picture import example, picture
from tests.compliance.support.published_metrics import (
    COLUMNS,
    LONGEST_SEARCH,
    MOST_ALARMS_IN_A_WIDGET,
    MOST_METRICS_IN_A_WIDGET,
    MOST_METRICS_ON_A_DASHBOARD,
    MOST_ROWS,
    MOST_WIDGETS,
    Metric,
)
from tests.compliance.test_alarms import ENDPOINT, imported, stores

# The names of stores have up to 40 characters; the references to them here have more.
NAME = "n" * 40
_SEARCH = re.compile(r"""SEARCH\('\{(?P<namespace>[^,]+),(?P<dimensions>[^}]+)\} MetricName="(?P<name>\w+)" AND""")


class Dashboard(NamedTuple):
    """A dashboard, and the number of nodes of its stores."""

    body: dict[str, Any]
    nodes: int


def _with_tests() -> RedisDashboard:
    stack = cdk.Stack(cdk.App(), "Stack")
    network = RedisNetwork(stack, "Network")
    cache = ReplicationGroup(stack, "Cache", network=network, shards=5, replicas=1)
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    cache.add_alarms()
    rate = events.Schedule.rate(cdk.Duration.minutes(5))
    return RedisDashboard(
        stack,
        "Dashboard",
        stores=[cache, ledger],
        smoke_tests=[SmokeTest(stack, "Canary", target=cache, schedule=rate), SmokeTest(stack, "Test", target=ledger)],
        drills=[FailoverDrill(stack, "Drill", target=cache)],
    )


def _dashboards() -> Iterator[tuple[str, RedisDashboard, int]]:
    app = cdk.App()
    for store in stores(app):
        stack = cdk.Stack.of(store)
        topology = store.topology
        nodes = (topology.shards or 1) * (1 + (topology.replicas or 0))
        yield stack.node.id, RedisDashboard(stack, "Dashboard", stores=[store]), nodes
    stack = cdk.Stack(app, "Many")
    # 83 shards of 6 nodes leave room for three graphs, and small groups have all of theirs.
    groups = [imported(stack, f"Small{index}", 1, 1) for index in range(20)]
    clusters = [
        MemoryDbCluster.from_cluster_attributes(
            stack, f"Cluster{index}", cluster_name=f"cluster{index}", endpoint=ENDPOINT, security_groups=[]
        )
        for index in range(8)
    ]
    for cluster in clusters:
        cluster.add_alarms()
    large = imported(stack, "Large", 83, 5)
    yield "Many", RedisDashboard(stack, "Dashboard", stores=[*groups, *clusters, large]), 498
    yield "Tests", _with_tests(), 10


@pytest.fixture(scope="module")
def dashboards() -> dict[str, Dashboard]:
    return {name: Dashboard(body_of(dashboard, lambda _: NAME), nodes) for name, dashboard, nodes in [*_dashboards()]}


def _metrics(widget: dict[str, Any], nodes: int) -> list[Metric]:
    """The metrics that CloudWatch reads for a widget; a search finds those of all nodes."""
    found: list[Metric] = []
    for line in widget["properties"].get("metrics", ()):
        if isinstance(line[0], dict):
            search = _SEARCH.match(line[0]["expression"])
            assert search is not None, line
            metric = Metric(search["namespace"], search["name"], frozenset(search["dimensions"].split(",")))
            found += [metric] * nodes
        else:
            found.append(Metric(line[0], line[1], frozenset(line[2:-1:2])))
    return found


def test_every_metric_exists_with_its_dimensions(dashboards: dict[str, Dashboard]) -> None:
    found = {
        metric
        for dashboard in dashboards.values()
        for widget in dashboard.body["widgets"]
        for metric in _metrics(widget, 1)
    }

    assert [metric for metric in found if not metric.exists] == []
    assert {metric.namespace for metric in found} == {"AWS/ElastiCache", "AWS/MemoryDB", "CdkRedis/SmokeTest"}


def test_cloudwatch_takes_the_widgets(dashboards: dict[str, Dashboard]) -> None:
    for name, (body, _) in dashboards.items():
        assert len(body["widgets"]) <= MOST_WIDGETS, name
        taken: set[tuple[int, int]] = set()
        for widget in body["widgets"]:
            assert widget["type"] in {"text", "alarm", "metric", "log"}
            assert 0 <= widget["x"] < widget["x"] + widget["width"] <= COLUMNS, widget
            assert 1 <= widget["height"] <= MOST_ROWS, widget
            area = {
                (column, row)
                for column in range(widget["x"], widget["x"] + widget["width"])
                for row in range(widget["y"], widget["y"] + widget["height"])
            }
            assert not area & taken, f"{name}: widgets overlap"
            taken |= area
            assert len(widget["properties"].get("alarms", ())) <= MOST_ALARMS_IN_A_WIDGET, name


def test_cloudwatch_reads_the_metrics(dashboards: dict[str, Dashboard]) -> None:
    for name, (body, nodes) in dashboards.items():
        counts = [len(_metrics(widget, nodes)) for widget in body["widgets"]]
        assert max(counts) <= MOST_METRICS_IN_A_WIDGET, name
        assert sum(counts) <= MOST_METRICS_ON_A_DASHBOARD, name
        searches = re.findall(r"SEARCH\(.*?\)", json.dumps(body))
        assert all(len(search) <= LONGEST_SEARCH for search in searches), name


def test_every_store_has_its_graphs(dashboards: dict[str, Dashboard]) -> None:
    def titles(name: str) -> list[str]:
        return [widget["properties"].get("title", "") for widget in dashboards[name].body["widgets"]]

    assert len([title for title in titles("Many") if title == "CPU of the engine"]) == 29
    assert {"CPU of the engine", "Memory in use", "Connections", "Replication lag"} <= {*titles("Group83x5")}
    assert "Replication lag" not in titles("Group500x0")
    assert {"Data", "Processing units", "Throttled commands"} <= {*titles("Serverless")}
    assert "Latency" in titles("MemoryDbv")
    assert "Latency" not in titles("MemoryDbr")


def test_a_dashboard_says_which_graphs_it_leaves_out(dashboards: dict[str, Dashboard]) -> None:
    texts = [
        widget["properties"]["markdown"]
        for widget in dashboards["Group83x5"].body["widgets"]
        if widget["type"] == "text"
    ]

    assert "Left out, because a dashboard has 2,500 metrics: Latency of writes, " in texts[1]


def test_the_picture_of_a_dashboard_is_current(repository: Path) -> None:
    command = "python -m tests.compliance.support.dashboard_picture > docs/dashboard.svg"
    assert (repository / "docs" / "dashboard.svg").read_text() == picture(example()), f"run: {command}"
