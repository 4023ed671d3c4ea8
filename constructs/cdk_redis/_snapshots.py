"""Snapshots: how long the daily ones are kept, and when they are taken.

Example:
    >>> Snapshots.daily(retention_days=14).retention_days
    14
    >>> Snapshots.off().enabled
    False
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from ._errors import Problems
from ._tokens import is_token
from ._windows import SnapshotWindow

_LONGEST_RETENTION = 35
_RETENTION = "snapshots are kept {low} to {high} days"


@dataclass(frozen=True)
class Snapshots:
    """Automatic snapshots of a store. Make one with `daily` or `off`.

    Attributes:
        retention_days: Days that a snapshot is kept, 1 to 35; 0 takes none.
        window: When they are taken; None lets AWS choose.
    """

    retention_days: int
    window: SnapshotWindow | None = None

    def __post_init__(self) -> None:
        """Check both fields; tokens pass."""
        problems = Problems("Snapshots")
        problems.check_range("retention_days", self.retention_days, 0, _LONGEST_RETENTION, _RETENTION)
        window = cast("object", self.window)
        if window is not None and not isinstance(window, SnapshotWindow):
            problems.add("window", window, 'a window is a SnapshotWindow, such as SnapshotWindow("03:00-04:00")')
        problems.raise_if_any()

    @classmethod
    def daily(cls, retention_days: int = 7, window: SnapshotWindow | None = None) -> Snapshots:
        """One snapshot a day.

        Args:
            retention_days: Days that a snapshot is kept, 1 to 35. Default: 7. Some compliance rules (HIPAA,
                NIST 800-53 in cdk-nag) ask for 15 or more.
            window: When it is taken, in UTC; must not overlap the maintenance window. Default: - AWS chooses.

        Raises:
            ConfigurationError: If the retention is out of range or the window is no `SnapshotWindow`.
        """
        # Zero is a legal retention, but not of daily snapshots: `off` says it by name.
        problems = Problems("Snapshots.daily")
        problems.check_range(
            "retention_days", retention_days, 1, _LONGEST_RETENTION, _RETENTION, "for none at all say Snapshots.off()"
        )
        problems.raise_if_any()
        return cls(retention_days, window)

    @classmethod
    def off(cls) -> Snapshots:
        """No automatic snapshots: what is lost is lost."""
        return cls(retention_days=0)

    @property
    def enabled(self) -> bool:
        """Whether snapshots are taken; True for a token."""
        return is_token(self.retention_days) or self.retention_days > 0
