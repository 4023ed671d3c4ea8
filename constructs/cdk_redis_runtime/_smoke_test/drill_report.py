"""The report of a failover drill: the outage of each shard, measured from the answers to its writes and reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

REPORT_LINE = "cdk_redis_failover_drill"
PROGRESS_LINE = "cdk_redis_drill_progress"
"""Keys of the lines of JSON in the log of the drill's function."""

NOTICEABLE_SECONDS = 0.5
"""A shorter time between two answers is no outage, if there was no error."""

# Step Functions passes on 256 KiB at most, and the report of a store with 500 shards needs most of them.
# (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)
_MOST_BYTES = 240_000
_MOST_GAPS = 20


@dataclass(frozen=True)
class Attempt:
    """One operation.

    Attributes:
        started: When it was sent, on the monotonic clock.
        ended: When it was answered or given up.
        error: Kind of the error; None after an answer.
    """

    started: float
    ended: float
    error: str | None = None


@dataclass
class Outage:
    """The outage of one kind of operation.

    Attributes:
        attempted: How many operations there were.
        succeeded: How many were answered.
        failed_seconds: Seconds without an answer: all gaps with an error, or of at least half a second.
        longest_gap_seconds: The longest time between two answers.
        longest_gap_ended: When the longest gap ended, on the monotonic clock; None if it did not.
        longest_call_seconds: The longest time that a caller waited for an answer or an error.
        errors: How many errors of each kind.
        gaps: Begin and end of each gap that counts as failed, in seconds since the start of the drill.
        per_second: How many were answered in each second of the drill.
    """

    attempted: int = 0
    succeeded: int = 0
    failed_seconds: float = 0.0
    longest_gap_seconds: float = 0.0
    longest_gap_ended: float | None = None
    longest_call_seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter[str])
    gaps: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    per_second: tuple[int, ...] = ()

    @property
    def recovered(self) -> bool:
        """Whether there were answers after the longest gap."""
        return self.attempted > 0 and self.longest_gap_ended is not None

    def as_dict(self) -> dict[str, Any]:
        """The part of the report's JSON, without the figures of each second."""
        longest = sorted(self.gaps, key=lambda gap: gap[0] - gap[1])[:_MOST_GAPS]
        return {
            "attempted": self.attempted,
            "succeeded": self.succeeded,
            "failed_seconds": round(self.failed_seconds, 3),
            "longest_gap_seconds": round(self.longest_gap_seconds, 3),
            "longest_call_seconds": round(self.longest_call_seconds, 3),
            "recovered": self.recovered,
            "gaps": [[round(begin, 3), round(end, 3)] for begin, end in sorted(longest)],
            "errors": dict(self.errors),
        }


def outage_of(attempts: Sequence[Attempt], begun: float, ended: float) -> Outage:
    """Measure the gaps without an answer.

    Args:
        attempts: Operations of one kind on one shard, in order.
        begun: Start of the drill, on the monotonic clock.
        ended: End of the drill.
    """
    outage = Outage(attempted=len(attempts))
    last, failing = begun, False
    # The end of the drill ends a gap, too, without an answer.
    for attempt in (*attempts, Attempt(ended, ended, error="")):
        outage.longest_call_seconds = max(outage.longest_call_seconds, attempt.ended - attempt.started)
        if attempt.error:
            outage.errors[attempt.error] += 1
            failing = True
            continue
        gap = attempt.ended - last
        if failing or gap >= NOTICEABLE_SECONDS:
            outage.failed_seconds += gap
            outage.gaps.append((last - begun, attempt.ended - begun))
        answered = attempt.error is None
        if gap > outage.longest_gap_seconds:
            outage.longest_gap_seconds = gap
            outage.longest_gap_ended = attempt.ended if answered or not failing else None
        outage.succeeded += answered
        last, failing = attempt.ended, False
    outage.per_second = _per_second(attempts, begun, ended)
    return outage


