"""Checks of Regions and zones: MemoryDB is available in some of them only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.tokens import is_token
from cdk_redis._network.zones import (
    MEMORYDB_ZONES,
    MULTI_REGION_REGIONS,
    has_unsupported_zones,
    supported_zones,
    unsupported_zones,
)

if TYPE_CHECKING:
    from cdk_redis._core.errors import Problems
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup

_REGION = "@cdk-redis:memoryDbRegion"
_MULTI_REGION = "@cdk-redis:multiRegionRegion"
_ZONES_BY_NAME = "@cdk-redis:memoryDbZonesByName"


def check_zones(problems: Problems, network: RedisNetwork, subnet_group: ISubnetGroup | None = None) -> None:
    """Check that MemoryDB supports the zones of the subnets; it refuses others with ``SubnetNotAllowedFault``.

    Args:
        problems: Where to add problems.
        network: The network of the cluster.
        subnet_group: An existing subnet group. Its subnets are unknown here: with one, nothing is checked.
    """
    region = cdk.Stack.of(network).region
    if subnet_group is not None or is_token(region) or network.zone_ids is None:
        return
    refused = unsupported_zones(region, [zone for zone in network.zone_ids if not is_token(zone)])
    if refused:
        reason = f"MemoryDB does not support subnets in {', '.join(refused)}"
        hint = f"give the network zone_ids from {', '.join(supported_zones(region) or ())}"
        problems.add("network", network.node.path, reason, hint)


def inform_of_zones(group: cdk.Resource, network: RedisNetwork) -> None:
    """Add an info message if the network chooses zones by name in a Region that has zones without MemoryDB."""
    region = cdk.Stack.of(network).region
    if is_token(region) or network.zone_ids is not None or not has_unsupported_zones(region):
        return
    cdk.Annotations.of(group).add_info_v2(
        _ZONES_BY_NAME,
        f"MemoryDB supports subnets in {', '.join(supported_zones(region) or ())} only. The network names its zones, "
        "and a name stands for another zone in each account. `aws ec2 describe-availability-zones` lists the zone ids; "
        "select the subnets with `vpc_subnets`",
    )


def warn_of_region(resource: cdk.Resource, *, multi_region: bool = False) -> None:
    """Add a warning if AWS's guide does not list the Region; a Region that is a token passes.

    A warning and not an error: AWS adds Regions, and CloudFormation reports a resource type that it lacks within
    seconds.

    Args:
        resource: The construct that gets the warning.
        multi_region: Whether it is a Multi-Region cluster, or a member of one.
    """
    region, listed = cdk.Stack.of(resource).region, MULTI_REGION_REGIONS if multi_region else tuple(MEMORYDB_ZONES)
    if is_token(region) or region in listed:
        return
    what = "MemoryDB Multi-Region" if multi_region else "MemoryDB"
    cdk.Annotations.of(resource).add_warning_v2(
        _MULTI_REGION if multi_region else _REGION,
        f"AWS does not list {region} for {what}, but {', '.join(listed)}",
    )
