"""Subnet groups: where a MemoryDB cluster may place its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_memorydb as memorydb
from constructs import Construct

from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import name_problem, unique_name
from cdk_redis._core.resource import define
from cdk_redis._core.tokens import is_token
from cdk_redis._network.subnet_groups import LONGEST_NAME, ImportedSubnetGroup, ISubnetGroup, describe_subnets
from cdk_redis._network.zones import has_other_zones, supported_zones, unsupported_zones

if TYPE_CHECKING:
    from cdk_redis._network.network import RedisNetwork

_ZONES_BY_NAME = "@cdk-redis:memoryDbZonesByName"


class MemoryDbSubnetGroup(cdk.Resource):
    """A subnet group for MemoryDB clusters.

    Attributes:
        resource: The ``AWS::MemoryDB::SubnetGroup``.
    """

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
            network: Network whose subnets it holds.
            description: Text shown in the console. Default: - the path of the network.
            subnet_group_name: Name of the group, 1 to 255 lower-case letters, digits and single hyphens. A group
                named by hand cannot move to another VPC. Default: - a unique name, new when the VPC is another.

        Raises:
            ConfigurationError: If the name is not legal.
        """
        super().__init__(scope, id)
        self._check(network, subnet_group_name)
        _tell_of_other_zones(self, network)
        # The service demands a name, and a group cannot leave its VPC: CloudFormation has to make another.
        generated = unique_name(self, max_length=LONGEST_NAME, replaced_by=network.vpc.vpc_id)
        self.resource = define(
            memorydb.CfnSubnetGroup,
            self,
            "Resource",
            subnet_group_name=generated if subnet_group_name is None else subnet_group_name,
            description=describe_subnets(network) if description is None else description,
            subnet_ids=[subnet.subnet_id for subnet in network.subnets],
        )

    @classmethod
    def from_subnet_group_name(cls, scope: Construct, id: str, name: str) -> ISubnetGroup:
        """Import a group that exists.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            name: Name of the group.

        Raises:
            ConfigurationError: If no group can have that name.
        """
        return ImportedSubnetGroup(scope, id, name)

    @property
    def subnet_group_name(self) -> str:
        """Name of the group."""
        return self.resource.ref

    def _check(self, network: RedisNetwork, name: str | None) -> None:
        problems = Problems(self)
        check_memorydb_zones(problems, network)
        if name is not None and (reason := name_problem(name, max_length=LONGEST_NAME)) is not None:
            problems.add("subnet_group_name", name, reason)
        problems.raise_if_any()


def check_memorydb_zones(problems: Problems, network: RedisNetwork) -> None:
    """Note the zones of a network whose subnets MemoryDB is known to refuse ("SubnetNotAllowedFault")."""
    region = cdk.Stack.of(network).region
    if is_token(region) or network.zone_ids is None:
        return
    refused = unsupported_zones(region, [zone for zone in network.zone_ids if not is_token(zone)])
    if refused:
        reason = f"MemoryDB does not run in {', '.join(refused)}"
        hint = f"give the network zone_ids out of {', '.join(supported_zones(region) or ())}"
        problems.add("network", network.node.path, reason, hint)


def _tell_of_other_zones(group: MemoryDbSubnetGroup, network: RedisNetwork) -> None:
    region = cdk.Stack.of(network).region
    if is_token(region) or network.zone_ids is not None or not has_other_zones(region):
        return
    cdk.Annotations.of(group).add_info_v2(
        _ZONES_BY_NAME,
        f"MemoryDB takes subnets in {', '.join(supported_zones(region) or ())} only, and which of these ids the names "
        "of this network's zones stand for differs from account to account: "
        "`aws ec2 describe-availability-zones` tells, and `vpc_subnets` selects",
    )
