"""Subnet groups: the subnets that MemoryDB places the nodes of a cluster in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.taken_names import check_not_taken
from cdk_redis._memorydb.regions import check_zones, inform_of_zones
from cdk_redis._network.subnet_groups import LONGEST_NAME, ImportedSubnetGroup, ISubnetGroup, describe_subnets
from cdk_redis._store.parameter_groups import MEMORYDB

if TYPE_CHECKING:
    from cdk_redis._network.network import RedisNetwork


class MemoryDbSubnetGroup(cdk.Resource):
    """A subnet group for MemoryDB clusters.

    Defines one ``AWS::MemoryDB::SubnetGroup``. A cluster creates its own unless you give it one.

    Attributes:
        service: Name of its service, ``"MemoryDB"``.
        resource: The L1 construct.
    """

    service = MEMORYDB

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        network: RedisNetwork,
        description: str | None = None,
        subnet_group_name: str | None = None,
    ) -> None:
        """Define the group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            network: Network whose subnets the group contains.
            description: Text shown in the console. Default: - the path of the network.
            subnet_group_name: Name of the group, 1 to 255 lower-case letters, digits and single hyphens.
                CloudFormation cannot replace a group with a name that you give, and a change of the VPC replaces it.
                Default: - a unique name, new when the VPC is replaced.

        Raises:
            ConfigurationError: If the name is not allowed, or MemoryDB does not support the zones of the network.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        problems = Problems(self)
        check_zones(problems, network)
        check_name(problems, "subnet_group_name", subnet_group_name, max_length=LONGEST_NAME)
        check_not_taken(problems, "subnet_group_name", subnet_group_name, scope=self, kind="subnet group")
        problems.raise_if_any()

        # A group cannot move to another VPC, and no property of it names the VPC.
        generated = unique_name(self, max_length=LONGEST_NAME, replaced_by=network.vpc.vpc_id)
        self.resource = define(
            memorydb.CfnSubnetGroup,
            self,
            "Resource",
            subnet_group_name=subnet_group_name or generated,
            description=describe_subnets(network) if description is None else description,
            subnet_ids=[subnet.subnet_id for subnet in network.subnets],
        )
        inform_of_zones(self, network)

    @classmethod
    @checked_arguments
    def from_subnet_group_name(cls, scope: Construct, id: str, name: str) -> ISubnetGroup:
        """Import an existing group.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            name: Name of the group.

        Raises:
            ConfigurationError: If the name is invalid.
        """
        return ImportedSubnetGroup(scope, id, name, MEMORYDB)

    @property
    def subnet_group_name(self) -> str:
        """Name of the group; a token."""
        return self.resource.ref
