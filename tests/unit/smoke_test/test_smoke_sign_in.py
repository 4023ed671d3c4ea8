"""How the smoke test signs in: its user, its role, its password."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from cdk_redis import Engine, MemoryDbCluster, RedisNetwork, ReplicationGroup, SmokeTest
from cdk_redis_runtime._client import environment
from tests.unit.smoke_test.support.smoke_templates import environment_of, function_of, rules_of


def test_the_user_can_access_only_keys_with_the_prefix(stack: cdk.Stack, network: RedisNetwork) -> None:
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network), key_prefix="probe:")

    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::User", {"AccessString": Match.string_like_regexp(r"^on ~probe:\* &probe:\* \+")}
    )


@pytest.mark.parametrize(
    ("version", "rules"),
    [("6.0", ("~cdk-redis-smoke:*",)), ("6.2", ("&cdk-redis-smoke:*",)), ("7.1", ("&cdk-redis-smoke:*", "+spublish"))],
)
def test_the_access_string_has_only_rules_that_the_engine_knows(version: str, rules: tuple[str, ...]) -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"), engine=Engine.redis(version))
    SmokeTest(stack, "SmokeTest", target=cache)

    users = Template.from_stack(stack).find_resources("AWS::ElastiCache::User").values()
    (words,) = [text.split() for user in users if (text := user["Properties"]["AccessString"]).startswith("on")]
    assert set(rules) <= set(words)
    assert ("&cdk-redis-smoke:*" in words) is (version != "6.0")
    assert ("+spublish" in words) is (version == "7.1")


def test_the_user_has_no_commands_of_sharded_channels_if_the_engine_has_none(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("6.2"))
    SmokeTest(stack, "SmokeTest", target=cache)

    users = Template.from_stack(stack).find_resources("AWS::ElastiCache::User").values()
    strings = [user["Properties"]["AccessString"] for user in users]
    assert any("+publish" in access for access in strings)
    assert not any("spublish" in access or "ssubscribe" in access for access in strings)


def test_the_role_can_connect_to_the_store_only_as_the_user(stack: cdk.Stack, network: RedisNetwork) -> None:
    SmokeTest(stack, "SmokeTest", target=MemoryDbCluster(stack, "Ledger", network=network))

    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    (policy,) = [policy for policy in policies if "Connect" in str(policy)]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "memorydb:Connect"
    assert len(statement["Resource"]) == 2


def test_the_function_reads_a_password_through_an_interface_endpoint_without_iam(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("6.2"))
    SmokeTest(stack, "SmokeTest", target=cache)

    template = Template.from_stack(stack)
    variables = environment_of(template)
    assert variables[environment.AUTHENTICATION] == "password"
    assert "Ref" in str(variables[environment.SECRET_ARN])
    (group,) = function_of(template)["VpcConfig"]["SecurityGroupIds"]  # type: ignore[index]
    endpoint = stack.resolve(network.require_secrets_endpoint().connections.security_groups[0].security_group_id)
    assert (endpoint, 443, 443) in rules_of(template, "Egress", group)
    assert rules_of(template, "Ingress", endpoint) == [(group, 443, 443)]
    template.resource_count_is("AWS::EC2::VPCEndpoint", 1)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    Match.object_like({"Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]})
                ]
            }
        },
    )


def test_the_function_does_not_sign_in_to_a_store_with_open_access(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, unsafe_open_access=True)
    test = SmokeTest(stack, "SmokeTest", target=ledger)

    assert test.user is None
    variables = environment_of(Template.from_stack(stack))
    assert variables[environment.AUTHENTICATION] == "none"
    assert environment.USER not in variables
