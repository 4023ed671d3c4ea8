"""Windows: the time for AWS's maintenance and for the daily snapshot. All times are in UTC.

Example:
    >>> maintenance = MaintenanceWindow.weekly("sun", "05:00", hours=2)
    >>> str(maintenance)
    'sun:05:00-sun:07:00'
    >>> maintenance.overlaps(SnapshotWindow("06:30-07:30"))
    True
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_WEEK = 7 * _DAY
# Both services reject shorter windows.
_SHORTEST = 60

_TIME = r"((?:[01][0-9]|2[0-3]):[0-5][0-9])"
_MAINTENANCE = re.compile(rf"({'|'.join(_DAYS)}):{_TIME}-({'|'.join(_DAYS)}):{_TIME}")
_SNAPSHOT = re.compile(rf"{_TIME}-{_TIME}")

# (start, length) in minutes; the start is counted from Monday 00:00.
_Span = tuple[int, int]


@dataclass(frozen=True)
class MaintenanceWindow:
    """The weekly time in which AWS may patch, resize or replace nodes.

    ``str()`` returns the text for AWS.

    Attributes:
        text: ``ddd:hh:mm-ddd:hh:mm`` in UTC, at least 60 minutes, such as ``"sun:05:00-sun:06:00"``; or a token.
    """

    text: str

    TEXT_EXAMPLE: ClassVar[str] = "sun:05:00-sun:06:00"

    def __post_init__(self) -> None:
        """Check the text; a token passes."""
        reason = 'a maintenance window reads "ddd:hh:mm-ddd:hh:mm" in UTC, such as "sun:05:00-sun:06:00"'
        object.__setattr__(self, "text", _checked("MaintenanceWindow", self.text, _MAINTENANCE, reason))
        _check_length("MaintenanceWindow", self.text, _spans(self))

    @classmethod
    def from_text(cls, text: str) -> MaintenanceWindow:
        """Parse a window.

        Args:
            text: ``"sun:05:00-sun:06:00"``, in UTC.

        Raises:
            ConfigurationError: If the text has another format, or the window is shorter than 60 minutes.
        """
        return cls(text)

    @classmethod
    def weekly(cls, day: str, start: str, *, hours: int = 1) -> MaintenanceWindow:
        """A window that begins on a day of the week.

        Args:
            day: Day on which it begins: mon, tue, wed, thu, fri, sat or sun.
            start: Time at which it begins, ``hh:mm`` in UTC.
            hours: Length in whole hours, 1 to 24. Default: 1.

        Raises:
            ConfigurationError: If an argument is invalid.
        """
        problems = []
        if day not in _DAYS:
            problems.append(problem("day", day, f"a day is one of {', '.join(_DAYS)}"))
        if not re.fullmatch(_TIME, str(start)):
            problems.append(problem("start", start, 'a time reads "hh:mm", from "00:00" to "23:59"'))
        if hours not in range(1, 25):
            problems.append(problem("hours", hours, "a weekly window lasts 1 to 24 whole hours"))
        if problems:
            raise ConfigurationError("MaintenanceWindow.weekly", problems)
        end = (_DAYS.index(day) * _DAY + _minutes(start) + int(hours) * 60) % _WEEK
        return cls(f"{day}:{start}-{_DAYS[end // _DAY]}:{end % _DAY // 60:02d}:{end % 60:02d}")

    def overlaps(self, other: MaintenanceWindow | SnapshotWindow) -> bool:
        """Whether the two windows overlap; False if one of them is a token."""
        return _overlap(_spans(self), _spans(other))

    def __str__(self) -> str:
        """The text for AWS."""
        return self.text


@dataclass(frozen=True)
class SnapshotWindow:
    """The time of day in which AWS begins the daily snapshot.

    ``str()`` returns the text for AWS.

    Attributes:
        text: ``hh:mm-hh:mm`` in UTC, at least 60 minutes, such as ``"03:00-04:00"``; or a token.
    """

    text: str

    TEXT_EXAMPLE: ClassVar[str] = "03:00-04:00"

    def __post_init__(self) -> None:
        """Check the text; a token passes."""
        reason = 'a snapshot window reads "hh:mm-hh:mm" in UTC, such as "03:00-04:00"'
        object.__setattr__(self, "text", _checked("SnapshotWindow", self.text, _SNAPSHOT, reason))
        _check_length("SnapshotWindow", self.text, _spans(self))

    @classmethod
    def from_text(cls, text: str) -> SnapshotWindow:
        """Parse a window.

        Args:
            text: ``"03:00-04:00"``, in UTC.

        Raises:
            ConfigurationError: If the text has another format, or the window is shorter than 60 minutes.
        """
        return cls(text)

    def overlaps(self, other: MaintenanceWindow | SnapshotWindow) -> bool:
        """Whether the two windows overlap; False if one of them is a token."""
        return _overlap(_spans(self), _spans(other))

    def __str__(self) -> str:
        """The text for AWS."""
        return self.text


def _spans(window: MaintenanceWindow | SnapshotWindow) -> list[_Span]:
    """The parts of a week that a window covers; empty for a token."""
    if maintenance := _MAINTENANCE.fullmatch(window.text):
        first_day, first_time, last_day, last_time = maintenance.groups()
        start = _DAYS.index(first_day) * _DAY + _minutes(first_time)
        end = _DAYS.index(last_day) * _DAY + _minutes(last_time)
        return [(start, (end - start) % _WEEK)]
    if snapshot := _SNAPSHOT.fullmatch(window.text):
        start, end = (_minutes(time) for time in snapshot.groups())
        return [(day * _DAY + start, (end - start) % _DAY) for day in range(7)]
    return []


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _checked(where: str, given: object, form: re.Pattern[str], reason: str) -> str:
    text = given.strip().lower() if isinstance(given, str) else ""
    if is_token(given):
        return str(given)
    if not form.fullmatch(text):
        raise ConfigurationError(where, [problem("text", given, reason)])
    return text


def _check_length(where: str, text: str, spans: list[_Span]) -> None:
    for _, minutes in spans[:1]:
        if minutes < _SHORTEST:
            reason = f"a window lasts at least {_SHORTEST} minutes and this one lasts {minutes}"
            raise ConfigurationError(where, [problem("text", text, reason, "make it longer")])


def _overlap(spans: list[_Span], others: list[_Span]) -> bool:
    # If two spans overlap, one of them begins inside the other, also across the end of the week.
    return any(
        (other_start - start) % _WEEK < length or (start - other_start) % _WEEK < other_length
        for start, length in spans
        for other_start, other_length in others
    )
