"""Stores that share a list of users with another stack."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from cdk_redis import Acl, ElastiCacheUserGroup, MemoryDbCluster, RedisNetwork, ReplicationGroup, SmokeTest

Kind = type[ReplicationGroup] | type[MemoryDbCluster]
KINDS = pytest.mark.parametrize("kind", [ReplicationGroup, MemoryDbCluster])


def _store(kind: Kind, stack: cdk.Stack, network: RedisNetwork, shared: Any) -> ReplicationGroup | MemoryDbCluster:
    parameter = "user_group" if kind is ReplicationGroup else "acl"
    return kind(stack, "Store", network=network, **{parameter: shared})


def _list(kind: Kind, stack: cdk.Stack) -> Acl | ElastiCacheUserGroup:
    return Acl(stack, "List") if kind is MemoryDbCluster else ElastiCacheUserGroup(stack, "List", engine="valkey:8.1")


@KINDS
def test_a_user_is_defined_in_the_stack_of_the_list(kind: Kind) -> None:
    app = cdk.App()
    lists, stores = cdk.Stack(app, "Lists"), cdk.Stack(app, "Stores")
    shared = _list(kind, lists)
    store = _store(kind, stores, RedisNetwork(stores, "Network"), shared)

    user = store.add_iam_user("app", "on ~* +@read")
    test = SmokeTest(stores, "Test", target=store)

    assert cdk.Stack.of(user) is lists
    assert shared.users == [user, test.user]
    service = "MemoryDB" if kind is MemoryDbCluster else "ElastiCache"
    Template.from_stack(lists).resource_count_is(f"AWS::{service}::User", 2)
    Template.from_stack(stores).resource_count_is(f"AWS::{service}::User", 0)


@KINDS
def test_stores_of_several_stacks_may_add_users_of_one_name(kind: Kind) -> None:
    app = cdk.App()
    stacks = [cdk.Stack(app, "First"), cdk.Stack(app, "Second")]
    network, shared = RedisNetwork(stacks[0], "Network"), _list(kind, stacks[0])

    users = [_store(kind, stack, network, shared).add_iam_user("app", "on ~* +@read") for stack in stacks]

    assert len({user.user_name for user in users}) == 2
    Template.from_stack(stacks[1])