def _per_second(attempts: Sequence[Attempt], begun: float, ended: float) -> tuple[int, ...]:
    """Count the answers in each whole second."""
    answered = Counter(int(attempt.ended - begun) for attempt in attempts if attempt.error is None)
    return tuple(answered[second] for second in range(int(ended - begun)))


@dataclass(frozen=True)
class ShardReport:
    """The result for one shard.

    Attributes:
        writes: The outage of writes.
        reads: The outage of reads.
        acknowledged: Numbers of the writes that the store acknowledged.
        lost: Numbers of acknowledged writes that the store no longer has; None if it did not answer.
        other_primary: Whether another node than at the start serves the shard; None if unknown.
        slots: The slots of the shard, such as ``0-8191``; empty without cluster mode.
    """

    writes: Outage
    reads: Outage
    acknowledged: tuple[int, ...]
    lost: tuple[int, ...] | None
    other_primary: bool | None
    slots: str = ""

    @property
    def failed_seconds(self) -> float:
        """Seconds without an answer to a write or a read, whichever are more."""
        return max(self.writes.failed_seconds, self.reads.failed_seconds)

    def as_dict(self) -> dict[str, Any]:
        """The entry in the report's JSON, without the figures of each second."""
        return {
            "slots": self.slots,
            "writes": self.writes.as_dict(),
            "reads": self.reads.as_dict(),
            "acknowledged_writes_lost": None if self.lost is None else len(self.lost),
            "other_primary": self.other_primary,
        }


@dataclass(frozen=True)
class DrillReport:
    """The outage that an application saw during a failover.

    Attributes:
        store: Name of the store.
        service: ``elasticache`` or ``memorydb``.
        seconds: How long the drill took.
        shards: One entry a shard.
    """

    store: str
    service: str
    seconds: float
    shards: tuple[ShardReport, ...]

    @property
    def lost(self) -> int | None:
        """How many acknowledged writes the store no longer has; None if a shard did not answer."""
        lost = [shard.lost for shard in self.shards]
        return None if None in lost else sum(len(numbers or ()) for numbers in lost)

    @property
    def _failover_seen(self) -> bool:
        return any(shard.other_primary for shard in self.shards)

    @property
    def _recovered(self) -> bool:
        return all(outage.recovered for shard in self.shards for outage in (shard.writes, shard.reads))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it: the worst shard's outage first, then each.

        If the report would be too long for Step Functions, only the shards with the longest outages have the figures
        of each second.
        """
        shards = [shard.as_dict() for shard in self.shards]
        report: dict[str, Any] = {
            "store": self.store,
            "service": self.service,
            "seconds": round(self.seconds, 3),
            "failover_seen": self._failover_seen,
            "recovered": self._recovered,
            "seconds_of_failed_writes": round(max(shard.writes.failed_seconds for shard in self.shards), 3),
            "seconds_of_failed_reads": round(max(shard.reads.failed_seconds for shard in self.shards), 3),
            "longest_gap_seconds": round(
                max(max(shard.writes.longest_gap_seconds, shard.reads.longest_gap_seconds) for shard in self.shards), 3
            ),
            "errors": dict(sum((shard.writes.errors + shard.reads.errors for shard in self.shards), Counter[str]())),
            "acknowledged_writes": sum(len(shard.acknowledged) for shard in self.shards),
            "acknowledged_writes_lost": self.lost,
            "shards": shards,
        }
        report["passed"] = drill_passed(report)
        left = _MOST_BYTES - len(json.dumps(report))
        for entry, shard in sorted(zip(shards, self.shards, strict=True), key=lambda pair: -pair[1].failed_seconds):
            series = {"writes": list(shard.writes.per_second), "reads": list(shard.reads.per_second)}
            left -= len(json.dumps(series)) + len(', "per_second": ')
            if left < 0:
                break
            entry["per_second"] = series
        return report


def drill_passed(report: Mapping[str, Any]) -> bool:
    """Whether another node took over, every shard recovered, and no acknowledged write was lost."""
    return bool(report["failover_seen"] and report["recovered"] and report["acknowledged_writes_lost"] == 0)
