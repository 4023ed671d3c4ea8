"""CloudWatch's metric math."""

from __future__ import annotations

import pytest

from cdk_redis_local._emulator.observe.metric_math import Context, ExpressionError, evaluate
from cdk_redis_local._emulator.observe.metric_search import SearchTerms
from cdk_redis_local._emulator.observe.series import Operand, Series

METRICS: dict[str, Operand] = {
    "hits": Series({0: 8.0, 60: 0.0, 120: 3.0}, "hits"),
    "misses": Series({0: 2.0, 60: 0.0}, "misses"),
}


def context() -> Context:
    several = [value for value in METRICS.values() if isinstance(value, Series)]
    return Context(METRICS.__getitem__, lambda: several, lambda *_: several, (0.0, 60.0, 120.0), 60)


def points(expression: str) -> dict[float, float]:
    value = evaluate(expression, context())
    assert isinstance(value, Series)
    return dict(value.points)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # At 60 it divides by zero, and at 120 there is no value of misses: no data points.
        ("100 * hits / (hits + misses)", {0: 80.0}),
        ("MAX([hits, misses])", {0: 8.0, 60: 0.0, 120: 3.0}),
        ("SUM(METRICS())", {0: 10.0, 60: 0.0, 120: 3.0}),
        ("AVG(METRICS('h'))", {0: 8.0, 60: 0.0, 120: 3.0}),
        ("hits - MAX(hits)", {0: 0.0, 60: -8.0, 120: -5.0}),
        ("FILL(misses, 7)", {0: 2.0, 60: 0.0, 120: 7.0}),
        ("FILL(misses, REPEAT)", {0: 2.0, 60: 0.0, 120: 0.0}),
        ("IF(hits > 2, 1, 0)", {0: 1.0, 60: 0.0, 120: 1.0}),
        ("IF(hits > 2 AND hits < 5, hits)", {120: 3.0}),
        ("RATE(hits)", {60: -8 / 60, 120: 3 / 60}),
        ("DIFF(hits)", {60: -8.0, 120: 3.0}),
        ("RUNNING_SUM(hits)", {0: 8.0, 60: 8.0, 120: 11.0}),
        ("-(hits ^ 2) / PERIOD(hits)", {0: -64 / 60, 60: 0.0, 120: -9 / 60}),
        ("CEIL(hits / 3)", {0: 3.0, 60: 0.0, 120: 1.0}),
        ("TIME_SERIES(2) + 1", {0: 3.0, 60: 3.0, 120: 3.0}),
    ],
)
def test_expressions_have_the_values_of_cloudwatch(expression: str, expected: dict[float, float]) -> None:
    assert points(expression) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("ANOMALY_DETECTION_BAND(hits, 2)", "the local cloud does not have the function ANOMALY_DETECTION_BAND"),
        ("hits +", "unexpected end"),
        ("(hits", "expected '\\)' instead of ''"),
        ("hits misses", "unexpected 'misses'"),
        ("hits ; 1", "unexpected ';'"),
        ("ABS()", "ABS has wrong arguments"),
        ("'text' + 1", "expected a number instead of 'text'"),
        ("[1, 2]", "an array can only have metrics"),
    ],
)
def test_errors_say_what_is_wrong(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        evaluate(expression, context())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{AWS/ElastiCache,CacheClusterId} MetricName="CurrItems" AND app', True),
        ('{AWS/ElastiCache,CacheClusterId} MetricName="CurrItems" app-001', True),
        ('{AWS/ElastiCache,CacheClusterId} MetricName="CurrItems" NOT app', False),
        ('{AWS/ElastiCache,CacheClusterId} MetricName="Curr"', False),
        ("{AWS/ElastiCache,CacheClusterId,CacheNodeId} app", False),
        ("{AWS/MemoryDB,CacheClusterId} app", False),
        ('CacheClusterId=("app-001" OR "app-002")', True),
        ('(MetricName="Evictions" OR MetricName="CurrItems") AND CacheClusterId=app', True),
    ],
)
def test_search_finds_metrics_by_their_words(text: str, found: bool) -> None:
    assert SearchTerms(text).matches("AWS/ElastiCache", "CurrItems", {"CacheClusterId": "app-001"}) is found
