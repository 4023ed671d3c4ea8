"""An info about what exceeds a default quota of AWS: nodes of a store, users of a list."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match

from cdk_redis import (
    Acl,
    ElastiCacheUser,
    ElastiCacheUserGroup,
    MemoryDbCluster,
    MemoryDbUser,
    RedisNetwork,
    ReplicationGroup,
)


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


@pytest.mark.parametrize(("number", "informs"), [(100, False), (101, True)])
@pytest.mark.parametrize(
    ("make_list", "make_user"),
    [
        (lambda stack: ElastiCacheUserGroup(stack, "Users", engine="valkey:8.1"), ElastiCacheUser),
        (lambda stack: Acl(stack, "Users"), MemoryDbUser),
    ],
    ids=["ElastiCache", "MemoryDB"],
)
def test_more_users_than_the_default_quota_are_an_info(
    stack: cdk.Stack, make_list: Any, make_user: Any, number: int, informs: bool
) -> None:
    users = make_list(stack)

    for index in range(number):
        users.add(make_user.from_user_attributes(stack, f"User{index}", user_name=f"user-{index}"))

    message = Match.string_like_regexp("more than 100 users exceed the default quota of a list")
    found = Annotations.from_stack(stack).find_info("/Stack/Users", message)
    assert bool(found) is informs
