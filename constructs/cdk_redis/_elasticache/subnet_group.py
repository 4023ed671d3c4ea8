"""Subnet groups: the subnets in which ElastiCache places the nodes of a replication group.

Example:
    >>> import aws_cdk as cdk
    >>> from cdk_redis import RedisNetwork
    >>> stack = cdk.Stack()
    >>> group = ElastiCacheSubnetGroup(stack, "Subnets", network=RedisNetwork(stack, "Network"))
    >>> list(stack.resolve(group.subnet_group_name))
    ['Ref']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_elasticache as elasticache
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.resource import define
from cdk_redis._network.subnet_groups import ImportedSubnetGroup, ISubnetGroup, describe_subnets
from cdk_redis._store.parameter_groups import ELASTICACHE

if TYPE_CHECKING:
    from cdk_redis._network.network import RedisNetwork


class ElastiCacheSubnetGroup(cdk.Resource):
    """A subnet group for replication groups.

    Attributes:
        service: Name of its service, ``"ElastiCache"``.
        resource: The ``AWS::ElastiCache::SubnetGroup``.
    """

    service = ELASTICACHE

    @checked_arguments
    def __init__(self, scope: Construct, id: str, *, network: RedisNetwork, description: str | None = None) -> None:
        """Define the group. CloudFormation chooses its name.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: Network with the subnets.
            description: Text shown in the console. Default: - the path of the network.

        Raises:
            ConfigurationError: If the description is not text.
        """
        super().__init__(scope, id)
        problems = Problems(self)
        problems.raise_if_any()

        self.resource = define(
            elasticache.CfnSubnetGroup,
            self,
            "Resource",
            description=describe_subnets(network) if description is None else description,
            subnet_ids=[subnet.subnet_id for subnet in network.subnets],
        )

    @classmethod
    @checked_arguments
    def from_subnet_group_name(cls, scope: Construct, id: str, name: str) -> ISubnetGroup:
        """Import a group that exists.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            name: Name of the group. ElastiCache stores names in lower case.

        Raises:
            ConfigurationError: If the name is invalid.
        """
        return ImportedSubnetGroup(scope, id, name, ELASTICACHE)

    @property
    def subnet_group_name(self) -> str:
        """Name of the group."""
        return self.resource.ref
