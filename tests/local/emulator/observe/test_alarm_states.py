"""The state of an alarm, from its data points: the tables of "Configuring how CloudWatch alarms treat missing data"."""

from __future__ import annotations

import pytest

from cdk_redis_local._emulator.observe.alarm_states import Rule, UnsupportedAlarmError

HOLD = "the current state"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
VALUES = {"0": 0.0, "X": 5.0, "-": None}


def rule(missing: str, datapoints: int = 3, comparison: str = "GreaterThanThreshold") -> Rule:
    return Rule(comparison, threshold=1.0, periods=3, datapoints=datapoints, missing=missing)


@pytest.mark.parametrize(
    ("datapoints", "values", "states"),
    [
        (3, "0 - X - X", ("OK", "OK", "OK", "OK")),
        (3, "0 - - - -", ("OK", "OK", "OK", "OK")),
        (3, "- - - - -", ("INSUFFICIENT_DATA", HOLD, "ALARM", "OK")),
        (3, "0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "- - X - -", ("ALARM", HOLD, "ALARM", "OK")),
        (2, "0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 - X - -", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - - 0", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - X -", ("ALARM", HOLD, "ALARM", "OK")),
    ],
)
def test_missing_data_count_as_cloudwatch_says(datapoints: int, values: str, states: tuple[str, ...]) -> None:
    given = [VALUES[one] for one in values.split()]
    found = tuple(rule(missing, datapoints).state(given, HOLD) for missing in TREATMENTS)
    assert found == states


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [False, False, True]),
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_values_are_compared_with_the_threshold(comparison: str, breaching: list[bool]) -> None:
    assert [rule("missing", comparison=comparison).breaches(value) for value in (0.0, 1.0, 2.0)] == breaching


def test_the_reason_is_in_cloudwatchs_words() -> None:
    values = [("22/11/26 05:00:00", 0.0), ("22/11/26 05:01:00", 5.0), ("22/11/26 05:02:00", 6.0)]
    assert rule("missing", 2).reason(values, "ALARM", "OK") == (
        "Threshold Crossed: 2 out of the last 3 datapoints [6.0 (22/11/26 05:02:00), 5.0 (22/11/26 05:01:00)] were "
        "greater than the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert rule("missing").reason([("22/11/26 05:00:00", None)], "INSUFFICIENT_DATA", "OK") == (
        "Insufficient Data: 3 datapoints were unknown."
    )
    assert rule("notBreaching").reason([("22/11/26 05:00:00", None)], "OK", "ALARM") == (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as "
        "[NonBreaching]."
    )


def test_anomaly_detection_is_refused() -> None:
    with pytest.raises(UnsupportedAlarmError, match="the local cloud does not evaluate alarms with LessThanLower"):
        rule("missing", comparison="LessThanLowerThreshold").breaches(1.0)
