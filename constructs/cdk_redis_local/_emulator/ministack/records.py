"""The emulator's records of ElastiCache's groups, users and tags, and of subnets."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import ec2, elasticache

Record = Mapping[str, Any]


def user_record(user_id: str) -> Record:
    """The record of an ElastiCache user; empty if the emulator has none, as for the predefined user."""
    return elasticache._users.get(user_id) or {}


def user_group_record(group_id: str) -> Record:
    """The record of an ElastiCache user group."""
    return elasticache._user_groups.get(group_id) or {}


def subnet_group_records() -> dict[str, Record]:
    """ElastiCache's subnet groups of the account and Region, by name."""
    return dict(elasticache._subnet_groups.items())


def parameter_group_records() -> dict[str, Record]:
    """ElastiCache's parameter groups of the account and Region, by name, with the predefined ones."""
    elasticache._seed_default_param_groups()
    return dict(elasticache._param_groups.items())


def parameter_records(parameter_group: str) -> dict[str, Record]:
    """The parameters of an ElastiCache parameter group, by name; ``Source`` is ``user`` for those that it sets."""
    return dict(elasticache._param_group_params.get(parameter_group) or {})


def tag_records(arn: str) -> dict[str, str]:
    """The tags of a resource of ElastiCache that the emulator has."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in elasticache._tags.get(arn) or []}


def subnet_place(subnet_id: str) -> tuple[str, str] | None:
    """VPC and Availability Zone of a subnet; None if the emulator does not have it."""
    subnet = ec2._subnets.get(subnet_id)
    return None if subnet is None else (str(subnet["VpcId"]), str(subnet["AvailabilityZone"]))
