"""An existing VPC, and other helpers for tests of networks."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Match

from cdk_redis._network.network import RedisNetwork

KNOWN = cdk.Environment(account="123456789012", region="eu-west-1")
NO_EGRESS = [Match.object_like({"Description": "Disallow all traffic"})]


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


def subnet_ids(network: RedisNetwork) -> list[str]:
    return [subnet.subnet_id for subnet in network.subnets]
