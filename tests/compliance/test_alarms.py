"""Alarms of every kind of store, up to 500 nodes: each metric exists, and no limit of AWS is exceeded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis import Endpoint, MemoryDbCluster, ReplicationGroup, ServerlessCache, Topology
from cdk_redis._store.nodes import node_numbers, parts_of
from tests.compliance.support.alarms_page import page
from tests.compliance.support.published_metrics import (
    LONGEST_RULE,
    MOST_BYTES,
    MOST_CHILDREN_OF_A_COMPOSITE,
    MOST_METRICS_IN_AN_ALARM,
    MOST_RESOURCES,
    Metric,
)

ENDPOINT = Endpoint("store.example.com", 6379)
# A generated name of an alarm has up to 255 characters, and the rest of its ARN about 60.
LONGEST_CHILD = len('ALARM("") OR ') + 60 + 255

ALL_SIZES = [(shards, replicas) for shards in range(1, 501) for replicas in range(6) if shards * (1 + replicas) <= 500]


@pytest.mark.parametrize("replicas", range(6))
def test_every_node_of_every_size_is_in_one_alarm_of_up_to_ten_metrics(replicas: int) -> None:
    topology = Topology("valkey:8.1", cluster_mode=True, shards=1, replicas=replicas)
    for shards in (shards for shards, of_each in ALL_SIZES if of_each == replicas):
        nodes = node_numbers(topology, shards, replicas)
        parts = parts_of(nodes)

        assert [node for part in parts.values() for node in part] == nodes
        assert max(map(len, parts.values())) <= MOST_METRICS_IN_AN_ALARM
        # 25 children a composite alarm, and the second step combines those.
        assert len(parts) <= 25 * 25


def imported(stack: cdk.Stack, name: str, shards: int | None, replicas: int, engine: str = "valkey:8.1") -> Any:
    return ReplicationGroup.from_replication_group_attributes(
        stack,
        name,
        replication_group_id=name.lower(),
        endpoint=ENDPOINT,
        security_groups=[],
        engine=engine,
        shards=shards,
        replicas=replicas,
    )


def stores(app: cdk.App) -> Iterator[Any]:
    """Stores of each kind, the largest of each among them, each in a stack of its own."""
    for shards, replicas in ((None, 0), (None, 5), (1, 0), (5, 1), (6, 1), (500, 0), (83, 5)):
        name = f"Group{shards or 'Plain'}x{replicas}"
        yield imported(cdk.Stack(app, name), name, shards, replicas)
    yield imported(cdk.Stack(app, "Redis"), "Redis", 2, 1, "redis:7.1")
    for engine in ("valkey:7.3", "redis:7.1"):
        stack = cdk.Stack(app, f"MemoryDb{engine[:1]}")
        yield MemoryDbCluster.from_cluster_attributes(
            stack, "It", cluster_name="it", endpoint=ENDPOINT, security_groups=[], engine=engine, shards=250, replicas=1
        )
    yield ServerlessCache.from_serverless_cache_attributes(
        cdk.Stack(app, "Serverless"), "It", serverless_cache_name="it", endpoint=ENDPOINT, security_groups=[]
    )


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The templates, nested ones included, by the names of their files."""
    folder = tmp_path_factory.mktemp("alarms")
    app = cdk.App(outdir=str(folder))
    for store in stores(app):
        store.add_alarms(overrides=None if store.service.serverless else {"cpu": 45})
    app.synth()
    return {path.name: json.loads(path.read_text()) for path in Path(folder).glob("*.template.json")}


def resources(templates: dict[str, dict[str, Any]], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for file, template in templates.items():
        for name, resource in template["Resources"].items():
            if resource["Type"] == kind:
                yield f"{file} {name}", resource["Properties"]


def metrics_of(alarm: dict[str, Any]) -> list[Metric]:
    given = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one] or [alarm]
    return [
        Metric(one["Namespace"], one["MetricName"], frozenset(dimension["Name"] for dimension in one["Dimensions"]))
        for one in given
    ]


def test_every_metric_exists_with_its_dimensions(templates: dict[str, dict[str, Any]]) -> None:
    found = {metric for _, alarm in resources(templates, "AWS::CloudWatch::Alarm") for metric in metrics_of(alarm)}

    assert [metric for metric in found if not metric.exists] == []
    assert {metric.namespace for metric in found} == {"AWS/ElastiCache", "AWS/MemoryDB"}
    assert len(found) > 30


def test_no_alarm_has_more_metrics_than_cloudwatch_takes(templates: dict[str, dict[str, Any]]) -> None:
    for name, alarm in resources(templates, "AWS::CloudWatch::Alarm"):
        assert len(metrics_of(alarm)) <= MOST_METRICS_IN_AN_ALARM, name


def test_no_composite_alarm_has_more_children_or_a_longer_rule_than_cloudwatch_takes(
    templates: dict[str, dict[str, Any]],
) -> None:
    for name, alarm in resources(templates, "AWS::CloudWatch::CompositeAlarm"):
        children = json.dumps(alarm["AlarmRule"]).count("Fn::GetAtt")
        assert 0 < children <= MOST_CHILDREN_OF_A_COMPOSITE, name
        assert children * LONGEST_CHILD <= LONGEST_RULE, name


def test_no_template_is_larger_than_cloudformation_takes(templates: dict[str, dict[str, Any]]) -> None:
    for name, template in templates.items():
        assert len(template["Resources"]) <= MOST_RESOURCES, name
        assert len(json.dumps(template, indent=1)) < MOST_BYTES, name


def test_an_alarm_of_the_largest_group_watches_every_shard(templates: dict[str, dict[str, Any]]) -> None:
    watched = {
        metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]
        for name, alarm in resources(templates, "AWS::CloudWatch::Alarm")
        if name.startswith("Group83x5") and "EngineCpu" in name
        for metric in alarm["Metrics"]
        if "MetricStat" in metric
    }

    assert watched == {f"group83x5-{shard:04d}-{node:03d}" for shard in range(1, 84) for node in range(1, 7)}


def test_the_page_of_all_alarms_is_current(repository: Path) -> None:
    command = "python -m tests.compliance.support.alarms_page > docs/alarms.md"
    assert (repository / "docs" / "alarms.md").read_text() == page(), f"run: {command}"
