"""The metrics of a node, from the output of INFO."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cdk_redis_local._emulator.observe.engine_metrics import Command, Sample, Surroundings, Value, node_metrics
from cdk_redis_local._emulator.observe.node_memory import node_memory
from cdk_redis_local._emulator.observe.service_metrics import NodeMetrics, points_of

GET = Command(frozenset({"readonly"}), frozenset({"@read", "@string"}))


def info(**changes: Any) -> dict[str, Any]:
    return {"run_id": "a", "keyspace_hits": 10, "keyspace_misses": 0, "used_cpu_user": 1.0, **changes}


def test_counters_are_those_of_the_minute() -> None:
    before = Sample(0, info(cmdstat_get={"calls": 10, "usec": 100}))
    now = Sample(60, info(keyspace_hits=13, keyspace_misses=1, cmdstat_get={"calls": 14, "usec": 180}))
    found = node_metrics(before, now, Surroundings({"get": GET}))
    assert (found["CacheHits"].total, found["CacheMisses"].total) == (3, 1)
    assert found["CacheHitRate"].total == 75
    assert found["StringBasedCmds"].total == 4
    # The average of four commands is 20 microseconds.
    assert found["SuccessfulReadRequestLatency"] == Value(80, "Microseconds", 4)


def test_counters_begin_at_zero_when_the_node_starts_again() -> None:
    found = node_metrics(Sample(0, info()), Sample(60, info(run_id="b", keyspace_hits=2)), Surroundings())
    assert found["CacheHits"].total == 2
    assert "CPUUtilization" not in found


def test_processor_time_is_in_percent() -> None:
    now = info(used_cpu_user=25.0, used_cpu_user_main_thread=12.0)
    found = node_metrics(Sample(0, info()), Sample(60, now), Surroundings(processors=2))
    assert found["CPUUtilization"].total == 20
    assert found["EngineCPUUtilization"].total == 20


def test_memory_is_in_percent_of_the_limit() -> None:
    of_type = node_metrics(Sample(0, {}), Sample(60, info(used_memory=50)), Surroundings(memory=200))
    assert of_type["DatabaseMemoryUsagePercentage"].total == 25
    of_engine = node_metrics(Sample(0, {}), Sample(60, info(used_memory=50, maxmemory=100)), Surroundings(memory=200))
    assert of_engine["DatabaseMemoryUsagePercentage"].total == 50
    unknown = node_metrics(Sample(0, {}), Sample(60, info(used_memory=50)), Surroundings())
    assert "DatabaseMemoryUsagePercentage" not in unknown


@pytest.mark.parametrize(
    ("node_type", "gib"),
    [
        ("cache.t4g.small", 1.37),
        ("cache.r7g.large", 13.07),
        ("db.r6gd.xlarge", 26.32),
        ("cache.x9.large", None),
        ("", None),
    ],
)
def test_node_types_have_a_memory(node_type: str, gib: float | None) -> None:
    assert node_memory(node_type) == (None if gib is None else int(gib * 2**30))


def test_a_replica_has_a_lag() -> None:
    up = info(master_link_status="up")
    assert node_metrics(Sample(0, up), Sample(60, up, lag=3), Surroundings())["ReplicationLag"].total == 3
    of_region = node_metrics(Sample(0, up), Sample(60, up, lag=2, other_region=True), Surroundings())
    assert of_region["GlobalDatastoreReplicationLag"].total == 2
    assert "ReplicationLag" not in of_region


def test_only_a_primary_tells_how_much_it_replicates() -> None:
    before, now = Sample(0, info(master_repl_offset=5)), Sample(60, info(master_repl_offset=65))
    found = node_metrics(before, now, Surroundings())
    assert found["ReplicationBytes"].total == 60
    of_cluster = {
        point.name: point.value.total for point in points_of("memorydb", "m", [NodeMetrics("a", True, 60, found)])
    }
    assert of_cluster["MaxReplicationThroughput"] == 1
    assert "TotalCmdsCount" not in of_cluster
    assert "ReplicationBytes" not in node_metrics(before, Sample(60, now.info, lag=0), Surroundings())


def test_engines_that_count_refusals_by_kind_have_metrics_of_each() -> None:
    newer = info(
        acl_access_denied_auth=1, acl_access_denied_cmd=2, acl_access_denied_key=3, acl_access_denied_channel=0
    )
    found = node_metrics(Sample(0, info()), Sample(60, newer), Surroundings())
    assert found["AuthenticationFailures"].total == 1
    assert (found["CommandAuthorizationFailures"].total, found["KeyAuthorizationFailures"].total) == (2, 3)
    older = node_metrics(Sample(0, info()), Sample(60, info(errorstat_NOPERM={"count": 4})), Surroundings())
    assert older["CommandAuthorizationFailures"].total == 4


def test_a_serverless_cache_has_the_metrics_of_the_whole_cache() -> None:
    values = node_metrics(
        Sample(0, info()), Sample(60, info(total_commands_processed=7, used_memory=5)), Surroundings()
    )
    nodes = [NodeMetrics("a", True, 60, values), NodeMetrics("b", False, 60, values)]
    found = {point.name: point.value.total for point in points_of("serverless", "app", nodes)}
    assert {point.dimensions for point in points_of("serverless", "app", nodes)} == {(("clusterId", "app"),)}
    assert found["TotalCmdsCount"] == found["ElastiCacheProcessingUnits"] == 14
    # The replica has the same data.
    assert found["BytesUsedForCache"] == 5


@pytest.mark.parametrize(
    ("service", "section"),
    [("elasticache", "Replication groups"), ("serverless", "Serverless caches"), ("memorydb", "MemoryDB clusters")],
)
def test_every_metric_of_the_alarms_of_the_library_exists(repository: Path, service: str, section: str) -> None:
    table = (repository / "docs" / "alarms.md").read_text().partition(f"## {section}")[2].partition("\n## ")[0]
    of_alarms = {*re.findall(r"`([A-Z]\w+)` \((?:Average|Maximum|Sum)\)", table)}
    assert len(of_alarms) >= 10
    commands = {"get": GET, "set": Command(frozenset({"write"}), frozenset({"@string"}))}
    counted = info(
        acl_access_denied_auth=0,
        cmdstat_get={"calls": 1, "usec": 1},
        cmdstat_set={"calls": 1, "usec": 1},
    )
    samples = [Sample(60, counted), Sample(60, counted, lag=0), Sample(60, counted, lag=0, other_region=True)]
    around = Surroundings(commands, memory=100)
    nodes = [
        NodeMetrics(f"app-00{number}", number == 1, 60, node_metrics(Sample(0, info()), sample, around))
        for number, sample in enumerate(samples, 1)
    ]
    assert of_alarms - {point.name for point in points_of(service, "app", nodes)} == set()
