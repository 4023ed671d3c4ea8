"""Rows of the tables of alarms: what each alarm of a store watches, and where its threshold comes from.

Each service has its table: ``_elasticache/alarms.py`` and ``_memorydb/alarms.py``. docs/alarms.md is made from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from cdk_redis._values.alarm_override import AlarmOverride

RECOMMENDED = (
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/"
    "Best_Practice_Recommended_Alarms_AWS_Services.html#ElastiCache"
)
_MINUTE, _HOUR, _DAY = 60, 60 * 60, 24 * 60 * 60


@dataclass(frozen=True)
class AlarmRow:
    """An alarm of a store. It goes off when the value is above the threshold.

    Attributes:
        name: Its name, such as ``"memory"``.
        metric: The metric's name in CloudWatch.
        statistic: Statistic of one period.
        threshold: The threshold in `unit`; None if the store at hand has no such alarm unless the user gives one.
        unit: Unit of the threshold, for people.
        meaning: What it means that the alarm is on, for its description.
        advice: What to do then, for its description.
        why: Why the threshold is this one.
        source: Where AWS documents it.
        datapoints: Number of periods that must be above the threshold, among the last `evaluation_periods`.
        evaluation_periods: Number of periods.
        seconds: Length of a period.
        counts: Whether the metric counts events, or is published by some nodes only: no data then means no problem.
        objection: Why the store at hand has no such alarm; empty if it has.
    """

    name: str
    metric: str
    statistic: str
    threshold: float | None
    unit: str
    meaning: str
    advice: str
    why: str
    source: str
    datapoints: int = 5
    evaluation_periods: int = 5
    seconds: int = _MINUTE
    counts: bool = False
    objection: str = ""

    @property
    def construct_id(self) -> str:
        """Id of the construct of the alarm, such as ``"ReplicationLag"``."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    def problem_with(self, override: AlarmOverride) -> tuple[str, str] | None:
        """Reason and hint if an override does not fit; None if it does."""
        if override.off:
            return None
        if self.objection and self.threshold is not None:
            return f"this store has no such alarm: {self.objection}", "leave it out"
        if self.objection and override.threshold is None:
            return self.objection, "give a threshold as well"
        seconds = self.seconds if override.period is None else int(override.period.to_seconds())
        count = override.evaluation_periods or self.evaluation_periods
        # "Can't be more than 604,800 seconds", and a day with periods below an hour.
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        most = 7 * _DAY if seconds >= _HOUR else _DAY
        if is_token(count) or count * seconds <= most:
            return None
        reason = f"an alarm looks back {most // _DAY} days at most with periods of {seconds // _MINUTE} minutes"
        return reason.replace("1 days", "1 day"), "choose fewer or shorter periods"


def cpu_row(source: str, vcpus: int | None, statistic: str) -> AlarmRow:
    """CPU of the whole host, for nodes with 1 or 2 vCPUs; on others the user can give a threshold."""
    return AlarmRow(
        "cpu",
        "CPUUtilization",
        statistic,
        None if vcpus is None else 90 / vcpus,
        "percent",
        "the host of a node is busy",
        "choose a larger node type, add replicas for reads, or shards for writes",
        "90 percent of one core, divided by the node's vCPUs: AWS's rule for nodes with 1 or 2 vCPUs",
        source,
        objection="its nodes have more than 2 vCPUs, or it is not known how many" if vcpus is None else "",
    )


def engine_cpu_row(statistic: str) -> AlarmRow:
    """CPU of the engine's thread."""
    return AlarmRow(
        "engine_cpu",
        "EngineCPUUtilization",
        statistic,
        90,
        "percent",
        "the engine's main thread is busy",
        "look for slow commands, add replicas for reads, shards for writes, or choose a larger node type",
        "AWS recommends 90",
        RECOMMENDED,
    )


def memory_row(source: str, statistic: str, *, data_tiering: bool) -> AlarmRow:
    """Memory in use; with data tiering, memory and disk."""
    metric = "DatabaseCapacityUsagePercentage" if data_tiering else "DatabaseMemoryUsagePercentage"
    return AlarmRow(
        "memory",
        metric,
        statistic,
        80,
        "percent",
        "a node is nearly full: at 100 percent it evicts keys, or rejects writes",
        "add shards, choose a larger node type, or give keys a time to live",
        "AWS leaves the number to you; at 80 there is time to scale",
        source,
    )


