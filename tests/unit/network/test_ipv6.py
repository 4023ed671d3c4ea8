"""IPv6 addresses of the subnets of a network."""

from __future__ import annotations

import math
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Match, Template

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._network.network import RedisNetwork
from tests.unit.network.support.vpcs import KNOWN
from tests.unit.support.vpcs import existing_vpc


def test_a_dual_stack_network_has_ipv6_subnets_without_internet_access():
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network", dual_stack=True)
    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EC2::VPCCidrBlock", {"AmazonProvidedIpv6CidrBlock": True})
    block = Match.string_like_regexp("NetworkIpv6Block")
    for number in (0, 1):
        template.has_resource(
            "AWS::EC2::Subnet",
            {
                "Properties": {
                    "CidrBlock": f"10.0.{16 * number}.0/20",
                    "AssignIpv6AddressOnCreation": True,
                    "Ipv6CidrBlock": {"Fn::Select": [number, {"Fn::Cidr": [Match.any_value(), 16, "64"]}]},
                },
                "DependsOn": Match.array_with([block]),
            },
        )
    for kind in ("EgressOnlyInternetGateway", "InternetGateway", "NatGateway", "Route"):
        template.resource_count_is(f"AWS::EC2::{kind}", 0)
    assert network.ipv6 is True


def test_a_dual_stack_network_can_be_placed_by_zone_ids():
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network", dual_stack=True, zone_ids=["use1-az1", "use1-az2", "use1-az4"])
    subnets = Template.from_stack(stack).find_resources("AWS::EC2::Subnet").values()
    assert sorted(subnet["Properties"]["Ipv6CidrBlock"]["Fn::Select"][0] for subnet in subnets) == [0, 1, 2]
    assert network.ipv6 is True


def test_a_defined_vpc_has_ipv4_only_by_default():
    assert RedisNetwork(cdk.Stack(), "Network").ipv6 is False


@pytest.mark.parametrize(
    ("ip_protocol", "ipv6"), [(ec2.IpProtocol.DUAL_STACK, True), (ec2.IpProtocol.IPV4_ONLY, False)]
)
def test_ipv6_of_a_vpc_that_the_app_defines_is_read_from_its_subnets(ip_protocol: ec2.IpProtocol, ipv6: bool):
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network", vpc=ec2.Vpc(stack, "Vpc", max_azs=2, ip_protocol=ip_protocol))
    assert network.ipv6 is ipv6


def test_one_subnet_without_ipv6_makes_a_network_without_ipv6():
    stack = cdk.Stack()
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, ip_protocol=ec2.IpProtocol.DUAL_STACK)
    resource = vpc.private_subnets[1].node.default_child
    assert isinstance(resource, ec2.CfnSubnet)
    resource.ipv6_cidr_block = None
    assert RedisNetwork(stack, "Network", vpc=vpc).ipv6 is False


@pytest.mark.parametrize("dual_stack", [None, True, False])
def test_ipv6_of_an_imported_vpc_is_unknown_unless_stated(dual_stack: bool | None):
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network", vpc=existing_vpc(stack), dual_stack=dual_stack)
    assert network.ipv6 is dual_stack


def test_ipv6_of_a_vpc_that_is_looked_up_is_unknown():
    stack = cdk.Stack(cdk.App(), "Net", env=KNOWN)
    assert RedisNetwork(stack, "Network", vpc=ec2.Vpc.from_lookup(stack, "Vpc", vpc_name="shared")).ipv6 is None


@pytest.mark.parametrize("dual_stack", [0, 1, math.nan])
def test_dual_stack_is_true_or_false(dual_stack: Any):
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(cdk.Stack(), "Network", dual_stack=dual_stack)
    assert str(raised.value) == f"Default/Network: dual_stack: got {dual_stack!r}, but it must be True or False"
