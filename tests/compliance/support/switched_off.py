"""Stores with one safe default switched off each, and a rule that finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from cdk_redis import AccessString, Engine, Preset, RedisNetwork, ReplicationGroup, SmokeTest

Change = Callable[["Parts"], object]


class Parts(NamedTuple):
    """A stack with a store that has all safe defaults, and with a smoke test."""

    stack: cdk.Stack
    network: RedisNetwork
    store: ReplicationGroup
    test: SmokeTest


class Row(NamedTuple):
    """One default.

    Attributes:
        name: Id of its stack.
        rule: Rule of a scanner that finds it.
        change: Switches it off in the finished stack. None if arguments do.
        preset: Values of the preset of production that are changed.
        store: Arguments of the store.
    """

    name: str
    rule: str
    change: Change | None = None
    preset: Mapping[str, Any] = MappingProxyType({})
    store: Mapping[str, Any] = MappingProxyType({})


def _override(part: Callable[[Parts], Any], path: str, value: object) -> Change:
    def change(parts: Parts) -> None:
        found = part(parts)
        resource = found if cdk.CfnResource.is_cfn_resource(found) else found.node.default_child
        resource.add_property_override(path, value)

    return change


def _set(part: Callable[[Parts], Any], name: str, value: object) -> Change:
    def change(parts: Parts) -> None:
        found = part(parts)
        setattr(found if cdk.CfnResource.is_cfn_resource(found) else found.node.default_child, name, value)

    return change


def _store(parts: Parts) -> Any:
    return parts.store.resource


def _key(parts: Parts) -> Any:
    return parts.stack.node.find_child("CdkRedisKey")


def _open_to_the_world(parts: Parts) -> None:
    parts.store.security_groups[0].add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(6379), "Everybody")


def _secret(parts: Parts) -> Any:
    return parts.store.user_group.node.find_child("DefaultUser")  # pyright: ignore


ROWS = [
    Row("EncryptionAtRest", "AwsSolutions-AEC3", _set(_store, "at_rest_encryption_enabled", False)),
    Row("EncryptionAtRestForCheckov", "CKV_AWS_29", _set(_store, "at_rest_encryption_enabled", False)),
    Row("Tls", "CKV_AWS_30", store={"unsafe_plaintext": True, "unsafe_open_access": True}),
    Row("TlsForNag", "AwsSolutions-AEC3", store={"unsafe_plaintext": True, "unsafe_open_access": True}),
    Row("SignIn", "AwsSolutions-AEC6", store={"unsafe_open_access": True}),
    Row("SignInForCheckov", "CKV_AWS_31", store={"unsafe_open_access": True}),
    Row("SeveralZones", "AwsSolutions-AEC4", preset={"replicas": 0}),
    Row("Snapshots", "NIST.800.53.R5-ElastiCacheRedisClusterAutomaticBackup", preset={"snapshots": 7}),
    Row("SubnetGroup", "AwsSolutions-AEC1", _set(_store, "cache_subnet_group_name", None)),
    Row("KeyOfLogs", "PCI.DSS.321-CloudWatchLogGroupEncrypted", preset={"stack_kms_key": False}),
    Row("KeyOfLogsForCheckov", "CKV_AWS_158", preset={"stack_kms_key": False}),
    Row("KeyOfSecrets", "PCI.DSS.321-SecretsManagerUsingKMSKey", preset={"stack_kms_key": False}),
    Row("KeyOfSecretsForCheckov", "CKV_AWS_149", preset={"stack_kms_key": False}),
    Row("RotationOfTheKey", "AwsSolutions-KMS5", _set(_key, "enable_key_rotation", False)),
    Row(
        "RetentionOfReports",
        "HIPAA.Security-CloudWatchLogGroupRetentionPeriod",
        _set(lambda parts: parts.test.log_group, "retention_in_days", None),
    ),
    Row(
        "RetentionOfTheFlowLog",
        "CKV_AWS_66",
        _override(lambda parts: parts.network.flow_log_group, "RetentionInDays", None),
    ),
    Row("FlowLog", "AwsSolutions-VPC7", lambda parts: parts.network.vpc.node.try_remove_child("FlowLog")),
    Row(
        "DefaultSecurityGroup",
        "NIST.800.53.R5-VPCDefaultSecurityGroupClosed",
        lambda parts: parts.network.vpc.node.try_remove_child("RestrictDefaultSecurityGroupCustomResource"),
    ),
    Row("ClosedSecurityGroup", "AwsSolutions-EC23", _open_to_the_world),
    Row(
        "FunctionInTheVpc",
        "PCI.DSS.321-LambdaInsideVPC",
        _set(lambda parts: parts.test.function, "vpc_config", None),
    ),
    Row("NewestRuntime", "AwsSolutions-L1", _set(lambda parts: parts.test.function, "runtime", "python3.9")),
    Row(
        "MemoryOfTheFunction",
        "Serverless-LambdaDefaultMemorySize",
        _set(lambda parts: parts.test.function, "memory_size", None),
    ),
    Row(
        "TimeoutOfTheFunction",
        "Serverless-LambdaDefaultTimeout",
        _set(lambda parts: parts.test.function, "timeout", None),
    ),
    Row("Nothing", ""),
]


def build(app: cdk.App, row: Row) -> None:
    """Define the stack of a row."""
    stack = cdk.Stack(app, row.name)
    Preset.prod(**row.preset).use_in(stack)
    network = RedisNetwork(stack, "Network")
    store = ReplicationGroup(stack, "Store", network=network, engine=Engine.redis("7.1"), **row.store)
    if not row.store:
        store.add_iam_user("app", AccessString.read_write("app:*"))
    parts = Parts(stack, network, store, SmokeTest(stack, "SmokeTest", target=store))
    if row.change is not None:
        row.change(parts)
