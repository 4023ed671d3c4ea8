"""The function of a smoke test, its trigger, and the stores that a smoke test rejects."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from cdk_redis import (
    ConfigurationError,
    Endpoint,
    MemoryDbCluster,
    MultiRegionCluster,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
)
from cdk_redis_runtime._client import environment
from tests.unit.smoke_test.support.smoke_templates import environment_of, function_of, rules_of


def test_the_function_runs_in_the_stores_subnets_with_its_own_security_group(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    SmokeTest(stack, "SmokeTest", target=cache)

    template = Template.from_stack(stack)
    vpc = function_of(template)["VpcConfig"]
    assert vpc["SubnetIds"] == [stack.resolve(subnet.subnet_id) for subnet in network.subnets]  # type: ignore[index]
    (group,) = vpc["SecurityGroupIds"]  # type: ignore[index]
    # It can connect only to the store's port.
    groups = template.find_resources("AWS::EC2::SecurityGroup")
    assert "SecurityGroupEgress" not in groups[group["Fn::GetAtt"][0]]["Properties"]
    store = stack.resolve(cache.security_groups[0].security_group_id)
    assert rules_of(template, "Egress", group) == [(store, 6379, 6379)]
    assert (group, 6379, 6379) in rules_of(template, "Ingress", store)


def test_the_function_runs_on_arm_and_its_timeouts_are_longer_than_the_checks(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    template = Template.from_stack(stack)
    function = function_of(template)
    assert (function["Architectures"], function["MemorySize"]) == (["arm64"], 512)
    # The checks end in 20 s, the function in 60 s, and the trigger that waits for it in 90 s.
    assert (environment_of(template)[environment.BUDGET_SECONDS], function["Timeout"]) == ("20", 60)
    template.has_resource_properties("Custom::Trigger", {"Timeout": "90000"})
    template.has_resource("AWS::Logs::LogGroup", {"Properties": {"RetentionInDays": 30}, "DeletionPolicy": "Delete"})


def test_the_function_runs_in_the_isolated_subnets_of_a_vpc_with_other_subnets(stack: cdk.Stack) -> None:
    kinds = [ec2.SubnetType.PUBLIC, ec2.SubnetType.PRIVATE_WITH_EGRESS, ec2.SubnetType.PRIVATE_ISOLATED]
    subnets = [ec2.SubnetConfiguration(name=kind.value, subnet_type=kind) for kind in kinds]
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, subnet_configuration=subnets)
    network = RedisNetwork(stack, "Network", vpc=cast("ec2.IVpc", vpc))
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    isolated = [stack.resolve(subnet.subnet_id) for subnet in vpc.isolated_subnets]
    assert function_of(Template.from_stack(stack))["VpcConfig"]["SubnetIds"] == isolated  # type: ignore[index]


def test_the_role_is_deleted_after_the_network_interfaces(stack: cdk.Stack, network: RedisNetwork) -> None:
    test = SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    assert test.function.role is not None
    role = stack.get_logical_id(test.function.role.node.default_child)  # type: ignore[arg-type]
    groups = Template.from_stack(stack).find_resources(
        "AWS::EC2::SecurityGroup", {"Properties": {"GroupDescription": "Smoke test of Stack/Cache"}}
    )
    (group,) = groups.values()
    assert role in group["DependsOn"]


def test_the_trigger_waits_for_the_store_the_rules_and_the_policy(stack: cdk.Stack, network: RedisNetwork) -> None:
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    template = Template.from_stack(stack)
    (trigger,) = template.find_resources("Custom::Trigger").values()
    resources = template.to_json()["Resources"]
    awaited = {resources[logical_id]["Type"] for logical_id in trigger["DependsOn"]}
    assert {"AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::UserGroup", "AWS::IAM::Policy"} <= awaited
    # Both rules between the function and the store: egress of the function, ingress of the store.
    (group,) = function_of(template)["VpcConfig"]["SecurityGroupIds"]  # type: ignore[index]
    rules = {
        logical_id: resource["Type"]
        for logical_id, resource in resources.items()
        if resource["Type"] in ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
        and group in resource["Properties"].values()
    }
    assert sorted(rules.values()) == ["AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"]
    assert rules.keys() <= set(trigger["DependsOn"])


def test_a_smoke_test_cannot_be_a_child_of_its_own_target(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)

    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(cache, "SmokeTest", target=cache)

    assert str(caught.value) == (
        "Stack/Cache/SmokeTest: scope: got 'Stack/Cache', but a smoke test cannot be a child of its own target; "
        "define the smoke test in the store's scope, or in a later stack"
    )


def test_an_imported_store_needs_a_network_for_the_function(stack: cdk.Stack) -> None:
    cache = ReplicationGroup.from_replication_group_attributes(
        stack,
        "Cache",
        replication_group_id="orders",
        endpoint=Endpoint("orders.abc.cache.amazonaws.com", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")],
    )

    with pytest.raises(ConfigurationError, match="it has no network; give `network` to the import"):
        SmokeTest(stack, "SmokeTest", target=cache)


def test_a_store_whose_keys_cannot_expire_is_rejected(stack: cdk.Stack, network: RedisNetwork) -> None:
    cluster = MultiRegionCluster(stack, "Everywhere")
    member = MemoryDbCluster(stack, "Member", network=network, multi_region=cluster)

    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(stack, "SmokeTest", target=member)

    assert str(caught.value) == (
        "Stack/SmokeTest: target: got 'Stack/Member', but keys of Multi-Region clusters cannot expire, and a "
        "smoke test sets a time to live on its keys"
    )
