"""Subnet groups of both services: the subnets in which the services place the nodes of a store."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.naming import description_of
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from cdk_redis._network.network import RedisNetwork

LONGEST_NAME = 255


class ISubnetGroup(Protocol):
    """A subnet group, defined in this app or imported."""

    @property
    def subnet_group_name(self) -> str:
        """Name of the group; a token when it is defined in this app."""
        ...


class ImportedSubnetGroup(cdk.Resource):
    """A subnet group that another app owns.

    Attributes:
        subnet_group_name: Its name.
        service: Name of its service.
    """

    def __init__(self, scope: Construct, id: str, name: str, service: str) -> None:
        super().__init__(scope, id)
        self.subnet_group_name = name
        self.service = service
        given: object = name
        if is_token(given) or (isinstance(given, str) and re.fullmatch(r"[a-z0-9-]{1,255}", given)):
            return
        reason = f"a name has 1 to {LONGEST_NAME} lower-case letters, digits and hyphens"
        hint = "the services store names in lower case"
        raise ConfigurationError(self.node.path, [problem("name", name, reason, hint)])


def describe_subnets(network: RedisNetwork) -> str:
    """Description of a subnet group, shown in the console."""
    return description_of(f"Subnets of {network.node.path}")
