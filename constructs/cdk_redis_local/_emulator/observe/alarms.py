"""Metric alarms and composite alarms: their records, their evaluation, and the messages of their actions."""

from __future__ import annotations

import datetime as dt
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.ministack.metrics import Alarm, alarms, find_alarm, in_scope, record_state, use_alarms
from cdk_redis_local._emulator.ministack.topics import publish, topic_attributes
from cdk_redis_local._emulator.observe.alarm_states import EXTRA_PERIODS, NO_DATA, Rule, UnsupportedAlarmError
from cdk_redis_local._emulator.observe.metric_math import ExpressionError
from cdk_redis_local._emulator.observe.metric_reads import MetricReads, period_of
from cdk_redis_local._emulator.observe.service_metrics import ELASTICACHE, MEMORYDB

_ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", NO_DATA: "InsufficientDataActions"}
# Seconds by which the multiples of a period may differ.
_ROUNDING = 1e-6
_TRUE = (True, "true", "True")


class Alarms:
    """Evaluates the alarms of the emulator's CloudWatch."""

    def __init__(self, reads: MetricReads, say: Callable[[str], object]) -> None:
        """Take over the alarms of the emulator.

        Args:
            reads: Reads the metrics.
            say: Called once with the reason for each alarm that cannot be evaluated.
        """
        self._reads = reads
        self._say = say
        self._told: set[str] = set()
        self._evaluated: dict[str, tuple[float, float]] = {}
        use_alarms(evaluate=self.evaluate, record=alarm_record, act=perform_actions)

    def evaluate_all(self, scopes: Iterable[tuple[str, str]], now: float) -> None:
        """Evaluate the alarms of some accounts and Regions, each once in a period."""
        for one in scopes:
            with in_scope(one):
                for alarm in alarms():
                    self._evaluate_in_time(alarm, now)

    def _evaluate_in_time(self, alarm: Alarm, now: float) -> None:
        try:
            at = (math.floor(now / self._step(alarm)), float(alarm["AlarmConfigurationUpdatedTimestamp"]))
            if self._evaluated.get(alarm["AlarmArn"]) != at:
                self._evaluated[alarm["AlarmArn"]] = at
                self.evaluate(alarm)
        except Exception as error:  # the other alarms are evaluated all the same
            self._tell(alarm, f"{type(error).__name__}: {error}")

    def evaluate(self, alarm: Alarm) -> None:
        """Evaluate an alarm in the current account and Region, and act if its state changes."""
        try:
            values = self._values(alarm, time.time())
            rule = _rule(alarm)
            state = rule.state([value for _, value in values], alarm["StateValue"])
        except (ExpressionError, UnsupportedAlarmError) as error:
            self._tell(alarm, str(error))
            return
        if state != alarm["StateValue"]:
            _change(alarm, state, rule, values)

    def _tell(self, alarm: Alarm, reason: str) -> None:
        if alarm["AlarmArn"] not in self._told:
            self._told.add(alarm["AlarmArn"])
            self._say(f"the alarm {alarm['AlarmName']} is not evaluated: {reason}")

    def _step(self, alarm: Alarm) -> float:
        return self._reads.seconds(_period(alarm))

    def _values(self, alarm: Alarm, now: float) -> list[tuple[float, float | None]]:
        """Time and value of the last periods, the newest last."""
        step, count = self._step(alarm), int(alarm["EvaluationPeriods"]) + EXTRA_PERIODS
        end = math.floor(now / step) * step
        queries = alarm.get("Metrics") or [_query(alarm)]
        namespaces = {one["MetricStat"]["Metric"]["Namespace"] for one in queries if one.get("MetricStat")}
        if not namespaces & {ELASTICACHE, MEMORYDB}:
            # The value of a custom metric counts at once. The metrics of stores grow during a period.
            end += step
        (found,) = self._reads.evaluate(queries, end - count * step - _ROUNDING, end - _ROUNDING).values()
        points = {round(at / step): value for series in found[:1] for at, value in series.points.items()}
        last = round(end / step)
        values = [(at * step, points.get(at)) for at in range(last - count, last)]
        # The current period without a value is not missing yet.
        return values[:-1] if values[-1][1] is None and end > now else values


