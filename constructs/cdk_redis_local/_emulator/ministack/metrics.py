"""The metrics and alarms that the emulator's CloudWatch stores."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from cdk_redis_local._emulator.insides import replace

StoredPoint = dict[str, Any]
"""A data point: ``Timestamp`` (seconds since 1970), ``Value``, ``Unit``, ``Dimensions``, and its ``_stat`` if it is of
several samples: ``SampleCount``, ``Sum``, ``Minimum``, ``Maximum``."""
Alarm = dict[str, Any]
"""An alarm, with the members of ``MetricAlarm`` in CloudWatch's API."""


def in_scope(scope: tuple[str, str]) -> AbstractContextManager[Any]:
    """Use the emulator in an account and a Region."""
    return request_scope(*scope)


def stored_metrics() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Namespace, name and dimensions of each metric in the current account and Region."""
    for (namespace, name, _), points in list(cloudwatch._metrics.items()):
        yield namespace, name, dict(points[0]["Dimensions"]) if points else {}


def stored_points(namespace: str, name: str, dimensions: Mapping[str, str]) -> list[StoredPoint]:
    """The data points of a metric in the current account and Region."""
    return list(cloudwatch._metrics.get((namespace, name, cloudwatch._dims_key(dict(dimensions)))) or [])


def store_minute(
    namespace: str, name: str, dimensions: Mapping[str, str], points: Sequence[StoredPoint], oldest: float
) -> None:
    """Store the data points of a metric for one minute, in place of those that the minute had.

    Args:
        namespace: Namespace of the metric.
        name: Name of the metric.
        dimensions: Dimensions of the metric.
        points: The data points; all have the same time.
        oldest: Data points before this time are dropped.
    """
    bucket = cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(dict(dimensions))))
    kept = [one for one in bucket if oldest <= one["Timestamp"] != points[0]["Timestamp"]]
    if kept:  # they share one dictionary
        points = [{**one, "Dimensions": kept[0]["Dimensions"]} for one in points]
    bucket[:] = [*kept, *points]


def statistic(points: Sequence[StoredPoint], name: str) -> float | None:
    """A statistic of data points, such as ``Average`` or ``p90``; None if it cannot be computed."""
    value = cloudwatch._stat_value(cloudwatch._calc_stats(points), name, points) if points else None
    return None if value is None else float(value)


def alarms() -> list[Alarm]:
    """The metric alarms in the current account and Region."""
    return list(cloudwatch._alarms.values())


def find_alarm(name: str) -> Alarm | None:
    """The metric alarm with this name in the current account and Region."""
    return cloudwatch._alarms.get(name)


def store_alarm(alarm: Alarm) -> None:
    """Create a metric alarm, or change it; evaluates it."""
    cloudwatch.cloudformation_put_metric_alarm(alarm)


def tag_alarm(name: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Replace the tags of an alarm."""
    cloudwatch.cloudformation_set_metric_alarm_tags(name, list(tags))


def record_state(alarm: Alarm, old: str, reason_data: Mapping[str, Any]) -> None:
    """Add a change of an alarm's state to its history, and evaluate the composite alarms above it."""
    cloudwatch._record_history(
        alarm["AlarmName"], old, alarm["StateValue"], alarm["StateReason"], reason_data=reason_data
    )
    cloudwatch._dispatch_alarm_actions(alarm, old, alarm["StateValue"], alarm["StateReason"])
    cloudwatch._evaluate_parent_alarms(alarm)


def put_composite_alarm(parameters: Mapping[str, Any]) -> str:
    """Create a composite alarm, or change it; returns its ARN.

    Raises:
        ValueError: CloudWatch refuses it.
    """
    _check(cloudwatch._put_composite_alarm({}, dict(parameters), False, True))
    return str(cloudwatch._composite_alarms[parameters["AlarmName"]]["AlarmArn"])


def delete_composite_alarm(name: str) -> None:
    """Delete a composite alarm.

    Raises:
        ValueError: Another composite alarm needs it.
    """
    _check(cloudwatch._delete_alarms({}, {"AlarmNames": [name]}, False, True))


def use_alarms(
    *,
    evaluate: Callable[[Alarm], None],
    record: Callable[[str, Mapping[str, Any]], Alarm],
    act: Callable[[Alarm, str, str, str], None],
) -> None:
    """Replace what the emulator does with alarms.

    Args:
        evaluate: Evaluates a metric alarm; called when it is created or changed, and after PutMetricData.
        record: Makes an alarm from its name and the properties in a template.
        act: Performs the actions of an alarm; called with the alarm, the old and the new state, and the reason.
    """
    replace(cloudwatch, "_evaluate_alarm", evaluate)
    replace(cloudwatch, "_dispatch_alarm_actions", act)
    replace(provisioners, "_cw_metric_alarm_record", record)


def _check(response: tuple[int, dict[str, str], bytes]) -> None:
    status, _, body = response
    if status >= 400:
        raise ValueError(json.loads(body)["message"])
