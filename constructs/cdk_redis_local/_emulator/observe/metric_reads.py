"""The actions of CloudWatch that read metrics: GetMetricData, GetMetricStatistics and ListMetrics.

A period of 60 seconds lasts as long as a minute of this CloudWatch.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cdk_redis_local._emulator.ministack.metrics import StoredPoint, statistic, stored_metrics, stored_points
from cdk_redis_local._emulator.observe.metric_math import Context, ExpressionError, evaluate
from cdk_redis_local._emulator.observe.metric_search import SearchTerms
from cdk_redis_local._emulator.observe.series import Operand, Series

Query = Mapping[str, Any]
"""A ``MetricDataQuery``."""
# Part of a period by which a time may be too early.
_ROUNDING = 1e-6
_RECENT_SECONDS = 3 * 3600.0


class MetricReads:
    """Reads the metrics of the current account and Region."""

    def __init__(self, minute: float) -> None:
        """Read metrics; ``minute`` is the number of seconds that a minute lasts."""
        self._minute = minute

    def seconds(self, period: float) -> float:
        """The seconds that a period lasts here."""
        return period / 60 * self._minute

    def series(self, stat: Mapping[str, Any], start: float, end: float) -> dict[float, float]:
        """The data points of a ``MetricStat`` from start to end, by the time when their period begins."""
        metric, unit = stat["Metric"], stat.get("Unit")
        dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions") or []}
        points = [
            one
            for one in stored_points(metric["Namespace"], metric["MetricName"], dimensions)
            if start <= one["Timestamp"] < end and unit in (None, one["Unit"])
        ]
        found = ((at, statistic(of, stat["Stat"])) for at, of in self._by_period(points, int(stat["Period"])).items())
        return {at: value for at, value in found if value is not None}

    def evaluate(self, queries: Sequence[Query], start: float, end: float) -> dict[str, list[Series]]:
        """The metrics and expressions that the queries return, by id; a search may return several.

        Raises:
            ExpressionError: An expression cannot be evaluated.
        """
        queried = {str(query["Id"]): query for query in queries}
        known: dict[str, Operand] = {}
        open_ids: list[str] = []

        def value(identifier: str) -> Operand:
            if identifier not in known:
                if identifier not in queried:
                    raise ExpressionError(f"there is no metric with the id {identifier}")
                if identifier in open_ids:
                    raise ExpressionError(f"{identifier} uses itself")
                open_ids.append(identifier)
                known[identifier] = self._value(queried[identifier], queries, value, start, end)
                open_ids.remove(identifier)
            return known[identifier]

        shown = [query for query in queries if query.get("ReturnData", True)]
        return {query["Id"]: _as_list(value(query["Id"]), query["Id"]) for query in shown}

    def get_metric_data(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """GetMetricData."""
        queries = parameters.get("MetricDataQueries") or []
        start, end = parameters["StartTime"].timestamp(), parameters["EndTime"].timestamp()
        newest_first = parameters.get("ScanBy") != "TimestampAscending"
        labels = {query["Id"]: query.get("Label") for query in queries}
        results: list[dict[str, Any]] = []
        for identifier, several in self.evaluate(queries, start, end).items():
            for series in several:
                points = series.ordered()[:: -1 if newest_first else 1]
                results.append(
                    {
                        "Id": identifier,
                        "Label": labels[identifier] or series.label or identifier,
                        "Timestamps": [_moment(at) for at, _ in points],
                        "Values": [value for _, value in points],
                        "StatusCode": "Complete",
                    }
                )
        return {"MetricDataResults": results, "Messages": []}

    def get_metric_statistics(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """GetMetricStatistics."""
        dimensions = {one["Name"]: one["Value"] for one in parameters.get("Dimensions") or []}
        start, end = parameters["StartTime"].timestamp(), parameters["EndTime"].timestamp()
        unit = parameters.get("Unit")
        points = [
            one
            for one in stored_points(parameters["Namespace"], parameters["MetricName"], dimensions)
            if start <= one["Timestamp"] < end and unit in (None, one["Unit"])
        ]
        datapoints: list[dict[str, Any]] = []
        for at, of_period in sorted(self._by_period(points, int(parameters["Period"])).items()):
            point: dict[str, Any] = {"Timestamp": _moment(at), "Unit": of_period[0]["Unit"]}
            for name in parameters.get("Statistics") or []:
                point[name] = statistic(of_period, name)
            if extended := parameters.get("ExtendedStatistics"):
                values = {name: statistic(of_period, name) for name in extended}
                point["ExtendedStatistics"] = {name: value for name, value in values.items() if value is not None}
            datapoints.append(point)
        return {"Label": parameters["MetricName"], "Datapoints": datapoints}

    def list_metrics(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """ListMetrics."""
        filters = parameters.get("Dimensions") or []
        recent = time.time() - _RECENT_SECONDS if parameters.get("RecentlyActive") else 0.0
        found: list[dict[str, Any]] = []
        for namespace, name, dimensions in stored_metrics():
            if parameters.get("Namespace") not in (None, namespace) or parameters.get("MetricName") not in (None, name):
                continue
            if any(one.get("Value", dimensions.get(one["Name"])) != dimensions.get(one["Name"]) for one in filters):
                continue
            if any(one["Name"] not in dimensions for one in filters):
                continue
            if recent and stored_points(namespace, name, dimensions)[-1]["Timestamp"] < recent:
                continue
            listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
            found.append({"Namespace": namespace, "MetricName": name, "Dimensions": listed})
        return {"Metrics": found}

    def _value(self, query: Query, queries: Sequence[Query], value: Any, start: float, end: float) -> Operand:
        identifier, label = str(query["Id"]), str(query.get("Label") or "")
        if (stat := query.get("MetricStat")) is not None:
            return Series(self.series(stat, start, end), identifier, label or stat["Metric"]["MetricName"])
        metrics = [one["Id"] for one in queries if one.get("MetricStat")]
        period = period_of(query, queries)
        step = self.seconds(period)
        context = Context(
            value=value,
            metrics=lambda: [value(one) for one in metrics],
            search=lambda text, stat, of: self._search(text, stat, of, start, end),
            times=[at * step for at in range(math.ceil(start / step - _ROUNDING), math.ceil(end / step - _ROUNDING))],
            period=period,
        )
        result = evaluate(str(query["Expression"]), context)
        if isinstance(result, float):
            return Series(dict.fromkeys(context.times, result) if math.isfinite(result) else {}, identifier, label)
        return result

    def _search(self, text: str, stat: str, period: int, start: float, end: float) -> list[Series]:
        try:
            terms = SearchTerms(text)
            found = [one for one in stored_metrics() if terms.matches(*one)]
        except ValueError as error:
            raise ExpressionError(f"{error}: {text}") from error
        result: list[Series] = []
        for namespace, name, dimensions in found:
            listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
            metric = {"Namespace": namespace, "MetricName": name, "Dimensions": listed}
            points = self.series({"Metric": metric, "Stat": stat, "Period": period}, start, end)
            result.append(Series(points, label=" ".join([*dimensions.values(), name])))
        return result

    def _by_period(self, points: Iterable[StoredPoint], period: int) -> dict[float, list[StoredPoint]]:
        step = self.seconds(period)
        found: dict[float, list[StoredPoint]] = {}
        for one in points:
            found.setdefault(math.floor(one["Timestamp"] / step + _ROUNDING) * step, []).append(one)
        return found


def period_of(query: Query, queries: Sequence[Query]) -> int:
    """The period of a query: its own, or the longest of the metrics beside it."""
    own = query.get("Period") or (query.get("MetricStat") or {}).get("Period")
    others = [int(one["MetricStat"]["Period"]) for one in queries if one.get("MetricStat")]
    return int(own or max(others, default=60))


def _as_list(value: Operand, identifier: str) -> list[Series]:
    if isinstance(value, str):
        raise ExpressionError(f"{identifier} is a text, not a metric")
    return value if isinstance(value, list) else [value] if isinstance(value, Series) else []


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
