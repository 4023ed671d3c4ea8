"""A role, a log group and security groups for a smoke test or a drill: existing ones, and attributes of new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template

from cdk_redis import FailoverDrill, RedisNetwork, ReplicationGroup, SmokeTest

Both: TypeAlias = SmokeTest | FailoverDrill
LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")


def _canary(scope: cdk.Stack, id: str, **given: Any) -> SmokeTest:
    return SmokeTest(scope, id, schedule=events.Schedule.rate(cdk.Duration.minutes(5)), **given)


@pytest.fixture(params=[SmokeTest, _canary, FailoverDrill], ids=["smoke test", "canary", "drill"])
def kind(request: pytest.FixtureRequest) -> Callable[..., Both]:
    return request.param


@pytest.fixture
def cache(stack: cdk.Stack, network: RedisNetwork) -> ReplicationGroup:
    return ReplicationGroup(stack, "Cache", network=network)


def _parts(stack: cdk.Stack, network: RedisNetwork) -> dict[str, Any]:
    return {
        "role": iam.Role(stack, "Role", assumed_by=LAMBDA),
        "log_group": logs.LogGroup(stack, "Reports"),
        "security_groups": [
            ec2.SecurityGroup(stack, name, vpc=network.vpc, allow_all_outbound=False) for name in ("One", "Two")
        ],
    }


def _function(template: Template) -> dict[str, Any]:
    functions = template.find_resources("AWS::Lambda::Function").values()
    (properties,) = [
        entry["Properties"] for entry in functions if entry["Properties"]["Handler"].startswith("cdk_redis_runtime.")
    ]
    return properties


def _connects(template: Template) -> list[Any]:
    """Roles whose policies allow ``elasticache:Connect``."""
    policies = template.find_resources("AWS::IAM::Policy").values()
    return [
        policy["Properties"]["Roles"]
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "elasticache:Connect"
    ]


def test_a_new_role_can_write_to_the_log_group_and_manage_network_interfaces_only(
    stack: cdk.Stack, cache: ReplicationGroup, kind: Callable[..., Both]
) -> None:
    made = kind(stack, "Test", target=cache)

    logical_id = stack.resolve(made.role.role_arn)["Fn::GetAtt"][0]
    role = Template.from_stack(stack).to_json()["Resources"][logical_id]["Properties"]
    # AWSLambdaBasicExecutionRole allows logs:CreateLogGroup on "*".
    assert "ManagedPolicyArns" not in role
    (policy,) = role["Policies"]
    log, network = policy["PolicyDocument"]["Statement"]
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert log["Resource"] == stack.resolve(made.log_group.log_group_arn)
    assert (network["Resource"], {action.partition(":")[0] for action in network["Action"]}) == ("*", {"ec2"})
    assert not [action for action in network["Action"] if action.endswith("*")]


def test_a_given_role_log_group_and_security_group_replace_new_ones(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, kind: Callable[..., Both]
) -> None:
    given = _parts(stack, network)
    made = kind(stack, "Test", target=cache, **given)

    template = Template.from_stack(stack)
    function = _function(template)
    groups = [stack.resolve(group.security_group_id) for group in given["security_groups"]]
    assert function["Role"] == stack.resolve(given["role"].role_arn)
    assert function["LoggingConfig"] == {"LogGroup": stack.resolve(given["log_group"].log_group_name)}
    assert function["VpcConfig"]["SecurityGroupIds"] == groups
    types = [resource["Type"] for name, resource in template.to_json()["Resources"].items() if name.startswith("Test")]
    assert not {"AWS::Logs::LogGroup", "AWS::EC2::SecurityGroup"} & set(types)
    assert made.node.try_find_child("Role") is None
    assert (made.role, made.log_group, made.security_groups) == tuple(given.values())


def test_a_given_role_and_security_group_get_the_permission_and_the_rules(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, kind: Callable[..., Both]
) -> None:
    given = _parts(stack, network)
    kind(stack, "Test", target=cache, **given)

    template = Template.from_stack(stack)
    assert _connects(template) == [[stack.resolve(given["role"].role_name)]]
    groups = [stack.resolve(group.security_group_id) for group in given["security_groups"]]
    store = stack.resolve(cache.security_groups[0].security_group_id)
    rules = [rule["Properties"] for rule in template.find_resources("AWS::EC2::SecurityGroupEgress").values()]
    assert groups == [
        rule["GroupId"] for rule in rules if rule["DestinationSecurityGroupId"] == store and rule["GroupId"] in groups
    ]


def test_the_run_waits_for_the_policy_of_a_given_role(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup
) -> None:
    SmokeTest(stack, "Test", target=cache, **_parts(stack, network))

    template = Template.from_stack(stack)
    (trigger,) = template.find_resources("Custom::Trigger").values()
    awaited = [template.to_json()["Resources"][name] for name in trigger["DependsOn"]]
    assert "elasticache:Connect" in str([entry for entry in awaited if entry["Type"] == "AWS::IAM::Policy"])


def test_parts_of_another_stack_are_read_from_outputs_and_do_not_change(kind: Callable[..., Both]) -> None:
    def build(*, tested: bool) -> tuple[Template, Template]:
        app = cdk.App()
        shared, stack = cdk.Stack(app, "Shared"), cdk.Stack(app, "Stack")
        network = RedisNetwork(shared, "Network")
        cache, given = ReplicationGroup(shared, "Cache", network=network), _parts(shared, network)
        if tested:
            kind(stack, "Test", target=cache, **given)
        return Template.from_stack(shared), Template.from_stack(stack)

    before, _ = build(tested=False)
    theirs, ours = build(tested=True)
    added = theirs.to_json()["Resources"].keys() - before.to_json()["Resources"].keys()
    assert {theirs.to_json()["Resources"][name]["Type"] for name in added} == {"AWS::ElastiCache::User"}
    function = _function(ours)
    for value in (function["Role"], function["LoggingConfig"]["LogGroup"], *function["VpcConfig"]["SecurityGroupIds"]):
        assert value["Fn::GetStackOutput"]["StackName"] == "Shared"
    assert len(_connects(ours)) == 1


def test_an_imported_role_log_group_and_security_group_are_used(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, kind: Callable[..., Both]
) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/tester")
    log_group = logs.LogGroup.from_log_group_name(stack, "Reports", "reports")
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0", allow_all_outbound=False)
    kind(stack, "Test", target=cache, role=role, log_group=log_group, security_groups=[group])

    template = Template.from_stack(stack)
    function = _function(template)
    assert function["Role"] == "arn:aws:iam::111122223333:role/tester"
    assert function["LoggingConfig"] == {"LogGroup": "reports"}
    assert function["VpcConfig"]["SecurityGroupIds"] == ["sg-0123456789abcdef0"]
    assert _connects(template) == [["tester"]]


def test_the_created_role_log_group_and_security_group_can_be_used(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, kind: Callable[..., Both]
) -> None:
    made = kind(stack, "Test", target=cache)
    other = ec2.SecurityGroup(stack, "Other", vpc=network.vpc, allow_all_outbound=False)

    made.role.add_to_principal_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"]))
    made.connections.allow_to(other, ec2.Port.tcp(443), "to a proxy")

    template = Template.from_stack(stack)
    function = _function(template)
    assert function["Role"] == stack.resolve(made.role.role_arn)
    assert function["LoggingConfig"] == {"LogGroup": stack.resolve(made.log_group.log_group_name)}
    (group,) = made.security_groups
    assert function["VpcConfig"]["SecurityGroupIds"] == [stack.resolve(group.security_group_id)]
    assert "s3:GetObject" in str(template.find_resources("AWS::IAM::Policy"))
    assert "to a proxy" in str(template.find_resources("AWS::EC2::SecurityGroupEgress"))
