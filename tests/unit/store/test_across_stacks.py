"""A function or role in another stack than the store: it can connect, and the store's stack can still change.

CloudFormation refuses to change or delete an export that another stack imports, so a store whose endpoint is exported
cannot be replaced. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from cdk_redis import (
    AccessString,
    ConfigurationError,
    Endpoint,
    Engine,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    Store,
)
from tests.unit.support.vpcs import existing_vpc

ACCESS = AccessString.read_write("app:*")
STORES = [ReplicationGroup, ServerlessCache, MemoryDbCluster]


class TwoStacks:
    """A store in one stack and its clients in another, in an existing VPC."""

    def __init__(self, kind: type[Any] = ReplicationGroup, **options: Any) -> None:
        self.app = cdk.App()
        self.data = cdk.Stack(self.app, "Data")
        self.web = cdk.Stack(self.app, "Web")
        self.network = RedisNetwork(self.data, "Network", vpc=existing_vpc(self.data), secrets_endpoint=True)
        self.store: Store = kind(self.data, "Store", network=self.network, **options)

    def function(self, id: str = "Function", **options: Any) -> lambda_.Function:
        return _function(self.web, id, **options)

    def templates(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The templates of the store's stack and of the other."""
        return dict(Template.from_stack(self.data).to_json()), dict(Template.from_stack(self.web).to_json())


def _function(stack: cdk.Stack, id: str, **options: Any) -> lambda_.Function:
    vpc = stack.node.try_find_child("Vpc") or existing_vpc(stack)
    return lambda_.Function(
        stack,
        id,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=lambda_.Code.from_inline("#"),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        **options,
    )


def _is_unlocked(stacks: TwoStacks) -> bool:
    data, web = stacks.templates()
    assert stacks.web.dependencies == [stacks.data]
    assert stacks.data.dependencies == []
    return "Fn::ImportValue" not in json.dumps(web) and not any(
        "Export" in output for output in data.get("Outputs", {}).values()
    )


