"""Findings of scanners that are accepted, written where cdk-nag 2, cdk-nag 3 and checkov read them.

The library does not depend on a scanner: it writes metadata, which each of them documents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems

_HIPAA, _NIST, _PCI, _SERVERLESS = "HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321", "Serverless"
_MANAGED = "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/{}]"
# One name for a finding that several packs of cdk-nag have under this name, and the same finding in other scanners.
_PACKS = {
    "CloudWatchAlarmAction": (_HIPAA, _NIST),
    "CloudWatchLogGroupEncrypted": (_HIPAA, _NIST, _PCI),
    "EC2InstanceDetailedMonitoringEnabled": (_HIPAA,),
    "ElastiCacheRedisClusterAutomaticBackup": (_HIPAA, _NIST),
    "IAMNoInlinePolicy": (_HIPAA, _NIST, _PCI),
    "LambdaConcurrency": (_HIPAA, _NIST),
    "LambdaDLQ": (_HIPAA, _NIST, _SERVERLESS),
    "LambdaManagedPolicies": (),
    "SNSEncryptedKMS": (_HIPAA, _NIST, _PCI),
    "SecretsManagerRotationEnabled": (_HIPAA, _NIST),
    "SecretsManagerUsingKMSKey": (_HIPAA, _NIST, _PCI),
    "VPCFlowLogsEnabled": (_HIPAA, _NIST, _PCI),
    "VPCNoUnrestrictedRouteToIGW": (_HIPAA, _NIST, _PCI),
    "VPCSubnetAutoAssignPublicIpDisabled": (_HIPAA, _NIST, _PCI),
}
_SAME = {
    "CloudWatchLogGroupEncrypted": ("CKV_AWS_158",),
    "EC2InstanceDetailedMonitoringEnabled": ("AwsSolutions-EC28",),
    "LambdaConcurrency": ("CKV_AWS_115",),
    "LambdaDLQ": ("CKV_AWS_116",),
    # The role that the CDK defines for a function in a VPC.
    "LambdaManagedPolicies": (
        _MANAGED.format("AWSLambdaBasicExecutionRole"),
        _MANAGED.format("AWSLambdaVPCAccessExecutionRole"),
    ),
    "SNSEncryptedKMS": ("CKV_AWS_26",),
    "SecretsManagerRotationEnabled": ("AwsSolutions-SMG4",),
    "SecretsManagerUsingKMSKey": ("CKV_AWS_149",),
    "VPCFlowLogsEnabled": ("AwsSolutions-VPC7",),
}
# Of the policies that the CDK defines for a role.
INLINE_POLICY = {"IAMNoInlinePolicy": "it is deleted with its role, and no other role can have it"}
_PROVIDER = {
    "CKV_AWS_115": "a function of the CDK, which deployments run once at a time",
    "CKV_AWS_116": "CloudFormation waits for its result",
    "CKV_AWS_117": "a function of the CDK, which calls APIs of AWS only",
}
# A rule of cdk-nag: its pack, its name and, in brackets, the part of the resource that it is about.
_NAG_RULE = re.compile(r"(?P<rule>(?P<pack>[A-Za-z][A-Za-z0-9.]*)-[A-Za-z0-9]+)(\[(?P<finding>.+)\])?")
_CHECKOV_RULE = re.compile(r"CKV2?_[A-Z]+_[0-9]+")
# aws-cdk-lib: Validations.ACKNOWLEDGED_RULES_METADATA_KEY, which its older versions do not have.
_CDK_KEY = "aws:cdk:acknowledged-rules"
# cdk-nag 2 rejects shorter reasons, and reads characters outside of Latin-1 only in base64.
_SHORTEST_REASON = 10
_LATIN_1 = 0xFF


@checked_arguments
def acknowledge(construct: Construct, rules: Mapping[str, str]) -> None:
    """Accept findings of cdk-nag 2, cdk-nag 3 and checkov on a resource, each with the reason.

    The finding stays in the reports, as suppressed, with the reason. Call it again to add others.

    Example: ``acknowledge(function, {"LambdaDLQ": "a client waits for the answer and repeats the call"})``

    Args:
        construct: The resource, an L1 construct; of another construct, all resources that are defined in it now.
        rules: Reasons by rule: a rule of cdk-nag as it reports it, such as ``"AwsSolutions-AEC6"`` or
            ``"AwsSolutions-IAM5[Resource::*]"``; a rule of checkov, such as ``"CKV_AWS_173"``; or the name that a rule
            has in several packs, such as ``"LambdaDLQ"``, for all of them and the same rule of checkov. A reason has 10
            characters or more.

    Raises:
        ConfigurationError: If the construct has no resource, a rule has another form, or a reason is too short.
    """
    found = [construct] if cdk.CfnResource.is_cfn_resource(construct) else construct.node.find_all()
    resources = [one for one in found if isinstance(one, cdk.CfnResource)]
    problems = Problems(construct)
    if not resources:
        problems.add("construct", construct.node.path, "only resources have findings", "give one, or what contains it")
    for rule, reason in rules.items():
        _check(problems, rule, reason)
    problems.raise_if_any()
    _write(construct, resources, _in_all_scanners(rules))


def _check(problems: Problems, rule: str, reason: str) -> None:
    if not (rule in _PACKS or _NAG_RULE.fullmatch(rule) or _CHECKOV_RULE.fullmatch(rule)):
        problems.add("rules", rule, "a rule is written as its scanner reports it", 'such as "AwsSolutions-AEC6"')
    if len(reason) < _SHORTEST_REASON or any(ord(character) > _LATIN_1 for character in reason):
        allowed = f"a reason has {_SHORTEST_REASON} characters or more, all in Latin-1"
        problems.add("rules", reason, allowed, f"say why the resource is right without {rule}")


def _in_all_scanners(rules: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for rule, reason in rules.items():
        same = [*(f"{pack}-{rule}" for pack in _PACKS.get(rule, ())), *_SAME.get(rule, ())]
        found.update(dict.fromkeys(same or [rule], reason))
    return found


def _write(construct: Construct, resources: Sequence[cdk.CfnResource], rules: Mapping[str, str]) -> None:
    nag = {rule: cast("re.Match[str]", _NAG_RULE.fullmatch(rule)) for rule in rules if not _CHECKOV_RULE.match(rule)}
    checkov = [_entry("id", rule, "comment", reason) for rule, reason in rules.items() if rule not in nag]
    if nag:
        # What Validations.of(construct).acknowledge writes for "AwsSolutions::AwsSolutions-AEC6": cdk-nag 3.
        by_id = {f"{found['pack']}::{rule}": rules[rule] for rule, found in nag.items()}
        construct.node.add_metadata(_CDK_KEY, by_id)
    for resource in resources:
        _append(resource, "cdk_nag", "rules_to_suppress", [_for_cdk_nag_2(nag[rule], rules[rule]) for rule in nag])
        _append(resource, "checkov", "skip", checkov)


def _entry(key: str, rule: str, comment: str, reason: str) -> dict[str, object]:
    return {key: rule, comment: reason}


def _for_cdk_nag_2(found: re.Match[str], reason: str) -> dict[str, object]:
    only = {"applies_to": [found["finding"]]} if found["finding"] else {}
    return {**_entry("id", found["rule"], "reason", reason), **only}


def _append(resource: cdk.CfnResource, scanner: str, key: str, new: list[dict[str, object]]) -> None:
    if not new:
        return
    before = resource.get_metadata(scanner) or {}
    listed: list[dict[str, object]] = [*before.get(key, ())]
    resource.add_metadata(scanner, {**before, key: [*listed, *(one for one in new if one not in listed)]})


def acknowledge_provider(scope: Construct, name: str) -> None:
    """Accept the findings of checkov on a function of the CDK that a stack has once, such as that of triggers.

    Args:
        scope: Construct of the stack.
        name: Id of the function's construct in the stack.
    """
    provider = cdk.Stack.of(scope).node.try_find_child(name)
    if provider is not None:
        acknowledge(cast("Construct", provider.node.find_child("Handler")), _PROVIDER)
