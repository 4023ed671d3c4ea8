"""The verdicts of a smoke test, and the message of its failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REPORT_LINE = "cdk_redis_smoke_test"
"""Key of the line of JSON in the log of the smoke test's function."""

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"

# CloudFormation truncates a resource's status reason, and adds its own text to this message.
LONGEST_MESSAGE = 1000
_MIN_REASON_LENGTH = 60


@dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes:
        status: ``passed``, ``failed`` or ``skipped``.
        reason: Why, in plain English.
        expected: What was expected; empty if there is nothing to compare.
        observed: What was found; empty if nothing was.
        measurements: Figures for programs; no text in it comes from the store.
        unsettled: Whether another try may have another result, because something may heal or did not answer.
        unfinished: Whether the time was over before anything was found.
    """

    status: str
    reason: str
    expected: str = ""
    observed: str = ""
    measurements: Mapping[str, Any] = field(default_factory=dict[str, Any])
    unsettled: bool = field(default=False, compare=False)
    unfinished: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class CheckResult:
    """The verdict of one check.

    Attributes:
        name: Name of the check.
        outcome: What it found.
        duration_ms: How long it took.
    """

    name: str
    outcome: Outcome
    duration_ms: int

    def as_dict(self) -> dict[str, Any]:
        """The entry in the report's JSON."""
        entry: dict[str, Any] = {
            "name": self.name,
            "status": self.outcome.status,
            "reason": self.outcome.reason,
            "expected": self.outcome.expected,
            "observed": self.outcome.observed,
            "duration_ms": self.duration_ms,
        }
        if self.outcome.measurements:
            entry["measurements"] = dict(self.outcome.measurements)
        return entry


@dataclass(frozen=True)
class Report:
    """The verdicts of one smoke test.

    Attributes:
        store: Name of the store.
        service: ``elasticache`` or ``memorydb``.
        duration_ms: How long the smoke test took.
        checks: One verdict a check, in the order of the checks.
    """

    store: str
    service: str
    duration_ms: int
    checks: tuple[CheckResult, ...] = field(default_factory=tuple)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome.status == FAILED)

    @property
    def passed(self) -> bool:
        """Whether at least one check passed and none failed."""
        return not self.failed and any(check.outcome.status == PASSED for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "store": self.store,
            "service": self.service,
            "passed": self.passed,
            "duration_ms": self.duration_ms,
            "checks": [check.as_dict() for check in self.checks],
        }


class SmokeTestFailed(Exception):  # noqa: N818 - its name is what CloudFormation and the CDK CLI show
    """A smoke test failed. The message names each failed check with its reason, and is short enough for CloudFormation.

    Attributes:
        report: The whole report.
    """

    def __init__(self, report: Report) -> None:
        """Build the message.

        Args:
            report: A report that did not pass.
        """
        self.report = report
        super().__init__(_message(report))


def _message(report: Report) -> str:
    failed = report.failed
    head = f"Smoke test of {report.service} {report.store}: "
    if not failed:
        return head + "nothing was proven, because every check was skipped"
    head += f"{len(failed)} of {len(report.checks)} checks failed."
    lines = [f" [{check.name}] {check.outcome.reason}." for check in failed]
    if len(head) + sum(map(len, lines)) > LONGEST_MESSAGE:
        room = max(_MIN_REASON_LENGTH, (LONGEST_MESSAGE - len(head)) // len(failed))
        lines = [_shorten(line, room) for line in lines]
    return head + "".join(lines)


def _shorten(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 3].rstrip() + "..."
