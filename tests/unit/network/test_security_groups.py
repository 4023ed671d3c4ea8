"""Security groups of stores, clients and the endpoint for Secrets Manager."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Match, Template

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._network.network import RedisNetwork
from tests.unit.network.support.vpcs import NO_EGRESS
from tests.unit.support.vpcs import existing_vpc


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
