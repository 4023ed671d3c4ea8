"""Options that all metrics of a store take, and their checks.

`aws_cloudwatch.Metric` also checks them, but raises jsii errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_cloudwatch as cloudwatch

    from cdk_redis._core.errors import Problems

# Periods below a minute that CloudWatch accepts, in seconds.
_SHORT_PERIODS = (1, 5, 10, 30)


class MetricOptions(TypedDict, total=False):
    """Keyword parameters of all `metric_*` methods: those of the CDK's ``MetricOptions``, `node` and `graph`.

    Each method has its own default statistic.
    """

    statistic: str
    """Average, Maximum, Minimum, Sum or SampleCount; for a single node also a percentile such as ``p99``."""
    period: cdk.Duration
    """Period of one data point: 1, 5, 10 or 30 seconds, or minutes. Default: - 5 minutes."""
    node: str
    """One node by its number, which the console shows after the store's name: ``"0001-001"``, or ``"001"`` without
    cluster mode. Default: - all nodes."""
    graph: bool
    """Whether the metric is for a graph, where a formula can have more than 10 nodes. Default: - no: it can be used in
    an alarm."""
    label: str
    """Name of the line in a graph. Default: - the metric's name."""
    color: str
    """Color of the line in a graph, as a hex code such as ``"#00ff00"``. Default: - CloudWatch chooses one."""
    unit: cloudwatch.Unit
    """Unit to filter data points by. Default: - all units."""
    region: str
    """Region to read the metric from. Default: - the store's."""
    account: str
    """Account to read the metric from. Default: - the store's."""


def check_period(problems: Problems, period: object) -> None:
    """Check that a value is a period that CloudWatch accepts, or None."""
    import aws_cdk as cdk

    if period is None:
        return
    reason = "a period is a Duration of 1, 5, 10 or 30 seconds, or of whole minutes"
    if not isinstance(period, cdk.Duration) or period.is_unresolved():
        problems.add("period", period, reason)
    else:
        seconds = period.to_milliseconds() / 1000
        if seconds not in _SHORT_PERIODS and (seconds <= 0 or seconds % 60):
            problems.add("period", f"{seconds:g} seconds", reason)
