"""Security groups without rules: they allow no traffic until a rule is added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

from cdk_redis._core.naming import description_of

if TYPE_CHECKING:
    from constructs import Construct


def create_security_group(scope: Construct, id: str, vpc: ec2.IVpc, description: str) -> ec2.SecurityGroup:
    """Define a security group without rules."""
    return ec2.SecurityGroup(scope, id, vpc=vpc, description=description_of(description), allow_all_outbound=False)
