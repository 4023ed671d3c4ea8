"""A smoke test in another stack than the store: the store's stack can still change."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from cdk_redis import RedisNetwork, ReplicationGroup, SmokeTest
from cdk_redis_runtime._client import environment
from tests.unit.smoke_test.support.smoke_templates import environment_of


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    """Network, store and smoke test in three stacks."""
    app = cdk.App()
    stacks = {name: cdk.Stack(app, name) for name in ("Net", "Store", "Test")}
    network = RedisNetwork(stacks["Net"], "Network")
    cache = ReplicationGroup(stacks["Store"], "Cache", network=network, shards=3)
    SmokeTest(stacks["Test"], "SmokeTest", target=cache)
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


def test_the_stack_of_the_store_has_outputs_and_no_exports(templates: dict[str, Template]) -> None:
    outputs = templates["Store"].to_json()["Outputs"]

    assert outputs
    assert not [name for name, output in outputs.items() if "Export" in output]
    assert "Fn::GetStackOutput" in json.dumps(templates["Test"].to_json())


def test_the_rules_are_defined_in_the_stack_of_the_smoke_test(templates: dict[str, Template]) -> None:
    rules = templates["Test"].find_resources("AWS::EC2::SecurityGroupIngress").values()

    assert len(rules) == 1
    assert "SmokeTest" not in json.dumps(templates["Store"].find_resources("AWS::EC2::SecurityGroupIngress"))


def test_the_security_groups_of_the_store_are_read_from_outputs(templates: dict[str, Template]) -> None:
    theirs = environment_of(templates["Test"])[environment.STORE_SECURITY_GROUPS]
    assert list(theirs) == ["Fn::GetStackOutput"]  # type: ignore[call-overload]
