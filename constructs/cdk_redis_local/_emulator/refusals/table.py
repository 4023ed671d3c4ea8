"""All rules, and the sentences in which CloudFormation reports what breaks one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from cdk_redis_local._emulator.refusals import access, deletions, groups, stores
from cdk_redis_local._emulator.refusals.facts import schema_of
from cdk_redis_local._emulator.refusals.rule import Case, RefusedError, Rule
from cdk_redis_local._emulator.refusals.schema import schema_problems

RULES: list[Rule] = [
    *access.RULES,
    *groups.RULES,
    *stores.GROUP_RULES,
    *stores.SERVERLESS_RULES,
    *stores.CLUSTER_RULES,
]
"""The rules for resources that are created or changed."""
DELETIONS: list[Rule] = deletions.RULES
"""The rules for resources that are deleted."""

_SERVICES = {"AWS::ElastiCache": "ElastiCache", "AWS::MemoryDB": "MemoryDb"}
# The only types with snapshots of CloudFormation.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
_WITH_SNAPSHOTS = ("AWS::ElastiCache::CacheCluster", stores.GROUP)


def refusal(case: Case) -> RefusedError | None:
    """The error if AWS refuses to create or change the resource; None if it does not."""
    problems = schema_problems(case.type, case.new)
    if problems:
        found = ", ".join(problem.late for problem in problems)
        words = f"[{found}]" if len(problems) > 1 else found
        return RefusedError(f"Properties validation failed for resource {case.logical_id} with message:\n{words}")
    return _first(RULES, case)


def refused_deletion(case: Case) -> RefusedError | None:
    """The error if AWS refuses to delete the resource; None if it does not."""
    return _first(DELETIONS, case)


def refused_template(template: Mapping[str, Any]) -> str | None:
    """The message of CloudFormation if it refuses the whole template; None if it does not."""
    for resource in template.get("Resources", {}).values():
        if not isinstance(resource, Mapping):
            continue
        name = str(resource.get("Type"))
        snapshot = "Snapshot" in (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        if snapshot and schema_of(name) is not None and name not in _WITH_SNAPSHOTS:
            return f"Template error: resource type {name} does not support deletion policy Snapshot"
    return None


def _first(rules: list[Rule], case: Case) -> RefusedError | None:
    for rule in rules:
        if rule.type == case.type and (words := rule.refusal(case)) is not None:
            return RefusedError(_event(rule, words), rule.code, words)
    return None


def _event(rule: Rule, words: str) -> str:
    handler = "AlreadyExists" if rule.code == "AlreadyExists" else "InvalidRequest"
    if "NotFound" in rule.code:
        handler = "NotFound"
    if rule.code != "AlreadyExists":
        service = _SERVICES[rule.type.rpartition("::")[0]]
        words += f" (Service: {service}, Status Code: 400, Request ID: {uuid.uuid4()}, Extended Request ID: null)"
    return f'Resource handler returned message: "{words}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {handler})'
