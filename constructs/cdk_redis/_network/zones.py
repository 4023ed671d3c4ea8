"""Regions and availability zones that MemoryDB supports.

Example:
    >>> supported_zones("us-east-1")
    ('use1-az1', 'use1-az2', 'use1-az4', 'use1-az5', 'use1-az6')
    >>> supported_zones("mx-central-1") is None
    True

The id of a zone means the same zone in all accounts; a name such as ``us-east-1a`` can mean another zone in another
account. AWS lists the zones that MemoryDB supports by id, but templates usually contain names, whose ids are not known
at synth. ``aws ec2 describe-availability-zones --query "AvailabilityZones[].[ZoneName,ZoneId]"`` lists names and ids of
an account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# https://docs.aws.amazon.com/memorydb/latest/devguide/subnetgroups.html, "Supported MemoryDB AZ IDs"
_PREFIXES = {
    "us-east-2": ("use2", (1, 2, 3)),
    "us-east-1": ("use1", (1, 2, 4, 5, 6)),
    "us-west-1": ("usw1", (1, 2, 3)),
    "us-west-2": ("usw2", (1, 2, 3, 4)),
    "ca-central-1": ("cac1", (1, 2, 4)),
    "ap-east-1": ("ape1", (1, 2, 3)),
    "ap-south-1": ("aps1", (1, 2, 3)),
    "ap-northeast-1": ("apne1", (1, 2, 4)),
    "ap-northeast-2": ("apne2", (1, 2, 3)),
    "ap-southeast-1": ("apse1", (1, 2, 3)),
    "ap-southeast-2": ("apse2", (1, 2, 3)),
    "eu-central-1": ("euc1", (1, 2, 3)),
    "eu-west-1": ("euw1", (1, 2, 3)),
    "eu-west-2": ("euw2", (1, 2, 3)),
    "eu-west-3": ("euw3", (1, 2, 3)),
    "eu-north-1": ("eun1", (1, 2, 3)),
    "eu-south-1": ("eus1", (1, 2, 3)),
    "eu-south-2": ("eus2", (1, 2, 3)),
    "sa-east-1": ("sae1", (1, 2, 3)),
    "cn-north-1": ("cnn1", (1, 2)),
    "cn-northwest-1": ("cnw1", (1, 2, 3)),
    "us-gov-east-1": ("usge1", (1, 2, 3)),
    "us-gov-west-1": ("usgw1", (1, 2, 3)),
}
MEMORYDB_ZONES = {
    region: tuple(f"{prefix}-az{number}" for number in numbers) for region, (prefix, numbers) in _PREFIXES.items()
}
"""Ids of the zones that MemoryDB supports, by Region."""

# Regions with zones that MemoryDB does not support, where every account has all supported zones. In us-west-1, for
# example, an account has only two of the three zones, and which two is not known at synth.
_WITH_UNSUPPORTED_ZONES = ("us-east-1", "ap-northeast-1", "ap-northeast-2", "ca-central-1")

# https://docs.aws.amazon.com/memorydb/latest/devguide/multi-region.prereq.html, "Regional availability"
MULTI_REGION_REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "eu-west-2",
    "ap-northeast-1",
    "ap-southeast-2",
    "ap-south-1",
    "ap-northeast-2",
    "ap-southeast-1",
)
"""Regions where MemoryDB supports members of a Multi-Region cluster."""


def supported_zones(region: str) -> tuple[str, ...] | None:
    """Ids of the zones of a Region that MemoryDB supports; None for a Region that is not in AWS's list."""
    return MEMORYDB_ZONES.get(region)


def unsupported_zones(region: str, zone_ids: Iterable[str]) -> list[str]:
    """Select the zones that MemoryDB does not support; empty for a Region that is not in AWS's list."""
    supported = supported_zones(region)
    return [] if supported is None else [zone for zone in zone_ids if zone not in supported]


def zones_of_other_regions(region: str, zone_ids: Iterable[str]) -> list[str]:
    """Select the ids of zones that are in another Region; empty for a Region that is not in AWS's list.

    The first part of an id stands for the Region: ``use1-az1`` is in us-east-1.
    """
    if region not in _PREFIXES:
        return []
    return [zone for zone in zone_ids if zone.partition("-")[0] != _PREFIXES[region][0]]


def preferred_zones(region: str) -> tuple[str, ...] | None:
    """Ids of the zones that a network should use; None if it may use any zone, or an account may not have them all."""
    return supported_zones(region) if region in _WITH_UNSUPPORTED_ZONES else None


def has_unsupported_zones(region: str) -> bool:
    """Whether a Region has zones that MemoryDB does not support, so that a zone name may mean one of them."""
    return region in (*_WITH_UNSUPPORTED_ZONES, "cn-north-1")
