"""The VPC that a network defines: subnets, zones, CIDR block and flow log; and parameters of wrong types."""

from __future__ import annotations

import math
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match, Template

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._network.network import RedisNetwork
from tests.unit.network.support.vpcs import KNOWN, NO_EGRESS


@pytest.fixture(scope="module")
def minimal() -> tuple[cdk.Stack, RedisNetwork, Template]:
    stack = cdk.Stack(cdk.App(), "Net")
    network = RedisNetwork(stack, "Network")
    return stack, network, Template.from_stack(stack)


def test_the_subnets_are_isolated_and_have_no_route_to_the_internet(minimal: tuple[cdk.Stack, RedisNetwork, Template]):
    _, network, template = minimal
    template.resource_count_is("AWS::EC2::Subnet", 2)
    for kind in ("NatGateway", "InternetGateway", "VPCGatewayAttachment", "Route", "EIP", "VPCEndpoint"):
        template.resource_count_is(f"AWS::EC2::{kind}", 0)
    template.has_resource_properties("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": True})
    template.all_resources_properties("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": False})
    assert len(network.subnets) == 2
    assert network.subnet_selection.subnets == network.subnets
    assert len(network.vpc.public_subnets) == 0


def test_the_default_security_group_has_no_rules(minimal: tuple[cdk.Stack, RedisNetwork, Template]):
    minimal[2].resource_count_is("Custom::VpcRestrictDefaultSG", 1)


def test_the_flow_log_role_can_only_write_the_flow_log(minimal: tuple[cdk.Stack, RedisNetwork, Template]):
    stack, network, template = minimal
    assert network.flow_log_group is not None
    log_group_arn = stack.resolve(network.flow_log_group.log_group_arn)
    template.has_resource_properties(
        "AWS::EC2::FlowLog",
        {
            "ResourceType": "VPC",
            "ResourceId": stack.resolve(network.vpc.vpc_id),
            "TrafficType": "ALL",
            "LogDestinationType": "cloud-watch-logs",
            "LogGroupName": stack.resolve(network.flow_log_group.log_group_name),
        },
    )
    template.has_resource("AWS::Logs::LogGroup", {"Properties": {"RetentionInDays": 365}, "DeletionPolicy": "Retain"})
    template.has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": Match.object_like(
                {
                    "Statement": [
                        {
                            "Action": "sts:AssumeRole",
                            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                            "Effect": "Allow",
                            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                        }
                    ]
                }
            )
        },
    )
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": Match.object_like(
                {
                    "Statement": [
                        {
                            "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                            "Effect": "Allow",
                            "Resource": log_group_arn,
                        }
                    ]
                }
            )
        },
    )


def test_the_client_security_group_has_no_rules_at_first(minimal: tuple[cdk.Stack, RedisNetwork, Template]):
    minimal[2].has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "Clients of the stores in Net/Network",
            "SecurityGroupEgress": NO_EGRESS,
            "SecurityGroupIngress": Match.absent(),
        },
    )


@pytest.mark.parametrize(
    ("environment", "zones", "expected"),
    [
        (None, None, ["Fn::Select 0", "Fn::Select 1"]),
        (None, 3, ["Fn::Select 0", "Fn::Select 1", "Fn::Select 2"]),
        # Dummy names of the CDK for the zones of a Region, until its CLI has looked them up.
        (KNOWN, None, ["dummy1a", "dummy1b", "dummy1c"]),
        (KNOWN, 2, ["dummy1a", "dummy1b"]),
    ],
)
def test_a_network_has_the_given_number_of_zones(
    environment: cdk.Environment | None, zones: int | None, expected: list[str]
):
    stack = cdk.Stack(cdk.App(), "Net", env=environment)
    network = RedisNetwork(stack, "Network", zones=zones)
    found = [stack.resolve(subnet.availability_zone) for subnet in network.subnets]
    assert [z if isinstance(z, str) else f"Fn::Select {z['Fn::Select'][0]}" for z in found] == expected


def zones_of(region: cdk.Environment, zones: list[str]) -> dict[str, list[str]]:
    """Context with the zones of a Region, as the CDK CLI looks them up."""
    return {f"availability-zones:account={region.account}:region={region.region}": zones}


