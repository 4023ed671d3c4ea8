"""Reports of drills that did not run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cdk_redis_runtime._smoke_test.drill_report import Attempt, DrillReport, Outage, ShardReport, outage_of

SECONDS = 30


def _outage(*gaps: tuple[float, float], per_second: int = 20) -> Outage:
    """An outage with these gaps, and so many answers in every other second."""
    attempts = [
        Attempt(end - 0.001, end, "TimeoutError" if any(begin < end < until for begin, until in gaps) else None)
        for end in (number / per_second for number in range(SECONDS * per_second))
    ]
    return outage_of(attempts, 0.0, float(SECONDS))


def report_of(*shards: ShardReport) -> dict[str, Any]:
    """The report of these shards."""
    return DrillReport("orders", "elasticache", float(SECONDS), shards).as_dict()


def shard(
    *gaps: tuple[float, float], slots: str = "", lost: Sequence[int] | None = (), other: bool | None = None
) -> ShardReport:
    """A shard whose writes and reads had these gaps."""
    outage = _outage(*gaps)
    lost = None if lost is None else tuple(lost)
    return ShardReport(outage, outage, tuple(range(500)), lost, bool(gaps) if other is None else other, slots)


HEALTHY = shard(slots="0-5460")
HURT = shard((10.0, 12.5), slots="5461-10922")
