import math
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match, Template
from constructs import Construct

from cdk_redis._core.errors import ConfigurationError, Problems
from cdk_redis._network.network import RedisNetwork, network_of

KNOWN = cdk.Environment(account="123456789012", region="eu-west-1")
NO_EGRESS = [Match.object_like({"Description": "Disallow all traffic"})]


@pytest.fixture(scope="module")
def minimal() -> tuple[cdk.Stack, RedisNetwork, Template]:
    stack = cdk.Stack(cdk.App(), "Net")
    network = RedisNetwork(stack, "Network")
    return stack, network, Template.from_stack(stack)


# A new VPC


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
    )
    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::EC2::VPC", {"CidrBlock": "192.168.8.0/24"})
    template.has_resource_properties("AWS::EC2::Subnet", {"CidrBlock": "192.168.8.32/28"})
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 7})
    template.has_resource_properties(
        "AWS::EC2::VPCEndpoint",
        {
            "VpcEndpointType": "Interface",
            "PrivateDnsEnabled": True,
            "ServiceName": {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, ".secretsmanager"]]},
            "SubnetIds": [Match.any_value()] * 3,
        },
    )


@pytest.mark.parametrize("zones", [0, 1, 4, 2.0, "3", True])
def test_other_numbers_of_zones_are_refused(zones: Any):
    with pytest.raises(ConfigurationError) as raised:
        RedisNetwork(cdk.Stack(), "Network", zones=zones)
    assert str(raised.value) == f"Default/Network: zones: got {zones!r}, but a network spans 2 or 3 zones"


@pytest.mark.parametrize("cidr", ["10.0.0.0", "10.0.0.0/8", "10.0.0.0/25", "10.0.0.1/16", "::/16", "any", "", None, 5])
def test_an_invalid_cidr_is_refused(cidr: Any):
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


# IPv6


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


# Security group rules


def test_a_store_security_group_allows_clients_on_the_port_and_no_outbound_traffic():
    app = cdk.App()
    network_stack, store_stack = cdk.Stack(app, "Net"), cdk.Stack(app, "Store")
    network = RedisNetwork(network_stack, "Network")
    group = network.create_store_security_group(store_stack, "SecurityGroup", port=6380)
    app.synth()  # raises an error if the stacks depend on each other

    assert (store_stack.dependencies, network_stack.dependencies) == ([network_stack], [])
    template = Template.from_stack(store_stack)
    group_id = store_stack.resolve(group.security_group_id)
    client_group_id = store_stack.resolve(network.client_security_group.security_group_id)
    template.has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "Store Store",
            "SecurityGroupEgress": NO_EGRESS,
            "SecurityGroupIngress": Match.absent(),
        },
    )
    rule = {"IpProtocol": "tcp", "FromPort": 6380, "ToPort": 6380}
    template.resource_properties_count_is("AWS::EC2::SecurityGroupIngress", {}, 1)
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupIngress",
        rule
        | {
            "GroupId": group_id,
            "SourceSecurityGroupId": client_group_id,
            "Description": "From clients of Net/Network",
        },
    )
    template.resource_properties_count_is("AWS::EC2::SecurityGroupEgress", {}, 1)
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupEgress",
        rule | {"GroupId": client_group_id, "DestinationSecurityGroupId": group_id, "Description": "To store Store"},
    )


def test_the_port_can_be_a_token_and_descriptions_are_cut_to_the_limit():
    stack = cdk.Stack()
    deep = cdk.Stack(stack, "x" * 200)
    network = RedisNetwork(deep, "n" * 100)
    port = cdk.Token.as_number(cdk.Fn.ref("Port"))
    network.create_store_security_group(deep, "SecurityGroup", port=port)  # pyright: ignore[reportArgumentType]
    template = Template.from_stack(deep)
    template.has_resource_properties(
        "AWS::EC2::SecurityGroupEgress", {"FromPort": {"Ref": "Port"}, "ToPort": {"Ref": "Port"}}
    )
    for kind in ("SecurityGroup", "SecurityGroupIngress", "SecurityGroupEgress"):
        for resource in template.find_resources(f"AWS::EC2::{kind}").values():
            properties = resource["Properties"]
            assert 0 < len(properties.get("GroupDescription") or properties["Description"]) <= 255


# Secrets Manager


