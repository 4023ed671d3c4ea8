"""CloudWatch's metric math: expressions over metrics, in alarms and in GetMetricData.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cdk_redis_local._emulator.observe import math_functions
from cdk_redis_local._emulator.observe.series import Operand, Series, combine

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>'[^']*'|"[^"]*")"""
    r"""|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%^<>()\[\],]))"""
)
_LEVELS: tuple[dict[str, Callable[[float, float], float]], ...] = (
    {"||": lambda a, b: float(bool(a) or bool(b)), "OR": lambda a, b: float(bool(a) or bool(b))},
    {"&&": lambda a, b: float(bool(a) and bool(b)), "AND": lambda a, b: float(bool(a) and bool(b))},
    {
        "==": lambda a, b: float(a == b),
        "!=": lambda a, b: float(a != b),
        "<=": lambda a, b: float(a <= b),
        ">=": lambda a, b: float(a >= b),
        "<": lambda a, b: float(a < b),
        ">": lambda a, b: float(a > b),
    },
    {"+": operator.add, "-": operator.sub},
    # A division by zero has no data point.
    {"*": operator.mul, "/": lambda a, b: a / b if b else math.nan, "%": lambda a, b: a % b if b else math.nan},
    {"^": operator.pow},
)


class ExpressionError(Exception):
    """An expression cannot be evaluated; the message says why."""


@dataclass(frozen=True)
class Context:
    """What an expression may use.

    Attributes:
        value: Returns the metric or expression with this id.
        metrics: Returns all metrics of the request, without expressions.
        search: Finds metrics: called with the text, the statistic and the period of ``SEARCH``.
        times: All times of the range that is asked for, ascending.
        period: Seconds of one data point.
    """

    value: Callable[[str], Operand]
    metrics: Callable[[], Sequence[Series]]
    search: Callable[[str, str, int], list[Series]]
    times: Sequence[float]
    period: float


def evaluate(expression: str, context: Context) -> Operand:
    """The value of an expression.

    Raises:
        ExpressionError: It has an error, or uses a function that the local cloud does not have.
    """
    parser = _Parser(_tokens(expression), context)
    value = parser.level(0)
    parser.end()
    return value


def _tokens(expression: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"unexpected {text[position:].strip()[:1]!r} in {expression!r}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return found


class _Parser:
    """Evaluates while it reads."""

    def __init__(self, tokens: Sequence[tuple[str, str]], context: Context) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._at = 0
        self._context = context

    def end(self) -> None:
        if self._tokens[self._at][0] != "end":
            raise ExpressionError(f"unexpected {self._tokens[self._at][1]!r}")

    def level(self, number: int) -> Operand:
        if number == len(_LEVELS):
            return self._unary()
        left = self.level(number + 1)
        while (sign := self._tokens[self._at][1]) in _LEVELS[number]:
            self._at += 1
            left = self._apply(_LEVELS[number][sign], left, self.level(number + 1))
        return left

    def _unary(self) -> Operand:
        if self._take("-"):
            return self._apply(operator.mul, -1.0, self._unary())
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return float(text)
        if kind == "text":
            return text[1:-1]
        if kind == "name":
            # Ids begin with a small letter; REPEAT is a word.
            return self._call(text) if self._take("(") else self._context.value(text) if text[0].islower() else text
        if text == "(":
            value = self.level(0)
            self._expect(")")
            return value
        if text == "[":
            return self._array()
        raise ExpressionError(f"unexpected {text!r}" if text else "unexpected end")

    def _array(self) -> Operand:
        items = self._items("]")
        if any(not isinstance(item, (Series, list)) for item in items):
            raise ExpressionError("an array can only have metrics")
        several = [item if isinstance(item, list) else [item] for item in items]
        return [series for item in several for series in item if isinstance(series, Series)]

    def _items(self, close: str) -> list[Operand]:
        items: list[Operand] = []
        while not self._take(close):
            if items:
                self._expect(",")
            items.append(self.level(0))
        return items

    def _call(self, name: str) -> Operand:
        arguments = self._items(")")
        try:
            if name == "METRICS":
                prefix = arguments[0] if arguments else ""
                return [one for one in self._context.metrics() if one.id.startswith(str(prefix))]
            if name == "SEARCH":
                text, stat, *period = arguments
                asked = period[0] if period and isinstance(period[0], float) else self._context.period
                return list(self._context.search(str(text), str(stat), int(asked)))
            function: Any = math_functions.FUNCTIONS.get(name)
            if function is None:
                raise ExpressionError(f"the local cloud does not have the function {name}")
            return function(self._context, *arguments)
        except (TypeError, ValueError, AttributeError) as error:
            raise ExpressionError(f"{name} has wrong arguments: {error}") from error

    def _apply(self, function: Callable[[float, float], float], left: Operand, right: Operand) -> Operand:
        try:
            return combine(function, left, right)
        except TypeError as error:
            raise ExpressionError(str(error)) from error

    def _take(self, text: str) -> bool:
        if self._tokens[self._at] != ("sign", text):
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise ExpressionError(f"expected {text!r} instead of {self._tokens[self._at][1]!r}")
