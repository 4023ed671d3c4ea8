"""What a dashboard shows, and how it reads the values of other stacks."""

from __future__ import annotations

import json
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk.assertions import Template

from cdk_redis import (
    FailoverDrill,
    Preset,
    RedisDashboard,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    SmokeTest,
    UsageLimits,
)
from tests.compliance.support.dashboard_body import body_of

ENV = cdk.Environment(account="111122223333", region="eu-west-1")


class Shop:
    """Stores with alarms, a canary, a smoke test and a drill, and a dashboard of them in the same stack."""

    def __init__(self) -> None:
        self.app = cdk.App()
        stack = cdk.Stack(self.app, "Shop", env=ENV)
        network = RedisNetwork(stack, "Network")
        self.orders = ReplicationGroup(stack, "Orders", network=network, shards=2)
        limits = UsageLimits.at_most(data_storage_gb=10)
        self.sessions = ServerlessCache(stack, "Sessions", network=network, usage_limits=limits)
        self.orders.add_alarms(overrides={"memory": 70})
        self.sessions.add_alarms()
        rate = events.Schedule.rate(cdk.Duration.minutes(5))
        self.canary = SmokeTest(stack, "Canary", target=self.orders, schedule=rate)
        self.test = SmokeTest(stack, "Test", target=self.sessions)
        self.drill = FailoverDrill(stack, "Drill", target=self.orders)
        self.dashboard = RedisDashboard(
            stack,
            "Dashboard",
            stores=[self.orders, self.sessions],
            smoke_tests=[self.canary, self.test],
            drills=[self.drill],
        )
        self.widgets: list[dict[str, Any]] = body_of(self.dashboard)["widgets"]

    def titled(self, title: str) -> dict[str, Any]:
        """The properties of the first widget with a title."""
        return next(one["properties"] for one in self.widgets if one["properties"].get("title") == title)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def test_a_table_says_what_the_stores_are(shop: Shop) -> None:
    markdown = shop.widgets[0]["properties"]["markdown"]

    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in markdown.splitlines() if line.startswith("| Sh")
    ]
    assert [(row[0], *row[2:]) for row in rows] == [
        ("Shop/Orders", "ElastiCache", "valkey 8.1", "2", "1", "4", "required"),
        ("Shop/Sessions", "ElastiCache", "valkey 8", "serverless", "", "", "required"),
    ]


def test_all_alarms_of_the_stores_and_of_the_canary_are_shown(shop: Shop) -> None:
    assert len(shop.titled("Alarms")["alarms"]) == len(shop.orders.alarms) + len(shop.sessions.alarms) + 1


def test_a_canary_shows_its_verdict_its_latency_and_its_last_runs(shop: Shop) -> None:
    verdict = shop.titled("Smoke test of Shop/Orders: checks")
    latency = shop.titled("Smoke test of Shop/Orders: round trip")
    query = shop.titled("Smoke test of Shop/Orders: last runs")["query"]

    assert [line[:2] for line in verdict["metrics"]] == [
        ["CdkRedis/SmokeTest", "ChecksPassed"],
        ["CdkRedis/SmokeTest", "ChecksFailed"],
    ]
    assert [line[1] for line in latency["metrics"]] == ["LatencyP50", "LatencyP99"]
    assert "cdk_redis_smoke_test.passed as passed" in query


def test_a_smoke_test_without_a_schedule_shows_its_last_runs_alone(shop: Shop) -> None:
    titles = [one["properties"].get("title", "") for one in shop.widgets]

    assert [title for title in titles if "Sessions" in title] == ["Smoke test of Shop/Sessions: last runs"]


def test_the_last_drills_are_shown(shop: Shop) -> None:
    query = shop.titled("Failover drills: last results")["query"]

    assert "cdk_redis_failover_drill.seconds_of_failed_writes as no_writes_s" in query


def test_a_graph_has_a_line_for_each_node_and_the_threshold_of_the_alarm(shop: Shop) -> None:
    memory = shop.titled("Memory in use")

    assert [line[-1]["label"] for line in memory["metrics"]] == ["0001-001", "0001-002", "0002-001", "0002-002"]
    assert [mark["value"] for mark in memory["annotations"]["horizontal"]] == [70]


def test_limits_of_a_serverless_cache_are_drawn_where_the_user_set_them(shop: Shop) -> None:
    assert [mark["value"] for mark in shop.titled("Data")["annotations"]["horizontal"]] == [8e9]
    assert "annotations" not in shop.titled("Processing units")


def test_a_store_whose_preset_asks_for_alarms_has_them_on_the_dashboard() -> None:
    stack = cdk.Stack(cdk.App(), "Shop", env=ENV)
    cache = ServerlessCache(stack, "Cache", network=RedisNetwork(stack, "Network"), preset=Preset.prod())
    dashboard = RedisDashboard(stack, "Dashboard", stores=[cache])

    assert len(body_of(dashboard)["widgets"][1]["properties"]["alarms"]) == len(cache.alarms) == 10


def test_a_dashboard_in_a_later_stack_needs_no_export() -> None:
    app = cdk.App()
    data, operations = (cdk.Stack(app, name, env=ENV) for name in ("Data", "Operations"))
    cache = ServerlessCache(data, "Cache", network=RedisNetwork(data, "Network"))
    cache.add_alarms()
    dashboard = RedisDashboard(operations, "Dashboard", stores=[cache], dashboard_name="caches")

    template = Template.from_stack(operations)
    template.has_resource_properties("AWS::CloudWatch::Dashboard", {"DashboardName": "caches"})
    assert "Fn::GetStackOutput" in json.dumps(template.to_json())
    outputs = cast("dict[str, Any]", Template.from_stack(data).to_json()["Outputs"])
    assert all("Export" not in output for output in outputs.values())
    assert len(body_of(dashboard)["widgets"][1]["properties"]["alarms"]) == len(cache.alarms)
