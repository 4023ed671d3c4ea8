"""Helpers for tests of networks."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk.assertions import Match

from cdk_redis._network.network import RedisNetwork

KNOWN = cdk.Environment(account="123456789012", region="eu-west-1")
NO_EGRESS = [Match.object_like({"Description": "Disallow all traffic"})]


def subnet_ids(network: RedisNetwork) -> list[str]:
    return [subnet.subnet_id for subnet in network.subnets]
