from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._values.windows import MaintenanceWindow, SnapshotWindow


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("sun:05:00-sun:06:00", "sun:05:00-sun:06:00"),
        (" SUN:23:30-Mon:00:30 ", "sun:23:30-mon:00:30"),
        ("sat:00:00-sat:23:59", "sat:00:00-sat:23:59"),
    ],
)
def test_a_maintenance_window_is_normalised_text(given: str, text: Any):
    assert str(MaintenanceWindow(given)) == text


@pytest.mark.parametrize(
    ("day", "start", "hours", "text"),
    [
        ("sun", "05:00", 1, "sun:05:00-sun:06:00"),
        ("sun", "23:30", 2, "sun:23:30-mon:01:30"),
        ("wed", "00:00", 24, "wed:00:00-thu:00:00"),
    ],
)
def test_a_weekly_window_has_a_start_and_a_length(day: str, start: str, hours: int, text: Any):
    assert MaintenanceWindow.weekly(day, start, hours=hours) == MaintenanceWindow(text)


def test_all_problems_of_a_weekly_window_are_listed():
    with pytest.raises(ConfigurationError) as raised:
        MaintenanceWindow.weekly("sunday", "24:00", hours=25)
    assert str(raised.value) == (
        "MaintenanceWindow.weekly: 3 problems\n"
        "  - day: got 'sunday', but a day is one of mon, tue, wed, thu, fri, sat, sun\n"
        '  - start: got \'24:00\', but a time reads "hh:mm", from "00:00" to "23:59"\n'
        "  - hours: got 25, but a weekly window lasts 1 to 24 whole hours"
    )


@pytest.mark.parametrize("text", ["", "05:00-06:00", "sun:5:00-sun:06:00", "sun:05:00-sun:24:00", "sun:05:00", 5, None])
def test_a_malformed_maintenance_window_is_refused(text: Any):
    with pytest.raises(ConfigurationError) as raised:
        MaintenanceWindow(text)
    assert str(raised.value) == (
        f"MaintenanceWindow: text: got {text!r}, but a maintenance window reads "
        '"ddd:hh:mm-ddd:hh:mm" in UTC, such as "sun:05:00-sun:06:00"'
    )


@pytest.mark.parametrize("text", ["", "sun:03:00-sun:04:00", "3:00-4:00", "03:00-24:00", "03:00", "٠٣:00-04:00", 3])
def test_a_malformed_snapshot_window_is_refused(text: Any):
    with pytest.raises(ConfigurationError) as raised:
        SnapshotWindow(text)
    assert str(raised.value) == (
        f'SnapshotWindow: text: got {text!r}, but a snapshot window reads "hh:mm-hh:mm" in UTC, such as "03:00-04:00"'
    )


@pytest.mark.parametrize(
    ("make", "text", "minutes"),
    [
        (MaintenanceWindow, "sun:05:00-sun:05:59", 59),
        (MaintenanceWindow, "sun:05:00-sun:05:00", 0),
        (MaintenanceWindow, "sun:23:45-mon:00:15", 30),
        (SnapshotWindow, "03:00-03:30", 30),
        (SnapshotWindow, "23:45-00:15", 30),
    ],
)
def test_a_window_shorter_than_an_hour_is_refused(make: Any, text: Any, minutes: int):
    with pytest.raises(ConfigurationError) as raised:
        make(text)
    assert str(raised.value) == (
        f"{make.__name__}: text: got {text!r}, but a window lasts at least 60 minutes "
        f"and this one lasts {minutes}; make it longer"
    )


@pytest.mark.parametrize(
    ("maintenance", "snapshot", "overlap"),
    [
        ("sun:05:00-sun:06:00", "03:00-04:00", False),
        ("sun:05:00-sun:06:00", "04:00-05:00", False),  # one ends when the other begins
        ("sun:05:00-sun:06:00", "06:00-07:00", False),
        ("sun:05:00-sun:06:00", "05:30-06:30", True),
        ("wed:05:00-wed:08:00", "06:00-07:00", True),
        ("wed:06:00-wed:07:00", "05:00-08:00", True),
        ("sun:23:30-mon:00:30", "00:00-01:00", True),  # past the end of the week
        ("mon:00:00-mon:01:00", "23:30-00:30", True),  # past midnight
        ("mon:22:00-mon:23:00", "23:30-00:30", False),
        ("mon:00:00-tue:00:00", "12:00-13:00", True),
    ],
)
def test_a_maintenance_window_and_a_snapshot_window_overlap(maintenance: str, snapshot: str, overlap: bool):
    assert MaintenanceWindow(maintenance).overlaps(SnapshotWindow(snapshot)) is overlap
    assert SnapshotWindow(snapshot).overlaps(MaintenanceWindow(maintenance)) is overlap


def test_a_token_passes_and_overlaps_no_window():
    window = MaintenanceWindow(cdk.Fn.ref("Window"))
    assert cdk.Stack().resolve(str(window)) == {"Ref": "Window"}
    assert not window.overlaps(SnapshotWindow("03:00-04:00"))
    assert not MaintenanceWindow("sun:03:00-sun:04:00").overlaps(SnapshotWindow(cdk.Fn.ref("Window")))
