"""Time series, and operations on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Series:
    """Data points by time, in seconds since 1970.

    Attributes:
        points: The data points.
        id: Id of the metric in the request.
        label: Name of the line in a graph.
    """

    points: Mapping[float, float] = field(default_factory=dict[float, float])
    id: str = ""
    label: str = ""

    def with_points(self, points: Mapping[float, float]) -> Series:
        """The same metric with other data points; those that are no numbers are left out."""
        return replace(self, points={time: value for time, value in points.items() if math.isfinite(value)})

    def ordered(self) -> list[tuple[float, float]]:
        """Times and values, ascending."""
        return sorted(self.points.items())


Operand = float | str | Series | list[Series]
"""A value of metric math: a number, a text, a metric or an array of metrics."""


def combine(function: Callable[[float, float], float], left: Operand, right: Operand) -> Operand:
    """Apply a function to two operands, at each time that both have.

    Raises:
        TypeError: An operand is a text, or two arrays differ in length.
    """
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            raise TypeError(f"arrays of {len(left)} and {len(right)} metrics cannot be combined")
        return [_of_series(function, one, other) for one, other in zip(left, right, strict=True)]
    if isinstance(left, list):
        return [_of_series(function, one, right) for one in left]
    if isinstance(right, list):
        return [_of_series(function, left, one) for one in right]
    if isinstance(left, Series) or isinstance(right, Series):
        return _of_series(function, left, right)
    return function(_number(left), _number(right))


def each(function: Callable[[float], float], value: Operand) -> Operand:
    """Apply a function to each value."""
    return combine(lambda one, _: function(one), value, 0.0)


def _of_series(function: Callable[[float, float], float], left: Operand, right: Operand) -> Series:
    if isinstance(left, Series) and isinstance(right, Series):
        common = left.points.keys() & right.points.keys()
        return left.with_points({time: function(left.points[time], right.points[time]) for time in common})
    if isinstance(left, Series):
        number = _number(right)
        return left.with_points({time: function(value, number) for time, value in left.points.items()})
    assert isinstance(right, Series)
    number = _number(left)
    return right.with_points({time: function(number, value) for time, value in right.points.items()})


def _number(value: Operand) -> float:
    if not isinstance(value, float):
        raise TypeError(f"expected a number instead of {value!r}")
    return value
