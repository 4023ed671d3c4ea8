"""A network, a function and other helpers for tests of replication groups."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from cdk_redis import Engine, RedisNetwork

GROUP = "AWS::ElastiCache::ReplicationGroup"
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
DURABLE = {"engine": Engine.valkey("9.0"), "node_type": "cache.r7g.large", "shards": 1}


def network_in_zones(stack: cdk.Stack) -> RedisNetwork:
    """A network in an imported VPC, whose subnets are in zones with known names."""
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=ZONES,
        isolated_subnet_ids=["subnet-1", "subnet-2", "subnet-3"],
        isolated_subnet_route_table_ids=["rtb-1", "rtb-2", "rtb-3"],
    )
    return RedisNetwork(stack, "Network", vpc=vpc)


def function_in(stack: cdk.Stack, network: RedisNetwork | None) -> lambda_.Function:
    """A function in a network, or outside a VPC."""
    return lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): pass"),
        vpc=network.vpc if network else None,
        vpc_subnets=network.subnet_selection if network else None,
        allow_all_outbound=False if network else None,
    )


def properties_of(stack: cdk.Stack, resource_type: str = GROUP) -> dict[str, Any]:
    """Properties of the only resource of a type in a stack."""
    (resource,) = Template.from_stack(stack).find_resources(resource_type).values()
    return resource["Properties"]
