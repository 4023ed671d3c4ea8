"""Free IPv4 addresses of subnets."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2

# AWS reserves the first four addresses of a subnet and the last one.
# https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
_RESERVED = 5
# The smallest subnet is a /28, and a network has two subnets at least.
FEWEST_ADDRESSES = 2 * (2**4 - _RESERVED)


def most_addresses(subnets: Sequence[ec2.ISubnet]) -> int | None:
    """Number of addresses that the subnets have when nothing is in them; None if a CIDR block is not known."""
    free = 0
    for subnet in subnets:
        block = _block_of(subnet)
        if block is None:
            return None
        free += block.num_addresses - _RESERVED
    return free


def _block_of(subnet: ec2.ISubnet) -> ipaddress.IPv4Network | None:
    try:
        text = subnet.ipv4_cidr_block
        return None if is_token(text) else ipaddress.IPv4Network(text)
    except (RuntimeError, ValueError):
        # The CDK raises an error for an imported subnet without a CIDR block.
        return None
