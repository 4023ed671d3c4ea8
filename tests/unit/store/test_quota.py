"""An info about stores that exceed AWS's default quota of nodes."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match

from cdk_redis import MemoryDbCluster, RedisNetwork, ReplicationGroup


@pytest.mark.parametrize(
    ("store", "shards", "replicas"),
    [(ReplicationGroup, 31, 2), (MemoryDbCluster, 91, 0)],
    ids=["ElastiCache", "MemoryDB"],
)
def test_more_nodes_than_the_default_quota_are_an_info(
    stack: cdk.Stack, network: RedisNetwork, store: Any, shards: int, replicas: int
) -> None:
    store(stack, "Store", network=network, shards=shards, replicas=replicas)

    message = Match.string_like_regexp("exceed the default quota of 90 nodes per cluster; AWS raises it on request")
    Annotations.from_stack(stack).has_info("/Stack/Store", message)


def test_as_many_nodes_as_the_default_quota_are_no_info(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Store", network=network, shards=15, replicas=5)

    Annotations.from_stack(stack).has_no_info("/Stack/Store", Match.any_value())
