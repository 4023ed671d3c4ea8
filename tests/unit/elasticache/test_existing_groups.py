"""Existing parameter groups and user groups, in place of those that a store creates."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    ElastiCacheParameterGroup,
    ElastiCacheUserGroup,
    Engine,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
)

VALKEY = Engine.valkey("8.1")


def _properties(stack: cdk.Stack, resource_type: str) -> list[dict[str, Any]]:
    found = Template.from_stack(stack).find_resources(resource_type)
    return [resource["Properties"] for resource in found.values()]


def test_stores_share_a_parameter_group(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = ElastiCacheParameterGroup(
        stack, "Parameters", engine=VALKEY, cluster_mode=True, parameters={"maxmemory-policy": "allkeys-lru"}
    )
    for name in ("One", "Two"):
        store = ReplicationGroup(stack, name, network=network, shards=2, parameter_group=group)
        assert store.parameter_group is group

    assert len(_properties(stack, "AWS::ElastiCache::ParameterGroup")) == 1
    names = [store["CacheParameterGroupName"] for store in _properties(stack, "AWS::ElastiCache::ReplicationGroup")]
    assert names == [stack.resolve(group.parameter_group_name)] * 2


def test_an_imported_parameter_group_is_used_by_name(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = ElastiCacheParameterGroup.from_parameter_group_name(stack, "Parameters", "default.valkey8")
    ReplicationGroup(stack, "Cache", network=network, parameter_group=group)

    (store,) = _properties(stack, "AWS::ElastiCache::ReplicationGroup")
    assert store["CacheParameterGroupName"] == "default.valkey8"


@pytest.mark.parametrize(
    ("of", "given", "message"),
    [
        ({}, {"parameters": {"timeout": "5"}}, "parameters: got {'timeout': '5'}, but `parameter_group` is given; "),
        (
            {},
            {"extra_parameters": {"new": "5"}},
            "extra_parameters: got {'new': '5'}, but `parameter_group` is given; ",
        ),
        ({"engine": Engine.redis("7.1")}, {}, "parameter_group: got 'redis7', but valkey 8.1 is of the family valkey8"),
        ({"cluster_mode": True}, {}, "it has cluster mode on, unlike the store; give the group cluster_mode=False"),
        ({}, {"shards": 1}, "it has cluster mode off, unlike the store; give the group cluster_mode=True"),
    ],
)
def test_an_unsuitable_parameter_group_is_refused(
    of: dict[str, Any], given: dict[str, Any], message: str, stack: cdk.Stack, network: RedisNetwork
) -> None:
    group = ElastiCacheParameterGroup(stack, "Parameters", **{"engine": VALKEY, "cluster_mode": False, **of})

    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network, parameter_group=group, **given)
    assert message in str(caught.value)


def test_parameters_of_a_wrong_type_are_refused_with_a_group(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = ElastiCacheParameterGroup(stack, "Group", engine=Engine.valkey("8.1"), cluster_mode=False)
    parameters: Any = 5
    with pytest.raises(ConfigurationError, match="parameters: got 5, but it takes a mapping such as a dict"):
        ReplicationGroup(stack, "Cache", network=network, parameters=parameters, parameter_group=group)


def test_stores_that_share_a_user_group_share_its_users(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = ElastiCacheUserGroup(stack, "Group", engine=VALKEY)
    orders = ReplicationGroup(stack, "Orders", network=network, user_group=group)
    sessions = ServerlessCache(stack, "Sessions", network=network, user_group=group)
    app = orders.add_iam_user("app", AccessString.read_write("app:*"))
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    sessions.grant_connect(role, user=app)

    assert orders.users == sessions.users == [app]
    assert len(_properties(stack, "AWS::ElastiCache::UserGroup")) == 1
    (store,) = _properties(stack, "AWS::ElastiCache::ReplicationGroup")
    (cache,) = _properties(stack, "AWS::ElastiCache::ServerlessCache")
    assert store["UserGroupIds"] == [cache["UserGroupId"]] == [stack.resolve(group.user_group_id)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"unsafe_open_access": True}, "a store with open access has no users; leave out one of the two"),
        ({"authentication": Authentication.auth_token()}, "a store has users, or an AUTH token; leave out"),
        (
            {"engine": Engine.redis("7.1")},
            "a store of Redis OSS cannot use a user group of Valkey; give the group the engine",
        ),
    ],
)
def test_a_user_group_that_a_store_cannot_use_is_refused(
    given: dict[str, Any], message: str, stack: cdk.Stack, network: RedisNetwork
) -> None:
    group = ElastiCacheUserGroup(stack, "Group", engine=VALKEY)

    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network, user_group=group, **given)
    assert message in str(caught.value)
