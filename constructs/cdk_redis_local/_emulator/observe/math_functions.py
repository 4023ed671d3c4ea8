"""The functions of CloudWatch's metric math that the local cloud has."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from cdk_redis_local._emulator.observe.series import Operand, Series, combine, each


class Range(Protocol):
    """The range of time that an expression is evaluated for."""

    @property
    def times(self) -> Sequence[float]:
        """All times of the range, ascending."""
        ...

    @property
    def period(self) -> float:
        """Seconds of one data point."""
        ...


def _folded(fold: Callable[[Iterable[float]], float]) -> Callable[..., Operand]:
    """A function that is a number for one metric, and a metric for several: of those that have a value."""

    def apply(_range: Range, *arguments: Operand) -> Operand:
        (value,) = arguments
        if isinstance(value, Series):
            return fold(value.points.values()) if value.points else math.nan
        several = _metrics(value)
        times = {time for one in several for time in one.points}
        return Series({time: fold([one.points[time] for one in several if time in one.points]) for time in times})

    return apply


def _metrics(value: Operand) -> list[Series]:
    if isinstance(value, Series):
        return [value]
    if not isinstance(value, list):
        raise TypeError(f"expected metrics instead of {value!r}")
    return value


def _mapped(function: Callable[[float], float]) -> Callable[..., Operand]:
    return lambda _range, value: each(function, value)


def _changed(function: Callable[[list[tuple[float, float]]], dict[float, float]]) -> Callable[..., Operand]:
    """A function of the ordered data points of each metric."""

    def apply(_range: Range, value: Operand) -> Operand:
        changed = [one.with_points(function(one.ordered())) for one in _metrics(value)]
        return changed if isinstance(value, list) else changed[0]

    return apply


def _fill(given: Range, value: Operand, filler: Operand = 0.0) -> Operand:
    def fill(one: Series) -> Series:
        filled: dict[float, float] = {}
        last = math.nan
        for time in given.times:
            if isinstance(filler, Series):
                last = filler.points.get(time, math.nan)
            elif filler != "REPEAT":
                last = float(filler) if isinstance(filler, float) else math.nan
            filled[time] = last = one.points.get(time, last)
        return one.with_points(filled)

    if isinstance(filler, str) and filler != "REPEAT":
        raise ValueError(f"the local cloud cannot fill with {filler}")
    filled = [fill(one) for one in _metrics(value)]
    return filled if isinstance(value, list) else filled[0]


def _if(_range: Range, condition: Operand, yes: Operand, no: Operand = math.nan) -> Operand:
    if isinstance(condition, float):
        return yes if condition else no
    where_true = combine(lambda test, value: value if test else math.nan, condition, yes)
    where_false = combine(lambda test, value: math.nan if test else value, condition, no)
    if not isinstance(where_true, Series) or not isinstance(where_false, Series):
        raise TypeError("IF needs a metric, not an array")
    return where_true.with_points({**where_true.points, **where_false.points})


def _rate(points: list[tuple[float, float]]) -> dict[float, float]:
    return {time: (value - old) / (time - start) for (start, old), (time, value) in itertools.pairwise(points)}


def _difference(points: list[tuple[float, float]]) -> dict[float, float]:
    return {time: value - old for (_, old), (time, value) in itertools.pairwise(points)}


def _running_sum(points: list[tuple[float, float]]) -> dict[float, float]:
    totals = itertools.accumulate(value for _, value in points)
    return {time: total for (time, _), total in zip(points, totals, strict=True)}


def _deviation(values: Iterable[float]) -> float:
    return statistics.pstdev(values)


def _average(values: Iterable[float]) -> float:
    return statistics.fmean(values)


def _series_of(given: Range, value: float) -> Series:
    return Series(dict.fromkeys(given.times, value))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "ABS": _mapped(abs),
    "AVG": _folded(_average),
    "CEIL": _mapped(lambda value: float(math.ceil(value))),
    "DATAPOINT_COUNT": _folded(lambda values: float(len(list(values)))),
    "DIFF": _changed(_difference),
    "FILL": _fill,
    "FIRST": lambda _range, value: _metrics(value)[0],
    "FLOOR": _mapped(lambda value: float(math.floor(value))),
    "IF": _if,
    "LAST": lambda _range, value: _metrics(value)[-1],
    "LOG": _mapped(lambda value: math.log(value) if value > 0 else math.nan),
    "LOG10": _mapped(lambda value: math.log10(value) if value > 0 else math.nan),
    "MAX": _folded(max),
    "METRIC_COUNT": lambda _range, value: float(len(_metrics(value))),
    "MIN": _folded(min),
    "PERIOD": lambda given, _value: float(given.period),
    "RATE": _changed(_rate),
    "REMOVE_EMPTY": lambda _range, value: [one for one in _metrics(value) if one.points],
    "RUNNING_SUM": _changed(_running_sum),
    "STDDEV": _folded(_deviation),
    "SUM": _folded(math.fsum),
    "TIME_SERIES": _series_of,
}
"""The functions by name; each is called with the range and the arguments."""
