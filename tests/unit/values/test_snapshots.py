from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._values.snapshots import Snapshots
from cdk_redis._values.windows import SnapshotWindow


def test_daily_snapshots_are_kept_for_7_days_by_default():
    assert Snapshots.daily() == Snapshots(retention_days=7, window=None)
    assert Snapshots.daily().enabled


def test_daily_snapshots_have_a_retention_and_a_window():
    snapshots = Snapshots.daily(35, SnapshotWindow("03:00-04:00"))
    assert (snapshots.retention_days, snapshots.window) == (35, SnapshotWindow("03:00-04:00"))


def test_snapshots_can_be_off():
    assert Snapshots.off().retention_days == 0
    assert not Snapshots.off().enabled


@pytest.mark.parametrize("days", [0, -1, 36, 7.5, "7", True])
def test_a_retention_out_of_range_is_refused(days: Any):
    with pytest.raises(ConfigurationError) as raised:
        Snapshots.daily(days)
    assert str(raised.value) == (
        f"Snapshots.daily: retention_days: got {days!r}, but snapshots are kept 1 to 35 days; "
        "to turn them off, use Snapshots.off()"
    )


def test_the_constructor_checks_its_arguments():
    with pytest.raises(ConfigurationError) as raised:
        Snapshots(36, "03:00-04:00")  # pyright: ignore[reportArgumentType]
    assert str(raised.value) == (
        "Snapshots: 2 problems\n"
        "  - retention_days: got 36, but snapshots are kept 0 to 35 days\n"
        "  - window: got '03:00-04:00', but a window is a SnapshotWindow, such as SnapshotWindow(\"03:00-04:00\")"
    )


def test_a_token_passes_and_counts_as_enabled():
    days: Any = cdk.Token.as_number(cdk.Fn.ref("Days"))
    assert Snapshots.daily(days).enabled
    assert cdk.Stack().resolve(Snapshots.daily(days).retention_days) == {"Ref": "Days"}


def test_snapshots_of_a_serverless_cache_have_a_time():
    assert Snapshots.daily(at="22:00").at == "22:00"


@pytest.mark.parametrize("time", ["24:00", "3:00", "03:60", "", 3, "03:00-04:00"])
def test_an_invalid_time_is_refused(time: Any):
    with pytest.raises(ConfigurationError) as raised:
        Snapshots.daily(at=time)
    assert str(raised.value) == (
        f'Snapshots: at: got {time!r}, but a time reads "hh:mm" in UTC, from "00:00" to "23:59"'
    )


def test_a_window_and_a_time_exclude_each_other():
    with pytest.raises(
        ConfigurationError, match="a snapshot is taken in a window or at a time; leave out one of the two"
    ):
        Snapshots.daily(window=SnapshotWindow("03:00-04:00"), at="03:00")
