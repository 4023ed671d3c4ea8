"""What every store consists of: its attributes, its ports and its security groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdk_redis._access.users import User
    from cdk_redis._core.service import Service
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._values.endpoint import Endpoint


class StoreParts(cdk.Resource):
    """Base class of `IStore`, which describes the attributes."""

    service: Service
    topology: Topology
    store_name: str
    store_arn: str
    endpoint: Endpoint
    reader_endpoint: Endpoint | None = None
    network: RedisNetwork | None
    auth_token: User | None = None
    open_access: bool = False
    read_only: bool = False
    keys_expire: bool = True

    @checked_arguments
    def __init__(self, scope: Construct, id: str, *, port: int, last_port: int | None = None) -> None:
        super().__init__(scope, id)
        self._port = port
        self._last_port = last_port
        self.users: list[User] = []
        self.parameters: dict[str, str] = {}
        self.security_groups: list[ec2.ISecurityGroup] = []

    def _use_security_groups(self, security_groups: Sequence[ec2.ISecurityGroup]) -> None:
        self.security_groups = list(security_groups)
        self._connections = ec2.Connections(security_groups=self.security_groups, default_port=self.ports)

    @property
    def port(self) -> int:
        """Port that it listens on; a serverless cache also listens on the next port, for reads."""
        return self._port

    @property
    def ports(self) -> ec2.Port:
        """Ports in the rules of its security groups."""
        # Lazy, so that the constructor reports an invalid port before ec2.Port does.
        return ec2.Port.tcp(self._port) if self._last_port is None else ec2.Port.tcp_range(self._port, self._last_port)

    @property
    def connections(self) -> ec2.Connections:
        """Security-group rules to and from the store; the default ports are those of the store."""
        return self._connections
