"""The parameters `network`, `vpc` and `vpc_subnets` of a store."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_redis._core.errors import ConfigurationError, Problems
from cdk_redis._network.network import RedisNetwork, network_of
from tests.unit.network.support.vpcs import subnet_ids
from tests.unit.support.vpcs import existing_vpc


def test_a_store_has_the_given_network():
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network")
    assert network_of(stack, Problems(stack), network, None, None) is network


def test_a_store_defines_a_network_for_the_given_vpc():
    stack = cdk.Stack()
    store = Construct(stack, "Store")
    selection = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    network = network_of(store, Problems(store), None, existing_vpc(stack), selection)
    assert network.node.path == "Default/Store/Network"
    assert subnet_ids(network) == ["subnet-e1", "subnet-e2"]


NEEDS = "but a store needs a RedisNetwork or a VPC; set `network` or `vpc`"


@pytest.mark.parametrize(
    ("network", "vpc", "vpc_subnets", "problems"),
    [
        (None, None, None, [f"network: got None, {NEEDS}"]),
        (
            "a network",
            "a vpc",
            None,
            ["vpc: got 'a VPC', but `network` is given, which has a VPC; leave out one of the two"],
        ),
        (
            "a network",
            None,
            ec2.SubnetSelection(),
            ["vpc_subnets: got 'a selection', but there is no `vpc` to select from; give the `vpc` as well"],
        ),
    ],
)
def test_a_store_needs_either_a_network_or_a_vpc(network: Any, vpc: Any, vpc_subnets: Any, problems: list[str]):
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network") if network == "a network" else network
    found = Problems(stack)
    found.add("port", 80, "ports begin at 1150")

    def check() -> None:
        network_of(stack, found, network, existing_vpc(stack) if vpc else None, vpc_subnets)
        found.raise_if_any()

    with pytest.raises(ConfigurationError) as raised:
        check()
    assert list(raised.value.problems) == ["port: got 80, but ports begin at 1150", *problems]
