"""cfn-lint finds no errors in the templates of the app, and of programs that are bound to stores of another stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from cfnlint.api import ManualArgs, lint

from cdk_redis import MemoryDbCluster, RedisNetwork, ReplicationGroup
from tests.unit.store.support.targets import KINDS, Kind, template_of

pytestmark = pytest.mark.long

# Rules with false positives in our templates, each with the reason. Keep the list short.
FALSE_POSITIVES: dict[str, str] = {}


def errors(template: str) -> list[str]:
    configuration = ManualArgs(regions=["us-east-1", "eu-central-1"], ignore_checks=[*FALSE_POSITIVES])
    matches = lint(template, config=configuration)
    return [f"{match.rule.id} {match.path}: {match.message}" for match in matches if match.rule.severity == "error"]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_templates_have_no_errors(environment: str, templates: Callable[[str], dict[str, Path]]) -> None:
    found = {stack: errors(template.read_text()) for stack, template in templates(environment).items()}
    assert len(found) == 4
    assert not any(found.values()), found


def test_the_linter_finds_errors() -> None:
    template = '{"Resources": {"Store": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": {}}}}'
    assert [error[:5] for error in errors(template)] == ["E3003"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_programs_of_another_stack_than_their_stores_have_no_errors(kind: Kind) -> None:
    app, env = cdk.App(), cdk.Environment(account="111122223333", region="eu-west-1")
    data, web = (cdk.Stack(app, name, env=env) for name in ("Data", "Web"))
    network = RedisNetwork(data, "Network")
    cache, ledger = (store(data, store.__name__, network=network) for store in (ReplicationGroup, MemoryDbCluster))
    target = kind.define(web, network)
    cache.bind(target, user=cache.add_password_user("app", "on ~app:* +@read"))
    ledger.bind(target, user=ledger.add_iam_user("app", "on ~app:* +@read"), name="ledger")

    assert [errors(json.dumps(template_of(stack))) for stack in (data, web)] == [[], []]
