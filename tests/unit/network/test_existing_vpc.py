"""A network in an existing VPC: selection of its subnets."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._network.network import RedisNetwork
from tests.unit.network.support.vpcs import KNOWN, subnet_ids
from tests.unit.support.vpcs import existing_vpc


def test_an_existing_vpc_is_not_changed():
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network", vpc=existing_vpc(stack))
    assert subnet_ids(network) == ["subnet-i1", "subnet-i2"]
    assert network.flow_log_group is None
    template = Template.from_stack(stack)
    assert {resource["Type"] for resource in template.to_json()["Resources"].values()} == {"AWS::EC2::SecurityGroup"}


def test_private_subnets_are_used_if_there_are_no_isolated_ones():
    stack = cdk.Stack()
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    assert subnet_ids(RedisNetwork(stack, "Network", vpc=vpc)) == [s.subnet_id for s in vpc.private_subnets]


def test_subnets_can_be_selected():
    stack = cdk.Stack()
    selection = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    network = RedisNetwork(stack, "Network", vpc=existing_vpc(stack), vpc_subnets=selection)
    assert subnet_ids(network) == ["subnet-e1", "subnet-e2"]


def test_subnets_imported_without_their_zones_are_refused():
    stack = cdk.Stack()
    selection = ec2.SubnetSelection(subnets=[ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-1")])
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(stack, "Network", vpc=existing_vpc(stack), vpc_subnets=selection)
    assert str(raised.value) == (
        "Default/Network: vpc_subnets: got 'a selection', but you cannot reference a Subnet's availability zone "
        "if it was not supplied. Add the availabilityZone when importing using Subnet.fromSubnetAttributes()"
    )


def test_a_vpc_with_tokens_passes():
    stack = cdk.Stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id=cdk.Fn.import_value("Vpc"),
        availability_zones=[cdk.Fn.select(i, cdk.Fn.get_azs()) for i in (0, 1)],
        isolated_subnet_ids=[cdk.Fn.import_value("SubnetA"), cdk.Fn.import_value("SubnetB")],
    )
    network = RedisNetwork(stack, "Network", vpc=vpc)
    assert stack.resolve(subnet_ids(network)) == [{"Fn::ImportValue": "SubnetA"}, {"Fn::ImportValue": "SubnetB"}]


def test_a_vpc_that_is_not_looked_up_yet_passes():
    stack = cdk.Stack(cdk.App(), "Net", env=KNOWN)
    network = RedisNetwork(stack, "Network", vpc=ec2.Vpc.from_lookup(stack, "Vpc", vpc_name="shared"))
    assert len(network.subnets) == 2


@pytest.mark.parametrize(
    "selection",
    [
        ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
        ec2.SubnetSelection(subnet_group_name="Public"),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_public_subnets_are_refused(selection: ec2.SubnetSelection, own: bool):
    stack = cdk.Stack()
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2) if own else existing_vpc(stack)
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(stack, "Network", vpc=vpc, vpc_subnets=selection)
    assert str(raised.value) == (
        "Default/Network: vpc_subnets: got 'public subnets', but a store is never reachable from the internet; "
        "select isolated subnets, or private ones"
    )


@pytest.mark.parametrize("imported", [True, False])
def test_a_public_subnet_among_others_is_refused(imported: bool):
    stack = cdk.Stack()
    vpc = existing_vpc(stack)
    public = vpc.public_subnets[1]
    if imported:
        public = ec2.Subnet.from_subnet_attributes(
            stack, "Public", subnet_id="subnet-p2", availability_zone="eu-west-1b"
        )
    selection = ec2.SubnetSelection(subnets=[vpc.isolated_subnets[0], public])
    with pytest.raises(ConfigurationError, match="got 'public subnets'"):
        RedisNetwork(stack, "Network", vpc=vpc, vpc_subnets=selection)


@pytest.mark.parametrize("zone", ["eu-west-1a", cdk.Fn.select(0, cdk.Fn.get_azs())], ids=["named", "token"])
def test_subnets_in_one_zone_are_refused(zone: str):
    stack = cdk.Stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=[zone], isolated_subnet_ids=["subnet-1"]
    )
    other = ec2.Subnet.from_subnet_attributes(stack, "Other", subnet_id="subnet-2", availability_zone=zone)
    selection = ec2.SubnetSelection(subnets=[*vpc.isolated_subnets, other])
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(stack, "Network", vpc=vpc, vpc_subnets=selection)
    assert str(raised.value) == (
        "Default/Network: vpc_subnets: got '2 subnets in one zone', "
        "but a network needs subnets in 2 zones, so that a store survives the loss of one"
    )


def test_a_vpc_with_public_subnets_only_is_refused():
    stack = cdk.Stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"], public_subnet_ids=["subnet-1", "subnet-2"]
    )
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(stack, "Network", vpc=vpc)
    assert str(raised.value) == (
        "Default/Network: vpc: got 'Default/Vpc', but it has neither isolated nor private subnets; "
        "set vpc_subnets, or leave out vpc to have a VPC defined"
    )


def test_an_empty_selection_is_refused_with_the_reason_of_the_cdk():
    stack = cdk.Stack()
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(
            stack, "Network", vpc=existing_vpc(stack), vpc_subnets=ec2.SubnetSelection(subnet_group_name="none")
        )
    assert str(raised.value) == (
        "Default/Network: vpc_subnets: got 'a selection', but there are no subnet groups with name 'none' in this VPC. "
        "Available names: Public,Private,Isolated"
    )


def test_parameters_of_a_new_vpc_are_refused_with_an_existing_one():
    stack = cdk.Stack()
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(
            stack,
            "Network",
            vpc=existing_vpc(stack),
            zones=2,
            cidr="10.1.0.0/16",
            flow_log_retention=logs.RetentionDays.ONE_DAY,
            flow_log_kms_key=kms.Key(stack, "Key"),
        )
    assert raised.value.problems == (
        "zones: got 2, but it is for a new VPC, and `vpc` is given; leave it out",
        "cidr: got '10.1.0.0/16', but it is for a new VPC, and `vpc` is given; leave it out",
        "flow_log_retention: got <RetentionDays.ONE_DAY: 'ONE_DAY'>, but it is for a new VPC, and `vpc` is given; "
        "leave it out",
        "flow_log_kms_key: got 'a key', but it is for a new VPC, and `vpc` is given; leave it out",
    )
