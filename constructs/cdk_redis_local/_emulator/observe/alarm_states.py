"""Decides the state of an alarm from its data points.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

OK, ALARM, NO_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"

_OPERATORS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
# CloudWatch looks at a few more data points than needed, if some are missing.
EXTRA_PERIODS = 2


class UnsupportedAlarmError(Exception):
    """The local cloud cannot evaluate such an alarm; the message says why."""


@dataclass(frozen=True)
class Rule:
    """When an alarm goes off.

    Attributes:
        comparison: A ``ComparisonOperator``.
        threshold: Its threshold.
        periods: ``EvaluationPeriods``.
        datapoints: ``DatapointsToAlarm``.
        missing: ``TreatMissingData``: ``missing``, ``ignore``, ``breaching`` or ``notBreaching``.
    """

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: str

    def breaches(self, value: float) -> bool:
        """Whether a value is beyond the threshold.

        Raises:
            UnsupportedAlarmError: The comparison is with a band of anomaly detection.
        """
        if self.comparison not in _OPERATORS:
            raise UnsupportedAlarmError(f"the local cloud does not evaluate alarms with {self.comparison}")
        return _OPERATORS[self.comparison][0](value, self.threshold)

    def state(self, values: Sequence[float | None], current: str) -> str:
        """The state for the values of the last periods.

        Args:
            values: A value for each period, the newest last, None where it is missing: more than ``periods`` of them.
            current: The state so far.
        """
        known = [value for value in values if value is not None][-self.periods :]
        breaching = sum(self.breaches(value) for value in known)
        absent = self.periods - len(known)
        if self.missing == "breaching":
            return ALARM if breaching + absent >= self.datapoints else OK
        if self.missing == "notBreaching":
            return ALARM if breaching >= self.datapoints else OK
        if self.missing == "ignore":
            if breaching >= self.datapoints:
                return ALARM
            return current if breaching == len(known) else OK
        if not known:
            return NO_DATA
        return ALARM if breaching >= min(self.datapoints, len(known)) else OK

    def reason(self, values: Sequence[tuple[str, float | None]], state: str, current: str) -> str:
        """The reason of a change, in CloudWatch's words.

        Args:
            values: Time and value of the last periods, the newest last.
            state: The new state.
            current: The state so far.
        """
        known = [(time, value) for time, value in values if value is not None][-self.periods :]
        if not known:
            several = "datapoint was" if self.periods == 1 else "datapoints were"
            unknown = f"no datapoints were received for {self.periods} period{'' if self.periods == 1 else 's'}"
            if state == NO_DATA:
                return f"Insufficient Data: {self.periods} {several} unknown."
            treated = "[Breaching]" if self.missing == "breaching" else "[NonBreaching]"
            return f"Threshold Crossed: {unknown} and {self.periods} missing {several} treated as {treated}."
        agree = [(time, value) for time, value in known if self.breaches(value) == (state == ALARM)]
        shown = ", ".join(f"{value} ({time})" for time, value in reversed(agree))
        words = _OPERATORS[self.comparison][1]
        was = "was" if len(agree) == 1 else "were"
        return (
            f"Threshold Crossed: {len(agree)} out of the last {len(known)} datapoints [{shown}] {was} "
            f"{'' if state == ALARM else 'not '}{words} the threshold ({self.threshold}) (minimum {self.datapoints} "
            f"datapoint{'' if self.datapoints == 1 else 's'} for {current} -> {state} transition)."
        )
