"""Findings of scanners that are accepted, written where cdk-nag 2, cdk-nag 3 and checkov read them.

The library does not depend on a scanner: it writes metadata, which each of them documents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems

if TYPE_CHECKING:
    from constructs import IConstruct

_HIPAA, _NIST, _PCI, _SERVERLESS = "HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321", "Serverless"
# Rules that several packs of cdk-nag have under one name, and the packs.
_PACKS = {
    "CloudWatchAlarmAction": (_HIPAA, _NIST),
    "CloudWatchLogGroupEncrypted": (_HIPAA, _NIST, _PCI),
    "EC2InstanceDetailedMonitoringEnabled": (_HIPAA,),
    "ElastiCacheRedisClusterAutomaticBackup": (_HIPAA, _NIST),
    "IAMNoInlinePolicy": (_HIPAA, _NIST, _PCI),
    "LambdaConcurrency": (_HIPAA, _NIST),
    "LambdaDLQ": (_HIPAA, _NIST, _SERVERLESS),
    "LambdaInsideVPC": (_HIPAA, _NIST, _PCI),
    "SNSEncryptedKMS": (_HIPAA, _NIST, _PCI),
    "SecretsManagerRotationEnabled": (_HIPAA, _NIST),
    "SecretsManagerUsingKMSKey": (_HIPAA, _NIST, _PCI),
    "VPCFlowLogsEnabled": (_HIPAA, _NIST, _PCI),
    "VPCNoUnrestrictedRouteToIGW": (_HIPAA, _NIST, _PCI),
    "VPCSubnetAutoAssignPublicIpDisabled": (_HIPAA, _NIST, _PCI),
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
    """Accept findings of cdk-nag 2, cdk-nag 3 and checkov on one resource, each with the reason.

    The finding stays in the reports, as suppressed, with the reason. Call it again to add others.

    Example: ``acknowledge(function, {"LambdaDLQ": "a client waits for the answer and repeats the call"})``

    Args:
        construct: The resource: an L1 construct, or a construct whose default child is one.
        rules: Reasons by rule: a rule of cdk-nag as it reports it, such as ``"AwsSolutions-AEC6"`` or
            ``"AwsSolutions-IAM5[Resource::*]"``; ``"LambdaDLQ"`` for a rule that several packs have under this name; or
            a rule of checkov, such as ``"CKV_AWS_116"``. A reason has 10 characters or more.

    Raises:
        ConfigurationError: If the construct has no resource, a rule has another form, or a reason is too short.
    """
    resource = construct if cdk.CfnResource.is_cfn_resource(construct) else construct.node.default_child
    problems = Problems(construct)
    if not isinstance(resource, cdk.CfnResource):
        problems.add("construct", construct.node.path, "only a resource has findings", "give its L1 construct")
    for rule, reason in rules.items():
        _check(problems, rule, reason)
    problems.raise_if_any()
    _write(cast("cdk.CfnResource", resource), _in_all_packs(rules))


def _check(problems: Problems, rule: str, reason: str) -> None:
    if not (rule in _PACKS or _NAG_RULE.fullmatch(rule) or _CHECKOV_RULE.fullmatch(rule)):
        problems.add("rules", rule, "a rule is written as its scanner reports it", 'such as "AwsSolutions-AEC6"')
    if len(reason) < _SHORTEST_REASON or any(ord(character) > _LATIN_1 for character in reason):
        allowed = f"a reason has {_SHORTEST_REASON} characters or more, all in Latin-1"
        problems.add("rules", reason, allowed, f"say why the resource is right without {rule}")


def _in_all_packs(rules: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for rule, reason in rules.items():
        packs = _PACKS.get(rule)
        found.update({f"{pack}-{rule}": reason for pack in packs} if packs else {rule: reason})
    return found


def _write(resource: cdk.CfnResource, rules: Mapping[str, str]) -> None:
    nag = {rule: cast("re.Match[str]", _NAG_RULE.fullmatch(rule)) for rule in rules if not _CHECKOV_RULE.match(rule)}
    if nag:
        # What Validations.of(resource).acknowledge writes for "AwsSolutions::AwsSolutions-AEC6": cdk-nag 3.
        construct_node: IConstruct = resource
        construct_node.node.add_metadata(
            _CDK_KEY, {f"{found['pack']}::{rule}": rules[rule] for rule, found in nag.items()}
        )
        _append(
            resource,
            "cdk_nag",
            "rules_to_suppress",
            [_for_cdk_nag_2(found, rules[rule]) for rule, found in nag.items()],
        )
    checkov: list[dict[str, object]] = [
        {"id": rule, "comment": reason} for rule, reason in rules.items() if rule not in nag
    ]
    if checkov:
        _append(resource, "checkov", "skip", checkov)


def _for_cdk_nag_2(found: re.Match[str], reason: str) -> dict[str, object]:
    only = {"applies_to": [found["finding"]]} if found["finding"] else {}
    return {"id": found["rule"], "reason": reason, **only}


def _append(resource: cdk.CfnResource, scanner: str, key: str, new: list[dict[str, object]]) -> None:
    before = resource.get_metadata(scanner) or {}
    resource.add_metadata(scanner, {**before, key: [*before.get(key, ()), *new]})
