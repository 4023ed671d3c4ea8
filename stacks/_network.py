"""The network that the stores and their smoke tests share."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_redis import RedisNetwork
from stacks._settings import Settings


class NetworkStack(cdk.Stack):
    """A VPC with isolated subnets, without resources that cost money while idle.

    Attributes:
        network: The network.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings, env: cdk.Environment | None = None) -> None:
        """Define the stack.

        Args:
            scope: The app.
            id: Name of the stack.
            settings: Settings of the environment.
            env: Account and Region. Default: - those of the credentials of the deployment.
        """
        super().__init__(
            scope,
            id,
            env=env,
            description="Isolated subnets for Redis-compatible stores",
            termination_protection=settings.termination_protection,
        )
        self.network = RedisNetwork(self, "Network", zones=settings.zones)

        cdk.CfnOutput(
            self,
            "ClientSecurityGroup",
            value=self.network.client_security_group.security_group_id,
            description="Attach it to what may connect to the stores",
        )