def test_two_zones_are_enough_unless_three_are_given():
    app = cdk.App(context=zones_of(KNOWN, ["eu-west-1a", "eu-west-1b"]))
    assert len(RedisNetwork(cdk.Stack(app, "Two", env=KNOWN), "Network").subnets) == 2
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(cdk.Stack(app, "Three", env=KNOWN), "Network", zones=3)
    assert str(raised.value) == (
        "Three/Network: zones: got 3, but eu-west-1 offers this account 2 zones; leave it out, or set it to 2"
    )


def test_a_third_zone_does_not_change_the_first_two_subnets():
    stack = cdk.Stack()
    RedisNetwork(stack, "Two", zones=2)
    RedisNetwork(stack, "Three", zones=3)
    subnets = Template.from_stack(stack).find_resources("AWS::EC2::Subnet")
    blocks = {name[:3]: [] for name in subnets}
    for name, subnet in subnets.items():
        blocks[name[:3]].append(subnet["Properties"]["CidrBlock"])
    assert blocks == {"Two": ["10.0.0.0/20", "10.0.16.0/20"], "Thr": ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]}


def test_every_parameter_of_a_new_vpc_reaches_the_template():
    stack = cdk.Stack()
    RedisNetwork(
        stack,
        "Network",
        zones=3,
        cidr="192.168.8.0/24",
        secrets_endpoint=True,
        flow_log_retention=logs.RetentionDays.ONE_WEEK,
        flow_log_kms_key=kms.Key(stack, "Key"),
    )
    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EC2::VPC", {"CidrBlock": "192.168.8.0/24"})
    template.has_resource_properties("AWS::EC2::Subnet", {"CidrBlock": "192.168.8.32/28"})
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 7, "KmsKeyId": Match.any_value()})
    may_use = Match.object_like(
        {"Principal": {"Service": Match.any_value()}, "Action": Match.array_with(["kms:Encrypt"])}
    )
    template.has_resource_properties("AWS::KMS::Key", {"KeyPolicy": {"Statement": Match.array_with([may_use])}})
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {
            "VpcEndpointType": "Interface",
            "PrivateDnsEnabled": True,
            "ServiceName": {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, ".secretsmanager"]]},
            "SubnetIds": [Match.any_value()] * 3,
        },
    )


@pytest.mark.parametrize("zones", [0, 1, 4])
def test_other_numbers_of_zones_are_refused(zones: int):
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(cdk.Stack(), "Network", zones=zones)
    assert str(raised.value) == f"Default/Network: zones: got {zones!r}, but a network spans 2 or 3 zones"


@pytest.mark.parametrize("cidr", ["10.0.0.0", "10.0.0.0/8", "10.0.0.0/25", "10.0.0.1/16", "::/16", "any"])
def test_an_invalid_cidr_is_refused(cidr: str):
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(cdk.Stack(), "Network", cidr=cidr)
    assert str(raised.value) == (
        f'Default/Network: cidr: got {cidr!r}, but a VPC has an IPv4 block of size /16 to /24, such as "10.0.0.0/16"'
    )


def test_a_cidr_that_is_a_token_is_refused():
    with pytest.raises(ConfigurationError, match="write it out: it is divided into subnets at synth"):
        RedisNetwork(cdk.Stack(), "Network", cidr=cdk.Fn.ref("Cidr"))


def test_a_selection_without_a_vpc_is_refused_and_all_problems_are_listed():
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(cdk.Stack(), "Network", zones=9, vpc_subnets=ec2.SubnetSelection())
    assert str(raised.value) == (
        "Default/Network: 2 problems\n"
        "  - zones: got 9, but a network spans 2 or 3 zones\n"
        "  - vpc_subnets: got 'a selection', but there is no vpc to select from; give the vpc as well"
    )


@pytest.mark.parametrize(
    "parameter",
    [
        "vpc",
        "vpc_subnets",
        "zones",
        "zone_ids",
        "cidr",
        "dual_stack",
        "secrets_endpoint",
        "flow_log_retention",
        "flow_log_kms_key",
    ],
)
@pytest.mark.parametrize("wrong", ["text", b"x", 5, [], [None], math.nan, {}, object(), logs.RetentionDays])
def test_a_value_of_a_wrong_type_is_refused(parameter: str, wrong: Any):
    with pytest.raises(ConfigurationError, match=rf"{parameter}(\[0\])?: got "):
        RedisNetwork(cdk.Stack(), "Network", **{parameter: wrong})
