"""The line that CloudWatch turns into metrics."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cdk_redis_runtime import CheckResult, Report
from cdk_redis_runtime._smoke_test.metrics import embedded_metrics
from cdk_redis_runtime._smoke_test.report import Outcome

SECRET = "correct-horse-battery-staple"
# The units that PutMetricData knows, of those that are used.
UNITS = {"Count", "Milliseconds"}


def _report(*statuses: str) -> Report:
    checks = tuple(
        CheckResult(f"check-{number}", Outcome(status, f"because of {SECRET}", SECRET, SECRET), 10 * number)
        for number, status in enumerate(statuses)
    )
    return Report("orders", "elasticache", 1234, checks)


def _line(*statuses: str) -> dict[str, Any]:
    return json.loads(
        json.dumps(embedded_metrics(_report(*statuses), "CdkRedis/SmokeTest", timestamp_ms=1700000000000))
    )


def test_line_has_the_structure_of_the_embedded_metric_format() -> None:
    line = _line("passed", "failed", "skipped")
    assert line["_aws"]["Timestamp"] == 1700000000000
    assert set(line["_aws"]) == {"Timestamp", "CloudWatchMetrics"}
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert re.fullmatch(r"[^:]{1,1024}", directive["Namespace"])
        assert 1 <= len(directive["Metrics"]) <= 100
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            # A dimension's value is a text at the top of the line, a metric's a number there.
            assert all(isinstance(line[name], str) and line[name] for name in dimensions)
        for metric in directive["Metrics"]:
            assert metric["Unit"] in UNITS
            assert isinstance(line[metric["Name"]], (int, float))


def test_verdicts_are_counted_by_service_and_store() -> None:
    line = _line("passed", "passed", "failed", "skipped")
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Service", "Store"]]
    assert (line["Service"], line["Store"]) == ("elasticache", "orders")
    assert (line["ChecksPassed"], line["ChecksFailed"], line["ChecksSkipped"]) == (2, 1, 1)
    assert line["Duration"] == 1234
    assert line["CheckDurations"] == {"check-0": 0, "check-1": 10, "check-2": 20, "check-3": 30}
    assert line["ChecksNotPassed"] == ["check-2"]


@pytest.mark.parametrize("statuses", [(), ("skipped", "skipped")])
def test_report_without_a_pass_counts_as_a_failure(statuses: tuple[str, ...]) -> None:
    assert _line(*statuses)["ChecksFailed"] == 1


def test_line_contains_no_reason() -> None:
    assert SECRET not in json.dumps(_line("passed", "failed"))


def test_default_timestamp_is_now() -> None:
    assert embedded_metrics(_report("passed"), "CdkRedis/SmokeTest")["_aws"]["Timestamp"] > 1700000000000


class _Latency(CheckResult):
    """A check with figures in its JSON."""

    def as_dict(self) -> dict[str, Any]:
        shards = [{"primary": "node-1:6379", "p50_ms": 0.4, "p99_ms": 2.5, "max_ms": 9.0}]
        return {**super().as_dict(), "measurements": {"p50_ms": 0.4, "p99_ms": 2.5, "max_ms": 9.0, "shards": shards}}


def test_total_latency_is_a_metric_and_the_latency_of_each_shard_a_field() -> None:
    report = Report("orders", "elasticache", 10, (_Latency("latency", Outcome("passed", "fast"), 5),))
    line = embedded_metrics(report, "CdkRedis/SmokeTest")
    names = {metric["Name"]: metric["Unit"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    for name, value in {"LatencyP50": 0.4, "LatencyP99": 2.5, "LatencyMax": 9.0}.items():
        assert names[name] == "Milliseconds"
        assert line[name] == value
    assert line["LatencyOfShards"][0]["p99_ms"] == 2.5
