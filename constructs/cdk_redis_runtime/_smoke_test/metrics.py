"""Metrics of a smoke test in CloudWatch's embedded metric format: a log line that becomes metrics without an API call.

AWS source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import time
from typing import Any

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.report import FAILED, PASSED, SKIPPED, Report

_LATENCIES = {"LatencyP50": "p50_ms", "LatencyP99": "p99_ms", "LatencyMax": "max_ms"}


def embedded_metrics(report: Report, namespace: str, *, timestamp_ms: int | None = None) -> dict[str, Any]:
    """Turn a report into one line of metrics, by service and store.

    Only verdicts and durations: a reason may quote the store. The duration of each check and the latency of each shard
    are plain fields for CloudWatch Logs Insights, because each metric costs extra.

    Args:
        report: The report.
        namespace: Namespace of the metrics.
        timestamp_ms: Milliseconds since 1970. Default: - now.
    """
    statuses = [check.outcome.status for check in report.checks]
    # If every check was skipped, the test did not pass, but there is no failed check to count.
    failed = statuses.count(FAILED) or int(not report.passed)
    # The check has measurements only if it has measured something before it failed.
    latency: dict[str, Any] = next(
        (check.as_dict().get("measurements", {}) for check in report.checks if check.name == "latency"), {}
    )
    metrics: dict[str, tuple[float, str]] = {
        env.METRIC_PASSED: (statuses.count(PASSED), "Count"),
        env.METRIC_FAILED: (failed, "Count"),
        env.METRIC_SKIPPED: (statuses.count(SKIPPED), "Count"),
        env.METRIC_DURATION: (report.duration_ms, "Milliseconds"),
        **{name: (latency[key], "Milliseconds") for name, key in _LATENCIES.items() if key in latency},
    }
    directive = {
        "Namespace": namespace,
        "Dimensions": [[env.DIMENSION_SERVICE, env.DIMENSION_STORE]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
    }
    timestamp = int(time.time() * 1000) if timestamp_ms is None else timestamp_ms
    return {
        "_aws": {"Timestamp": timestamp, "CloudWatchMetrics": [directive]},
        env.DIMENSION_SERVICE: report.service,
        env.DIMENSION_STORE: report.store,
        **{name: value for name, (value, _) in metrics.items()},
        "CheckDurations": {check.name: check.duration_ms for check in report.checks},
        "LatencyOfShards": latency.get("shards", []),
        "ChecksNotPassed": [check.name for check in report.checks if check.outcome.status == FAILED],
    }