def _find(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


@pytest.mark.parametrize("kind", STORES)
def test_a_function_of_another_stack_is_bound_without_exports(kind: type[Store]) -> None:
    stacks = TwoStacks(kind)
    function = stacks.function()
    stacks.store.bind(function, user=stacks.store.add_iam_user("app", ACCESS))

    assert _is_unlocked(stacks)
    data, web = stacks.templates()
    read = {
        value["Fn::GetStackOutput"]["OutputName"]
        for value in _find(web, "AWS::Lambda::Function")[0]["Environment"]["Variables"].values()
        if isinstance(value, dict)
    }
    assert read
    assert read <= data["Outputs"].keys()


@pytest.mark.parametrize("kind", STORES)
def test_the_rules_of_both_security_groups_are_defined_in_the_stack_of_the_function(kind: type[Store]) -> None:
    def rules(template: dict[str, Any]) -> int:
        return sum(len(_find(template, f"AWS::EC2::SecurityGroup{way}")) for way in ("Ingress", "Egress"))

    unbound = rules(TwoStacks(kind).templates()[0])
    stacks = TwoStacks(kind)
    function = stacks.function(allow_all_outbound=False)
    stacks.store.bind(function, user=stacks.store.add_iam_user("app", ACCESS))

    data, web = stacks.templates()
    assert rules(data) == unbound
    (ingress,) = _find(web, "AWS::EC2::SecurityGroupIngress")
    (egress,) = _find(web, "AWS::EC2::SecurityGroupEgress")
    (group,) = (name for name in web["Resources"] if web["Resources"][name]["Type"] == "AWS::EC2::SecurityGroup")
    store_group = ingress["GroupId"]
    assert list(store_group) == ["Fn::GetStackOutput"]
    assert ingress["SourceSecurityGroupId"] == {"Fn::GetAtt": [group, "GroupId"]}
    assert egress["GroupId"] == {"Fn::GetAtt": [group, "GroupId"]}
    assert egress["DestinationSecurityGroupId"] == store_group
    assert ingress["Description"] == egress["Description"] == "to Data/Store"


def test_the_policy_reads_the_store_from_an_output() -> None:
    stacks = TwoStacks()
    user = stacks.store.add_iam_user("app", ACCESS)
    stacks.store.grant_connect(stacks.function(), user=user)

    (policy,) = _find(stacks.templates()[1], "AWS::IAM::Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "elasticache:Connect"
    assert list(statement["Resource"][0]) == ["Fn::GetStackOutput"]
    assert _is_unlocked(stacks)


def test_a_password_user_is_bound_without_exports() -> None:
    stacks = TwoStacks(engine=Engine.redis("6.2"))
    stacks.store.bind(stacks.function(), user=stacks.store.add_password_user("app", ACCESS))

    assert _is_unlocked(stacks)


def test_a_role_of_another_stack_is_granted_without_exports() -> None:
    stacks = TwoStacks()
    role = iam.Role(stacks.web, "Role", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))  # pyright: ignore[reportArgumentType]
    stacks.store.grant_connect(role, user=stacks.store.add_iam_user("app", ACCESS))

    assert _is_unlocked(stacks)


def test_two_functions_read_the_same_outputs() -> None:
    def bound(*functions: str) -> tuple[dict[str, Any], dict[str, Any]]:
        stacks = TwoStacks()
        user = stacks.store.add_iam_user("app", ACCESS)
        for function in functions:
            stacks.store.bind(stacks.function(function), user=user)
        return stacks.templates()

    data, web = bound("One", "Two")
    assert data["Outputs"].keys() == bound("One")[0]["Outputs"].keys()
    assert len(_find(web, "AWS::EC2::SecurityGroupIngress")) == 2


def test_one_function_can_connect_to_two_stores() -> None:
    stacks = TwoStacks()
    other = MemoryDbCluster(stacks.data, "Ledger", network=stacks.network)
    function = stacks.function()
    for store in (stacks.store, other):
        store.grant_connect(function, user=store.add_iam_user("app", ACCESS))

    assert _is_unlocked(stacks)
    assert len(_find(stacks.templates()[1], "AWS::EC2::SecurityGroupIngress")) == 2


def test_a_function_with_a_security_group_in_another_stack_is_bound_without_exports() -> None:
    stacks = TwoStacks()
    vpc = existing_vpc(stacks.web)
    group = ec2.SecurityGroup(stacks.web, "Group", vpc=vpc, allow_all_outbound=False)
    function = _function(stacks.web, "Function", security_groups=[group])
    stacks.store.bind(function, user=stacks.store.add_iam_user("app", ACCESS))

    assert _is_unlocked(stacks)
    (egress,) = _find(stacks.templates()[1], "AWS::EC2::SecurityGroupEgress")
    assert list(egress["DestinationSecurityGroupId"]) == ["Fn::GetStackOutput"]


def test_an_imported_store_is_bound_without_exports() -> None:
    stacks = TwoStacks()
    store = ReplicationGroup.from_replication_group_attributes(
        stacks.data,
        "Imported",
        replication_group_id="cache",
        engine=Engine.valkey("8.1"),
        endpoint=Endpoint("cache.example", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stacks.data, "Group", "sg-1")],
        unsafe_open_access=True,
    )
    store.bind(stacks.function())

    data, web = stacks.templates()
    assert "Outputs" not in data
    assert _find(web, "AWS::EC2::SecurityGroupIngress")[0]["GroupId"] == "sg-1"


def test_nested_stacks_read_the_store_directly() -> None:
    data = cdk.Stack(cdk.App(), "Data")
    network = RedisNetwork(data, "Network", vpc=existing_vpc(data))
    store = ReplicationGroup(cdk.NestedStack(data, "Stores"), "Store", network=network)
    store.bind(_function(cdk.NestedStack(data, "Web"), "Function"), user=store.add_iam_user("app", ACCESS))

    template = json.dumps(Template.from_stack(data).to_json())
    assert "Fn::GetStackOutput" not in template
    assert "Export" not in template


def test_a_store_in_a_nested_stack_is_read_from_the_parent_stack() -> None:
    stacks = TwoStacks()
    nested = cdk.NestedStack(stacks.data, "Stores")
    store = MemoryDbCluster(nested, "Ledger", network=stacks.network)
    store.bind(stacks.function(), user=store.add_iam_user("app", ACCESS))

    assert _is_unlocked(stacks)
    data, web = stacks.templates()
    variables = _find(web, "AWS::Lambda::Function")[0]["Environment"]["Variables"]
    reference = variables["CDK_REDIS_HOST"]["Fn::GetStackOutput"]
    assert reference["StackName"] == "Data"
    assert "Fn::GetAtt" in data["Outputs"][reference["OutputName"]]["Value"]


def test_a_grantee_in_a_stack_that_the_store_depends_on_is_rejected() -> None:
    stacks = TwoStacks()
    function = stacks.function()
    user = stacks.store.add_iam_user("app", ACCESS)
    stacks.data.add_stack_dependency(stacks.web)

    with pytest.raises(ConfigurationError) as raised:
        stacks.store.bind(function, user=user)
    assert str(raised.value) == (
        "Data/Store: grantee: got 'a construct in stack Web', but stack Data is deployed after stack Web and would "
        "have to be deployed before it as well; put what Data needs into a third stack"
    )
