"""``AWS::EC2::Instance``: a record with ids and addresses. No machine runs, and user data is not executed."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._emulator.ministack import Outcome, Properties, handle, replace_on_change
from cdk_redis_local._emulator.ministack.surroundings import (
    instance_record,
    launch_instance,
    tag_instance,
    terminate_instance,
)

INSTANCE = "AWS::EC2::Instance"
_CREATE_ONLY = (
    "AvailabilityZone",
    "BlockDeviceMappings",
    "CpuOptions",
    "ImageId",
    "KeyName",
    "LaunchTemplate",
    "NetworkInterfaces",
    "PrivateIpAddress",
    "SecurityGroups",
    "SubnetId",
)


def register_instances() -> None:
    """Register the handlers with the emulator, which has instances in its API only."""
    handle(INSTANCE, _create, _update, lambda physical_id, properties: terminate_instance(physical_id))  # noqa: ARG005
    replace_on_change(INSTANCE, None, _CREATE_ONLY)


def _create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
    del logical_id, stack_name
    identifier, record = launch_instance(properties)
    return identifier, _attributes(record)


def _update(
    physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
) -> Outcome:
    del old, stack_name, logical_id
    tag_instance(physical_id, new)
    return physical_id, _attributes(instance_record(physical_id))


def _attributes(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "AvailabilityZone": record["Placement"]["AvailabilityZone"],
        "InstanceId": record["InstanceId"],
        "PrivateDnsName": record["PrivateDnsName"],
        "PrivateIp": record["PrivateIpAddress"],
        "PublicDnsName": record["PublicDnsName"],
        "PublicIp": record["PublicIpAddress"],
        "State.Code": record["State"]["Code"],
        "State.Name": record["State"]["Name"],
        "VpcId": record["VpcId"],
    }
