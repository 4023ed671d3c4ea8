"""Snapshots: how long daily snapshots are kept, and when they are taken.

Example:
    >>> Snapshots.daily(retention_days=14).retention_days
    14
    >>> Snapshots.daily(at="03:00").at
    '03:00'
    >>> Snapshots.off().enabled
    False
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, cast

import aws_cdk as cdk

from cdk_redis._core.checks import check_required
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.tokens import is_token
from cdk_redis._values.windows import SnapshotWindow

_LONGEST_RETENTION = 35
_RETENTION = "snapshots are kept {low} to {high} days"
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Snapshots:
    """Automatic snapshots of a store. Use `daily` or `off`.

    Attributes:
        retention_days: Days that a snapshot is kept, 1 to 35; 0 turns snapshots off.
        window: Time of day in which AWS begins the snapshot. None: - AWS chooses.
        at: For a serverless cache, which has no window: the time of day of the snapshot. None: - AWS chooses.
    """

    retention_days: int
    window: SnapshotWindow | None = None
    at: str | None = None

    TEXT_EXAMPLE: ClassVar[str] = "7"

    def __post_init__(self) -> None:
        """Check every field; tokens pass."""
        problems = Problems("Snapshots")
        check_required(problems, retention_days=self.retention_days)
        problems.check_range("retention_days", self.retention_days, 0, _LONGEST_RETENTION, _RETENTION)
        window = cast("object", self.window)
        if window is not None and not isinstance(window, SnapshotWindow):
            problems.add("window", window, 'a window is a SnapshotWindow, such as SnapshotWindow("03:00-04:00")')
        at: object = self.at
        if at is not None and not (is_token(at) or (isinstance(at, str) and _TIME.fullmatch(at))):
            problems.add("at", at, 'a time reads "hh:mm" in UTC, from "00:00" to "23:59"')
        if at is not None and window is not None:
            problems.add("at", at, "a snapshot is taken in a window or at a time", "leave out one of the two")
        problems.raise_if_any()

    @classmethod
    def from_text(cls, text: str) -> Snapshots:
        """Parse the number of days that daily snapshots are kept.

        Args:
            text: ``"7"``; 1 to 35 days, ``"0"`` for no snapshots.

        Raises:
            ConfigurationError: If the text is not a whole number, or is out of range.
        """
        if is_token(text):
            return cls(cast("int", cdk.Token.as_number(text)))
        if isinstance(text, str) and re.fullmatch(r"[0-9]{1,2}", text):
            return cls(int(text))
        reason = f"snapshots are kept 0 to {_LONGEST_RETENTION} whole days"
        raise ConfigurationError("Snapshots", [problem("text", text, reason)])

    @classmethod
    def from_other(cls, given: object) -> Snapshots | None:
        """Read the number of days that daily snapshots are kept; None for other types."""
        return cls(cast("int", given)) if isinstance(given, (int, float)) else None

    @classmethod
    def daily(
        cls, retention_days: int = 7, window: SnapshotWindow | None = None, *, at: str | None = None
    ) -> Snapshots:
        """One snapshot a day.

        Args:
            retention_days: Days that a snapshot is kept, 1 to 35. Default: 7. Some compliance rules (HIPAA,
                NIST 800-53 in cdk-nag) require 15 or more.
            window: Time of day in which AWS begins the snapshot, in UTC. It must not overlap the maintenance window.
                Default: - AWS chooses.
            at: For a serverless cache, which has no window: the time of day of the snapshot, ``hh:mm`` in UTC.
                Default: - AWS chooses.

        Raises:
            ConfigurationError: If the retention is out of range, or the window or the time is invalid.
        """
        # A retention of 0 turns snapshots off: for that there is `off`.
        problems = Problems("Snapshots.daily")
        problems.check_range(
            "retention_days", retention_days, 1, _LONGEST_RETENTION, _RETENTION, "to turn them off, use Snapshots.off()"
        )
        problems.raise_if_any()
        return cls(retention_days, window, at)

    @classmethod
    def off(cls) -> Snapshots:
        """No automatic snapshots: lost data cannot be restored."""
        return cls(retention_days=0)

    @property
    def enabled(self) -> bool:
        """Whether snapshots are taken; True for a token."""
        return is_token(self.retention_days) or self.retention_days > 0
