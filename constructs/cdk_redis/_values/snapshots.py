"""Snapshots: how long the daily ones are kept, and when they are taken.

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
    """Automatic snapshots of a store. Make one with `daily` or `off`.

    Attributes:
        retention_days: Days that a snapshot is kept, 1 to 35; 0 takes none.
        window: Within which time of the day they are taken; None lets AWS choose.
        at: Time of the day that they are taken at, for a serverless cache, which has it instead of a window.
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
            problems.add("at", at, "the snapshot is taken within a window or at a time", "leave one of the two out")
        problems.raise_if_any()

    @classmethod
    def from_text(cls, text: str) -> Snapshots:
        """Daily snapshots, from the number of days that each is kept.

        Args:
            text: ``"7"``; 1 to 35 days, ``"0"`` for no snapshots.

        Raises:
            ConfigurationError: If the text is no whole number, or it is out of range.
        """
        if is_token(text):
            return cls(cast("int", cdk.Token.as_number(text)))
        if isinstance(text, str) and re.fullmatch(r"[0-9]{1,2}", text):
            return cls(int(text))
        reason = f"snapshots are kept 0 to {_LONGEST_RETENTION} whole days"
        raise ConfigurationError("Snapshots", [problem("text", text, reason)])

    @classmethod
    def from_other(cls, given: object) -> Snapshots | None:
        """Read the number of days that daily snapshots are kept; None for anything but a number."""
        return cls(cast("int", given)) if isinstance(given, (int, float)) else None

    @classmethod
    def daily(
        cls, retention_days: int = 7, window: SnapshotWindow | None = None, *, at: str | None = None
    ) -> Snapshots:
        """One snapshot a day.

        Args:
            retention_days: Days that a snapshot is kept, 1 to 35. Default: 7. Some compliance rules (HIPAA,
                NIST 800-53 in cdk-nag) ask for 15 or more.
            window: When it is taken, in UTC; must not overlap the maintenance window. Default: - AWS chooses.
            at: For a serverless cache, which has no window: the time that it is taken, ``hh:mm`` in UTC.
                Default: - AWS chooses.

        Raises:
            ConfigurationError: If the retention is out of range, the window is no `SnapshotWindow`, or the time is
                none.
        """
        # Zero is a legal retention, but not of daily snapshots: `off` says it by name.
        problems = Problems("Snapshots.daily")
        problems.check_range(
            "retention_days", retention_days, 1, _LONGEST_RETENTION, _RETENTION, "for none at all say Snapshots.off()"
        )
        problems.raise_if_any()
        return cls(retention_days, window, at)

    @classmethod
    def off(cls) -> Snapshots:
        """No automatic snapshots: what is lost is lost."""
        return cls(retention_days=0)

    @property
    def enabled(self) -> bool:
        """Whether snapshots are taken; True for a token."""
        return is_token(self.retention_days) or self.retention_days > 0
