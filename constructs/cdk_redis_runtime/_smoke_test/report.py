"""The verdicts of a battery, and what is said when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"

# CloudFormation cuts a resource's status reason, and wraps this message in its own words.
LONGEST_MESSAGE = 1000
_LEAST_REASON = 60


@dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes:
        status: ``passed``, ``failed`` or ``skipped``.
        reason: Why, in words.
        expected: What was expected; empty where there is nothing to compare.
        observed: What was seen; empty where nothing was.
        measurements: What was seen in figures, for programs; no text in it comes from the store.
        unsettled: Whether another try may find otherwise, because something may heal or could not be looked at.
    """

    status: str
    reason: str
    expected: str = ""
    observed: str = ""
    measurements: Mapping[str, Any] = field(default_factory=dict[str, Any])
    unsettled: bool = field(default=False, compare=False)


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
    """The verdicts of one battery.

    Attributes:
        store: Name of the store.
        service: ``elasticache`` or ``memorydb``.
        duration_ms: How long the battery took.
        checks: One verdict a check, in the battery's order.
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
        """Whether something was proven, and nothing failed."""
        return not self.failed and any(check.outcome.status == PASSED for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "store": self.store,
            "service": self.service,
            "passed": self.passed,
            "duration_ms": self.duration_ms,
            "checks": [check.as_dict() for check in self.checks],
        }


class SmokeTestFailed(Exception):  # noqa: N818 - its name is what CloudFormation and the CDK CLI show
    """A smoke test failed; the message names each failed check and its reason, and fits CloudFormation.

    Attributes:
        report: The whole report.
    """

    def __init__(self, report: Report) -> None:
        """Word the failure.

        Args:
            report: A report that did not pass.
        """
        self.report = report
        super().__init__(_message(report))


def _message(report: Report) -> str:
    failed = report.failed
    head = f"Smoke test of {report.service} {report.store}: "
    if not failed:
        return head + "nothing could be proven, every check was skipped"
    head += f"{len(failed)} of {len(report.checks)} checks failed."
    lines = [f" [{check.name}] {check.outcome.reason}." for check in failed]
    if len(head) + sum(map(len, lines)) > LONGEST_MESSAGE:
        room = max(_LEAST_REASON, (LONGEST_MESSAGE - len(head)) // len(failed))
        lines = [_shorten(line, room) for line in lines]
    return head + "".join(lines)


def _shorten(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 3].rstrip() + "..."