def test_the_secrets_endpoint_allows_only_clients_with_a_rule():
    app = cdk.App()
    network_stack, client_stack = cdk.Stack(app, "Net"), cdk.Stack(app, "Client")
    network = RedisNetwork(network_stack, "Network", secrets_endpoint=True)
    endpoint = network.secrets_endpoint
    assert endpoint is not None
    client = ec2.SecurityGroup(client_stack, "Group", vpc=network.vpc, allow_all_outbound=False)
    client.connections.allow_to_default_port(endpoint, "To Secrets Manager")
    app.synth()

    assert network_stack.dependencies == []
    template = Template.from_stack(network_stack)
    template.resource_count_is("AWS::EC2::VPCEndpoint", 1)
    template.has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "Secrets Manager endpoint of Net/Network",
            "SecurityGroupEgress": NO_EGRESS,
            "SecurityGroupIngress": Match.absent(),
        },
    )
    Template.from_stack(client_stack).has_resource_properties(
        "AWS::EC2::SecurityGroupIngress", {"FromPort": 443, "Description": "To Secrets Manager"}
    )


def existing_vpc(stack: cdk.Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        public_subnet_ids=["subnet-p1", "subnet-p2"],
        private_subnet_ids=["subnet-e1", "subnet-e2"],
        isolated_subnet_ids=["subnet-i1", "subnet-i2"],
    )


def test_a_defined_vpc_gets_a_secrets_endpoint_on_first_use():
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network")
    assert network.secrets_endpoint is None
    endpoint = network.require_secrets_endpoint()
    assert network.require_secrets_endpoint() is network.secrets_endpoint is endpoint
    Template.from_stack(stack).resource_count_is("AWS::EC2::VPCEndpoint", 1)


def test_an_existing_vpc_gets_a_secrets_endpoint_only_if_set():
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network", vpc=existing_vpc(stack), secrets_endpoint=True)
    assert network.require_secrets_endpoint() is network.secrets_endpoint
    Template.from_stack(stack).resource_count_is("AWS::EC2::VPCEndpoint", 1)


def test_an_existing_secrets_endpoint_is_used():
    stack = cdk.Stack()
    endpoint = ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
        stack, "Endpoint", vpc_endpoint_id="vpce-1", port=443
    )
    network = RedisNetwork(stack, "Network", vpc=existing_vpc(stack), secrets_endpoint=endpoint)
    assert network.require_secrets_endpoint() is network.secrets_endpoint is endpoint
    Template.from_stack(stack).resource_count_is("AWS::EC2::VPCEndpoint", 0)


@pytest.mark.parametrize(("own", "given"), [(True, False), (False, None), (False, False)])
def test_requiring_a_secrets_endpoint_that_may_not_be_created_is_refused(own: bool, given: bool | None):
    stack = cdk.Stack()
    network = RedisNetwork(stack, "Network", vpc=None if own else existing_vpc(stack), secrets_endpoint=given)
    with pytest.raises(ConfigurationError) as raised:
        network.require_secrets_endpoint()
    assert str(raised.value) == (
        f"Default/Network: secrets_endpoint: got {given!r}, but a password is read from Secrets Manager, and the "
        "subnets need an endpoint to reach it; set secrets_endpoint=True to create one, or give the one that the VPC "
        "has"
    )


# Values of wrong types


@pytest.mark.parametrize(
    "parameter",
    ["vpc", "vpc_subnets", "zones", "zone_ids", "cidr", "dual_stack", "secrets_endpoint", "flow_log_retention"],
)
@pytest.mark.parametrize("wrong", ["text", b"x", 5, [], [None], math.nan, {}, object(), logs.RetentionDays])
def test_a_value_of_a_wrong_type_is_refused(parameter: str, wrong: Any):
    with pytest.raises(ConfigurationError, match=f"{parameter}: got "):
        RedisNetwork(cdk.Stack(), "Network", **{parameter: wrong})


# The network of a store


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
        ("text", None, None, [f"network: got 'text', {NEEDS}"]),
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


# An existing VPC


def subnet_ids(network: RedisNetwork) -> list[str]:
    return [subnet.subnet_id for subnet in network.subnets]


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
        )
    assert raised.value.problems == (
        "zones: got 2, but it is for a new VPC, and `vpc` is given; leave it out",
        "cidr: got '10.1.0.0/16', but it is for a new VPC, and `vpc` is given; leave it out",
        "flow_log_retention: got <RetentionDays.ONE_DAY: 'ONE_DAY'>, but it is for a new VPC, and `vpc` is given; "
        "leave it out",
    )