def alarm_record(name: str, properties: Mapping[str, Any]) -> Alarm:
    """The record of a metric alarm, which keeps the state of an alarm with this name.

    Args:
        name: Name of the alarm.
        properties: Properties of ``AWS::CloudWatch::Alarm``, or parameters of PutMetricAlarm.

    Raises:
        ValueError: A required property is missing; the message is CloudWatch's.
    """
    for required in ("ComparisonOperator", "EvaluationPeriods"):
        if properties.get(required) is None:
            raise ValueError(f"{required} is required for AWS::CloudWatch::Alarm")
    queries = [_typed_query(one) for one in properties.get("Metrics") or []]
    if bool(queries) == bool(properties.get("MetricName")):
        raise ValueError("Exactly one of MetricName and Metrics is required for AWS::CloudWatch::Alarm")
    if sum(one["ReturnData"] for one in queries) != (1 if queries else 0):
        raise ValueError("Exactly one element of the metrics list should return data.")
    if properties.get("Threshold") is None and not properties.get("ThresholdMetricId"):
        raise ValueError("Threshold is required for AWS::CloudWatch::Alarm")
    account, region = scope()
    now = int(time.time())
    old = find_alarm(name) or {}
    periods = int(properties["EvaluationPeriods"])
    alarm: Alarm = {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
        "AlarmDescription": properties.get("AlarmDescription"),
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": int(properties["DatapointsToAlarm"]) if properties.get("DatapointsToAlarm") else None,
        "Threshold": float(properties["Threshold"]) if properties.get("Threshold") is not None else None,
        "ThresholdMetricId": properties.get("ThresholdMetricId"),
        "ComparisonOperator": properties["ComparisonOperator"],
        "TreatMissingData": properties.get("TreatMissingData") or "missing",
        "StateValue": old.get("StateValue", NO_DATA),
        "StateReason": old.get("StateReason", "Unchecked: Initial alarm creation"),
        "StateUpdatedTimestamp": old.get("StateUpdatedTimestamp", now),
        "ActionsEnabled": properties.get("ActionsEnabled", True) in _TRUE,
        **{key: [str(one) for one in properties.get(key) or []] for key in _ACTIONS.values()},
        "AlarmConfigurationUpdatedTimestamp": now,
        **(_of_metrics(queries) if queries else _of_metric(properties)),
    }
    return {key: value for key, value in alarm.items() if value is not None}


