"""Changes of one alarm of a store.

Example:
    >>> AlarmOverride(threshold=90, evaluation_periods=10).threshold
    90
    >>> AlarmOverride.from_other(False).off
    True
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import aws_cdk as cdk

from cdk_redis._core.checks import check_flags
from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token

_MINUTE, _DAY = 60, 24 * 60 * 60
_MOST_PERIODS = _DAY // _MINUTE


@dataclass(frozen=True)
class AlarmOverride:
    """Changes of one alarm of `add_alarms`; what is None stays as it is.

    Attributes:
        threshold: The alarm goes off above this value, in the unit of the alarm.
        period: Length of a period, in whole minutes up to a day. The services publish a value a minute.
        evaluation_periods: Number of periods in a row that must be above the threshold. Together they may last one
            day, or seven days with a period of an hour or more.
        off: Whether the store has no such alarm.
    """

    threshold: float | None = None
    period: cdk.Duration | None = None
    evaluation_periods: int | None = None
    off: bool = False

    def __post_init__(self) -> None:
        """Check every field; tokens pass."""
        problems = Problems("AlarmOverride")
        if not _is_threshold(self.threshold):
            problems.add("threshold", self.threshold, "it must be a number, 0 or more")
        _check_period(problems, self.period)
        problems.check_range(
            "evaluation_periods",
            self.evaluation_periods,
            1,
            _MOST_PERIODS,
            "an alarm evaluates {low} to {high} periods",
        )
        check_flags(problems, off=self.off)
        if self.off is True and (self.threshold, self.period, self.evaluation_periods) != (None, None, None):
            problems.add("off", True, "an alarm that is off has no other settings", "leave out one of the two")
        problems.raise_if_any()

    @classmethod
    def from_other(cls, given: object) -> AlarmOverride | None:
        """Read a number, which is the threshold, or False, which turns the alarm off; None for anything else."""
        if given is False:
            return cls(off=True)
        return cls(threshold=given) if isinstance(given, (int, float)) and given is not True else None


def _is_threshold(given: object) -> bool:
    if given is None or is_token(given):
        return True
    return isinstance(given, (int, float)) and not isinstance(given, bool) and 0 <= given < math.inf


def _check_period(problems: Problems, given: object) -> None:
    if given is None:
        return
    reason = "a period is a Duration of whole minutes, 1 minute to 1 day"
    if not isinstance(given, cdk.Duration) or given.is_unresolved():
        problems.add("period", given, reason)
        return
    seconds = given.to_milliseconds() / 1000
    if seconds % _MINUTE or not _MINUTE <= seconds <= _DAY:
        problems.add("period", f"{seconds:g} seconds", reason)
