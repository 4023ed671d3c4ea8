"""An existing VPC, for tests of everything that is placed in one."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2


def existing_vpc(stack: cdk.Stack, **given: Any) -> ec2.IVpc:
    """A VPC with public, private and isolated subnets (``subnet-p1``, ``subnet-e1``, ``subnet-i1``) in two zones."""
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        public_subnet_ids=["subnet-p1", "subnet-p2"],
        private_subnet_ids=["subnet-e1", "subnet-e2"],
        isolated_subnet_ids=["subnet-i1", "subnet-i2"],
        **given,
    )