def _of_metrics(queries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Metrics": queries}


def _of_metric(properties: Mapping[str, Any]) -> dict[str, Any]:
    extended = properties.get("ExtendedStatistic") or None
    return {
        "MetricName": properties["MetricName"],
        "Namespace": properties["Namespace"],
        "Statistic": None if extended else properties.get("Statistic") or "Average",
        "ExtendedStatistic": extended,
        "Period": int(properties.get("Period") or 60),
        "Unit": properties.get("Unit"),
        "Dimensions": properties.get("Dimensions") or [],
    }


def _typed_query(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query with numbers and flags, which templates may have as texts."""
    typed = {**query, "ReturnData": query.get("ReturnData", True) in _TRUE}
    if query.get("Period") is not None:
        typed["Period"] = int(query["Period"])
    if (stat := query.get("MetricStat")) is not None:
        typed["MetricStat"] = {**stat, "Period": int(stat["Period"])}
    return typed


def _query(alarm: Alarm) -> dict[str, Any]:
    metric = {key: alarm[key] for key in ("Namespace", "MetricName", "Dimensions")}
    stat = {"Metric": metric, "Period": alarm["Period"], "Stat": alarm.get("ExtendedStatistic") or alarm["Statistic"]}
    return {"Id": "m1", "MetricStat": {**stat, "Unit": alarm.get("Unit")}}


def _period(alarm: Alarm) -> int:
    queries = alarm.get("Metrics")
    if not queries:
        return int(alarm["Period"])
    (returned,) = (one for one in queries if one["ReturnData"])
    return period_of(returned, queries)


def _rule(alarm: Alarm) -> Rule:
    if "Threshold" not in alarm:
        raise UnsupportedAlarmError("the local cloud does not detect anomalies")
    periods = int(alarm["EvaluationPeriods"])
    return Rule(
        alarm["ComparisonOperator"],
        float(alarm["Threshold"]),
        periods,
        int(alarm.get("DatapointsToAlarm") or periods),
        str(alarm.get("TreatMissingData") or "missing"),
    )


def _change(alarm: Alarm, state: str, rule: Rule, values: list[tuple[float, float | None]]) -> None:
    old = str(alarm["StateValue"])
    shown = [(f"{_moment(at):%d/%m/%y %H:%M:%S}", value) for at, value in values]
    known = [value for _, value in values if value is not None]
    data: dict[str, Any] = {
        "version": "1.0",
        "queryDate": f"{_moment(time.time()):%Y-%m-%dT%H:%M:%S.000+0000}",
        "statistic": alarm.get("Statistic"),
        "period": _period(alarm),
        "recentDatapoints": known[-rule.periods :],
        "threshold": rule.threshold,
    }
    alarm["StateReason"] = rule.reason(shown, state, old)
    alarm["StateReasonData"] = json.dumps({key: value for key, value in data.items() if value is not None})
    alarm["StateValue"] = state
    alarm["StateUpdatedTimestamp"] = alarm["StateTransitionedTimestamp"] = int(time.time())
    record_state(alarm, old, data)


def perform_actions(alarm: Alarm, old: str, new: str, reason: str) -> None:
    """Publish the change of an alarm's state to the topics of its actions; other actions are not performed."""
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(_ACTIONS.get(new, "")) or []:
        if ":sns:" in action and topic_attributes(action) is not None:
            subject = f'{new}: "{alarm["AlarmName"]}" in {scope()[1]}'[:100]
            publish(action, json.dumps(_message(alarm, old, new, reason)), subject)


def _message(alarm: Alarm, old: str, new: str, reason: str) -> dict[str, Any]:
    account, region = scope()
    message: dict[str, Any] = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _stamp(float(alarm["AlarmConfigurationUpdatedTimestamp"])),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": _stamp(time.time()),
        "Region": region,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        **{key: alarm.get(key) or [] for key in _ACTIONS.values()},
    }
    if "AlarmRule" in alarm:
        return {**message, "AlarmRule": alarm["AlarmRule"]}
    return {**message, "Trigger": _trigger(alarm)}


def _trigger(alarm: Alarm) -> dict[str, Any]:
    shared = {
        "Period": _period(alarm),
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm.get("Threshold"),
        "TreatMissingData": alarm.get("TreatMissingData"),
        "EvaluateLowSampleCountPercentile": "",
    }
    if "DatapointsToAlarm" in alarm:
        shared["DatapointsToAlarm"] = alarm["DatapointsToAlarm"]
    if "Metrics" in alarm:
        return {**shared, "Metrics": alarm["Metrics"]}
    extended = alarm.get("ExtendedStatistic")
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        **({"ExtendedStatistic": extended} if extended else {"Statistic": str(alarm["Statistic"]).upper()}),
        "Unit": alarm.get("Unit"),
        # In messages, AWS writes the names of their members in small letters.
        "Dimensions": [{"value": one["Value"], "name": one["Name"]} for one in alarm.get("Dimensions") or []],
        **shared,
    }


def _stamp(seconds: float) -> str:
    return f"{_moment(seconds):%Y-%m-%dT%H:%M:%S}.000+0000"


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