def evictions_row(source: str, statistic: str) -> AlarmRow:
    """Evicted keys."""
    return AlarmRow(
        "evictions",
        "Evictions",
        statistic,
        20,
        "keys a minute",
        "keys are evicted, because memory is full",
        "add memory; switch the alarm off for a cache that is meant to be full",
        "AWS leaves the number to you; a cache that fits into its memory evicts none",
        source,
        datapoints=10,
        evaluation_periods=15,
        counts=True,
    )


def connections_row(source: str, statistic: str) -> AlarmRow:
    """Client connections."""
    return AlarmRow(
        "connections",
        "CurrConnections",
        statistic,
        52_000,
        "connections",
        "clients keep many connections open; at 65,000, new ones are refused",
        "reuse connections, and close idle ones",
        "80 percent of the 65,000 that AWS allows",
        source,
        datapoints=10,
        evaluation_periods=10,
    )


def replication_lag_row(source: str, statistic: str, objection: str) -> AlarmRow:
    """Lag of the replicas."""
    return AlarmRow(
        "replication_lag",
        "ReplicationLag",
        statistic,
        1,
        "seconds",
        "a replica is behind its primary: reads from it are old, and a failover loses more",
        "add shards for writes, replicas for reads, or choose a larger node type",
        "AWS leaves the number to you, and evaluates 15 minutes; the usual lag is some milliseconds",
        source,
        datapoints=15,
        evaluation_periods=15,
        counts=True,
        objection=objection,
    )


# Name of the alarm, CloudWatch's name of what is exceeded, and a name for people.
_ALLOWANCES = (
    ("network_in", "BandwidthIn", "incoming bandwidth"),
    ("network_out", "BandwidthOut", "outgoing bandwidth"),
    ("network_packets", "PacketsPerSecond", "packets a second"),
    ("network_connections", "Conntrack", "tracked connections"),
)


def network_rows(source: str, statistic: str) -> list[AlarmRow]:
    """What a node's type allows on the network."""
    return [
        AlarmRow(
            name,
            f"Network{allowance}AllowanceExceeded",
            statistic,
            0,
            "packets a minute",
            f"packets are queued or dropped, because a node has more {what} than its type allows",
            "choose a larger node type, or add shards or replicas",
            "any such packet is one too many; five minutes in a row are no short burst",
            source,
            counts=True,
        )
        for name, allowance, what in _ALLOWANCES
    ]


_FAILURES = (
    ("authentication_failures", "AuthenticationFailures", "sign in with wrong credentials"),
    ("command_failures", "CommandAuthorizationFailures", "run commands that their access strings do not allow"),
    ("key_failures", "KeyAuthorizationFailures", "access keys that their access strings do not allow"),
)


def failure_rows(source: str, statistic: str) -> list[AlarmRow]:
    """Clients that are refused."""
    return [
        AlarmRow(
            name,
            metric,
            statistic,
            10,
            "a minute",
            f"clients try to {what}",
            "look at ACL LOG for the user and the address of the client",
            "AWS asks for an alarm without a number; each run of a smoke test causes up to four on each node",
            source,
            datapoints=1,
            evaluation_periods=1,
            counts=True,
        )
        for name, metric, what in _FAILURES
    ]


def latency_rows(source: str, metrics: tuple[str, str], *, write_ms: int = 5, objection: str = "") -> list[AlarmRow]:
    """Slow commands: the average of reads and of writes."""
    return [
        AlarmRow(
            f"{what}_latency",
            metric,
            "Average",
            1000 * milliseconds,
            "microseconds",
            f"{what}s take long in the engine, network excluded",
            "look at the slow log for commands on large keys",
            "AWS leaves the number to you; most commands take less than a millisecond"
            if milliseconds == 5
            else "AWS leaves the number to you; a write takes some milliseconds, until the log of several zones has it",
            source,
            datapoints=3,
            counts=True,
            objection=objection,
        )
        for what, metric, milliseconds in (("read", metrics[0], 5), ("write", metrics[1], write_ms))
    ]
