"""``AWS::CloudWatch::CompositeAlarm``, which the emulator has in its API only."""

from __future__ import annotations

from cdk_redis_local._emulator.ministack import Outcome, Properties, generated_name, handle, replace_on_change
from cdk_redis_local._emulator.ministack.metrics import delete_composite_alarm, put_composite_alarm

_TYPE = "AWS::CloudWatch::CompositeAlarm"
_LONGEST_NAME = 255


def register_composite_alarms() -> None:
    """Register the type with the emulator."""
    handle(_TYPE, _create, _update, lambda physical_id, properties: delete_composite_alarm(physical_id))  # noqa: ARG005
    replace_on_change(_TYPE, "AlarmName", ("AlarmName",))


def _create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
    name = str(properties.get("AlarmName") or generated_name(stack_name, logical_id, _LONGEST_NAME, lowercase=False))
    return name, {"Arn": put_composite_alarm({**properties, "AlarmName": name})}


def _update(
    physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
) -> Outcome:
    del old, stack_name, logical_id
    return physical_id, {"Arn": put_composite_alarm({**new, "AlarmName": physical_id})}
