"""What is around a stack in AWS and no stack creates: machine images, and networks that exist."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2, ssm
from ministack.services.cloudformation import engine

from cdk_redis_local._emulator.insides import replace

# The parameters with the images that AWS publishes.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
_IMAGES = re.compile(
    r"/aws/service/(ami-[a-z-]+-latest|bottlerocket|canonical|debian|ecs/optimized-ami|eks/optimized-ami|redhat|suse)/.+"
)
_VPC, _SUBNET = re.compile(r"vpc-[0-9a-z-]+"), re.compile(r"subnet-[0-9a-z-]+")
_ZONES = "abcdef"


def publish_images() -> None:
    """Let the parameters of all images that AWS publishes exist; the emulator has two."""
    emulated = ssm._public_parameter

    def parameter(name: str) -> dict[str, Any] | None:
        found = emulated(name)
        if found is not None or not _IMAGES.fullmatch(name):
            return found
        image = f"ami-{hashlib.sha256(f'{get_region()}{name}'.encode()).hexdigest()[:17]}"
        arn = f"arn:aws:ssm:{get_region()}::parameter{name}"
        return {"Name": name, "Type": "String", "Value": image, "Version": 1, "LastModifiedDate": 0, "ARN": arn}

    replace(ssm, "_public_parameter", parameter)


def adopt_networks(tell: Callable[[str], object]) -> None:
    """Let the VPCs and subnets exist whose ids are in a template or in its parameters.

    On AWS they exist before the stack. The subnets belong to the template's VPC, one zone after the other.

    Args:
        tell: Called with a message about each network.
    """
    emulated = engine.validate_template_support

    def validate(template: dict[str, Any], conditions: dict[str, Any], params: dict[str, Any] | None = None) -> None:
        emulated(template, conditions, params)
        texts = list(dict.fromkeys([*_texts(template.get("Resources")), *_texts(params)]))
        _adopt(
            [text for text in texts if _VPC.fullmatch(text)], [text for text in texts if _SUBNET.fullmatch(text)], tell
        )

    replace(engine, "validate_template_support", validate)


def _adopt(vpcs: list[str], subnets: list[str], tell: Callable[[str], object]) -> None:
    ec2._init_defaults()
    new = [vpc for vpc in vpcs if vpc not in ec2._vpcs]
    for vpc in new:
        ec2._vpcs[vpc] = {
            **ec2._vpcs[ec2._DEFAULT_VPC_ID],
            "VpcId": vpc,
            "IsDefault": False,
            "CidrBlock": "10.0.0.0/16",
        }
    unknown = [subnet for subnet in subnets if subnet not in ec2._subnets]
    for number, subnet in enumerate(unknown):
        zone = f"{get_region()}{_ZONES[number % len(_ZONES)]}"
        ec2._subnets[subnet] = {
            "SubnetId": subnet,
            "VpcId": vpcs[0] if vpcs else ec2._DEFAULT_VPC_ID,
            "CidrBlock": f"10.0.{number % 256}.0/24",
            "AvailabilityZone": zone,
            "AvailabilityZoneId": ec2._az_id_for_zone_name(zone),
            "State": "available",
            "AvailableIpAddressCount": 251,
            "DefaultForAz": False,
            "MapPublicIpOnLaunch": False,
            "OwnerId": get_account_id(),
        }
    if new or unknown:
        names = ", ".join([*new, *unknown])
        tell(f"{names}: no stack of the local cloud created this network; a record of it stands in")


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in cast("Mapping[str, object]", node).values():
            yield from _texts(value)
    elif isinstance(node, list):
        for item in cast("list[object]", node):
            yield from _texts(item)


def launch_instance(properties: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Record an instance of EC2; returns its id and what the API tells about it. No machine runs."""
    (record,) = ec2._launch_instances_internal(
        image_id=str(properties.get("ImageId") or ""),
        instance_type=str(properties.get("InstanceType") or "m1.small"),
        subnet_id=str(properties.get("SubnetId") or ec2._DEFAULT_SUBNET_ID),
        count=1,
        key_name=str(properties.get("KeyName") or ""),
        sg_ids=[str(group) for group in properties.get("SecurityGroupIds") or []],
        requested_private_ip=properties.get("PrivateIpAddress"),
    )
    zone = properties.get("AvailabilityZone") or ec2._subnets.get(record["SubnetId"], {}).get("AvailabilityZone")
    if zone:
        record["Placement"]["AvailabilityZone"] = zone
    # No address of the internet: nothing answers there.
    record.update({"PublicIpAddress": "", "PublicDnsName": ""})
    tag_instance(record["InstanceId"], properties)
    return record["InstanceId"], record


def tag_instance(identifier: str, properties: Mapping[str, Any]) -> None:
    """Replace the tags of an instance."""
    ec2._tags[identifier] = [dict(tag) for tag in properties.get("Tags") or []]


def terminate_instance(identifier: str) -> None:
    """Terminate an instance; does nothing if it does not exist."""
    if identifier in ec2._instances:
        ec2._terminate_instances({"InstanceId.1": [identifier]})


def instance_record(identifier: str) -> dict[str, Any]:
    """What the API tells about an instance."""
    return ec2._instances[identifier]


def explain_unknown_types(explain: Callable[[list[str]], str | None]) -> None:
    """Use this function for the message about resource types that the emulator does not have.

    Args:
        explain: Called with the types of a template; returns the message, or None for CloudFormation's.
    """
    emulated = engine.validate_template_support
    beginning = "Template format error: Unrecognized resource types: ["

    def validate(template: dict[str, Any], conditions: dict[str, Any], params: dict[str, Any] | None = None) -> None:
        try:
            emulated(template, conditions, params)
        except ValueError as error:
            if not str(error).startswith(beginning):
                raise
            types = str(error).removeprefix(beginning).removesuffix("]").split(", ")
            message = explain(types)
            if message is None:
                raise
            raise ValueError(message) from error

    replace(engine, "validate_template_support", validate)
