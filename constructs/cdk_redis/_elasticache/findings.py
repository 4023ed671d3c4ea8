"""Findings of scanners on replication groups that are accepted, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._core.acknowledgements import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache

    from cdk_redis._values.engine import Engine

_DEFAULT_PORT = 6379
_USERS = {"AwsSolutions-AEC6": "it has users, each with a password or IAM, in place of one AUTH token"}
_PORT = {"AwsSolutions-AEC5": "a port is no secret: security groups and users protect the store"}
_OF_PRIMARY = "a secondary has it from the primary, and AWS rejects the property"
_SECONDARY = dict.fromkeys(("AwsSolutions-AEC3", "CKV_AWS_29", "CKV_AWS_30", "CKV_AWS_31"), _OF_PRIMARY)


def acknowledge_group(resource: elasticache.CfnReplicationGroup, engine: Engine, port: int, *, has_users: bool) -> None:
    """Accept what AwsSolutions finds on a group with users, and on the default port of Redis OSS."""
    rules = {**(_USERS if has_users else {}), **(_PORT if engine.name == "redis" and port == _DEFAULT_PORT else {})}
    if rules:
        acknowledge(resource, rules)


def acknowledge_secondary(resource: elasticache.CfnReplicationGroup, port: int, *, has_users: bool) -> None:
    """Accept the same on a secondary of a global datastore, whose engine and encryption are those of the primary."""
    acknowledge(resource, {**_SECONDARY, **(_USERS if has_users else {}), **(_PORT if port == _DEFAULT_PORT else {})})
