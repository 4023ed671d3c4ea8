"""Names that are taken, and resources whose place is not known until the CDK CLI has looked them up."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from cdk_redis import ConfigurationError, RedisNetwork, ReplicationGroup

_ENV = cdk.Environment(account="111122223333", region="eu-west-1")


def _store(stack: cdk.Stack, id: str, **given: object) -> ReplicationGroup:
    network = stack.node.try_find_child("Network") or RedisNetwork(stack, "Network")
    assert isinstance(network, RedisNetwork)
    return ReplicationGroup(stack, id, **{"network": network, "replication_group_id": "orders", **given})  # pyright: ignore[reportArgumentType]


def test_a_rejected_store_does_not_take_its_name() -> None:
    stack = cdk.Stack(cdk.App(), "Stack", env=_ENV)

    with pytest.raises(ConfigurationError):
        _store(stack, "Rejected", port=8005)

    assert _store(stack, "Cache").node.path == "Stack/Cache"


def test_a_store_can_be_defined_again_after_it_was_rejected() -> None:
    stack = cdk.Stack(cdk.App(), "Stack", env=_ENV)

    with pytest.raises(ConfigurationError):
        _store(stack, "Cache", port=8005)

    assert _store(stack, "Cache").node.path == "Stack/Cache"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(None, id="not known"),
        pytest.param(cdk.Environment(account="999999999999", region="eu-west-1"), id="another account"),
        pytest.param(cdk.Environment(account="111122223333", region="us-east-1"), id="another Region"),
    ],
)
def test_stores_of_different_places_can_have_the_same_name(other: cdk.Environment | None) -> None:
    app = cdk.App()
    _store(cdk.Stack(app, "One", env=_ENV), "Cache")
    _store(cdk.Stack(app, "Two", env=other), "Cache")

    assert len(app.synth().stacks) == 2


def test_two_apps_can_have_stores_of_the_same_name() -> None:
    for _ in range(2):
        _store(cdk.Stack(cdk.App(), "Stack", env=_ENV), "Cache")


def test_security_groups_that_are_not_looked_up_yet_are_not_compared() -> None:
    stack = cdk.Stack(cdk.App(), "Stack", env=_ENV)
    groups = [ec2.SecurityGroup.from_lookup_by_id(stack, f"Group{n}", f"sg-{n}") for n in range(2)]

    assert len(_store(stack, "Cache", security_groups=groups).security_groups) == 2


def test_a_vpc_that_is_not_looked_up_yet_is_not_compared_with_that_of_a_security_group() -> None:
    stack = cdk.Stack(cdk.App(), "Stack", env=_ENV)
    vpc = ec2.Vpc.from_vpc_attributes(stack, "Same", vpc_id="vpc-1", availability_zones=["eu-west-1a"])
    network = RedisNetwork(stack, "LookedUp", vpc=ec2.Vpc.from_lookup(stack, "Vpc", vpc_id="vpc-1"))
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)

    assert _store(stack, "Cache", network=network, security_groups=[group], shards=100).security_groups == [group]
