"""VPC endpoints that an instance without internet access needs for Session Manager and for its packages."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_redis._network.network import RedisNetwork
from cdk_redis._network.security_groups import create_security_group

_ID = "SessionEndpoints"


class SessionEndpoints(Construct):
    """The endpoints of a network; all hosts of the network share them.

    Interface endpoints for ``ssm`` and ``ssmmessages``, in one subnet: their private DNS names work in the whole VPC.
    The agent uses ``ec2messages`` only if it cannot reach ``ssmmessages``
    (https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html), so there
    is no endpoint for it. A gateway endpoint for S3, which has the package repositories of Amazon Linux 2023.

    Attributes:
        interfaces: The interface endpoints.
        packages: The gateway endpoint.
    """

    def __init__(self, network: RedisNetwork) -> None:
        """Define the endpoints below the network; see `session_endpoints_of`."""
        super().__init__(network, _ID)
        group = create_security_group(
            self, "SecurityGroup", network.vpc, f"Systems Manager endpoints of {network.node.path}"
        )
        services = {
            "Ssm": ec2.InterfaceVpcEndpointAwsService.SSM,
            "SsmMessages": ec2.InterfaceVpcEndpointAwsService.SSM_MESSAGES,
        }
        self.interfaces = [
            ec2.InterfaceVpcEndpoint(
                self,
                name,
                vpc=network.vpc,
                service=cast("ec2.IInterfaceVpcEndpointService", service),
                subnets=ec2.SubnetSelection(subnets=[network.subnets[0]]),
                security_groups=[group],
                open=False,  # True allows inbound traffic from all addresses of the VPC.
            )
            for name, service in services.items()
        ]
        self.packages = ec2.GatewayVpcEndpoint(
            self,
            "Packages",
            vpc=network.vpc,
            service=cast("ec2.IGatewayVpcEndpointService", ec2.GatewayVpcEndpointAwsService.S3),
            subnets=[network.subnet_selection],
        )
        stack = cdk.Stack.of(self)
        self.packages.add_to_policy(
            iam.PolicyStatement(
                principals=[cast("iam.IPrincipal", iam.AnyPrincipal())],
                actions=["s3:GetObject"],
                resources=[f"arn:{stack.partition}:s3:::al2023-repos-{stack.region}-*/*"],
            )
        )


def session_endpoints_of(network: RedisNetwork) -> SessionEndpoints:
    """Return the endpoints of a network; they are defined on first use."""
    existing = network.node.try_find_child(_ID)
    return existing if isinstance(existing, SessionEndpoints) else SessionEndpoints(network)
