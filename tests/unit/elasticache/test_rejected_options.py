"""Errors of rarely used parameters of replication groups."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from cdk_redis import (
    Authentication,
    ConfigurationError,
    Durability,
    Engine,
    LogDelivery,
    RedisNetwork,
    ReplicationGroup,
    ShardPlacement,
)
from tests.unit.elasticache.support.replication_groups import DURABLE, network_in_zones


@pytest.fixture
def network(stack: cdk.Stack) -> RedisNetwork:
    return network_in_zones(stack)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "two keys": (
        {"kms_key": "key", "create_kms_key": True},
        "create_kms_key: got True, but `kms_key` is given; leave out one of the two",
    ),
    "an unknown parameter": (
        {"parameters": {"maxmemory-polcy": "noeviction"}},
        "parameters: got {'maxmemory-polcy': 'noeviction'}, but family valkey8 has no such parameter; "
        "did you mean 'maxmemory-policy'? a parameter that is newer than this library goes into `extra_parameters`",
    ),
    "a removed parameter": (
        {"parameters": {"lazyfree-lazy-expire": "yes"}},
        "parameters: got {'lazyfree-lazy-expire': 'yes'}, but family valkey8 has no such parameter; "
        "a parameter that is newer than this library goes into `extra_parameters`",
    ),
    "a policy that data tiering does not support": (
        {"node_type": "cache.r6gd.xlarge", "parameters": {"maxmemory-policy": "allkeys-lfu"}},
        "parameters: got {'maxmemory-policy': 'allkeys-lfu'}, but nodes with data tiering support the policies "
        "noeviction, volatile-lru, allkeys-lru",
    ),
    "a parameter twice": (
        {"parameters": {"timeout": "20"}, "extra_parameters": {"timeout": "30"}},
        "extra_parameters: got {'timeout': '30'}, but `parameters` has it too; leave out one of the two",
    ),
    "cluster mode in extra parameters": (
        {"extra_parameters": {"cluster-enabled": "yes"}},
        "extra_parameters: got {'cluster-enabled': 'yes'}, but cluster mode follows from `shards`; leave it out",
    ),
    "an extra parameter that is not text": (
        {"extra_parameters": {"new": 1}},
        "extra_parameters['new']: got 1, but it must be text; write '1'",
    ),
    "a log twice": (
        {"log_delivery": [LogDelivery.slow_log(), LogDelivery.slow_log()]},
        "log_delivery: got 'slow-log', but a log has one destination, and this one is listed twice",
    ),
    "a user's authentication": (
        {"authentication": Authentication.iam()},
        "authentication: got 'iam', but a store has users, or an AUTH token; "
        "leave it out and add users, or use Authentication.auth_token()",
    ),
    "a zone without a subnet": (
        {"placement": [ShardPlacement("eu-west-1a", "eu-west-1f")]},
        "placement: got 'eu-west-1f', but the network's subnets are in eu-west-1a, eu-west-1b, eu-west-1c",
    ),
    "shards without placement": (
        {"shards": 2, "placement": [ShardPlacement("eu-west-1a", "eu-west-1b")]},
        "placement: got '1 shards', but the store has 2; place each shard",
    ),
    "durability without cluster mode": (
        {**DURABLE, "shards": None, "durability": Durability.SYNC},
        "durability: got 'sync', but it needs cluster mode; give a number of `shards`",
    ),
    "durability of an older engine": (
        {**DURABLE, "engine": Engine.valkey("8.2"), "durability": Durability.ASYNC},
        "durability: got 'async', but valkey 8.2 does not support it; use Valkey 9.0 or newer",
    ),
    "durability of a small node": (
        {**DURABLE, "node_type": "cache.t4g.small", "durability": Durability.ASYNC},
        "durability: got 'async', but cache.t4g.small does not support it; use a node type such as cache.r7g.large",
    ),
    "durability without replicas": (
        {**DURABLE, "replicas": 0, "durability": Durability.ASYNC},
        "durability: got 'async', but it needs a replica in each shard; raise `replicas`",
    ),
    "a move to cluster mode with an old engine": (
        {"engine": Engine.redis("6.2"), "cluster_mode_compatible": True},
        "cluster_mode_compatible: got True, but redis 6.2 cannot move to cluster mode; "
        "upgrade it to Valkey, or to Redis OSS 7.0 or newer, in a separate deployment",
    ),
    "a move to cluster mode with a single node": (
        {"replicas": 0, "cluster_mode_compatible": True},
        "cluster_mode_compatible: got True, but the move to cluster mode needs automatic failover; add a replica",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_invalid_parameters_are_refused(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, Any], message: str
) -> None:
    if "kms_key" in given:
        given = {**given, "kms_key": kms.Key(stack, "Key")}
    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network, **given)

    assert str(caught.value) == f"Stack/Cache: {message}"


def test_placement_with_a_token_for_shards_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    shards = cdk.Token.as_number(cdk.Fn.ref("Shards"))

    with pytest.raises(ConfigurationError, match="placement: got 1, but `shards` and `replicas` must be numbers"):
        ReplicationGroup(
            stack, "Cache", network=network, shards=shards, placement=[ShardPlacement("eu-west-1a", "eu-west-1b")]
        )


def test_an_unknown_transit_encryption_mode_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="it must be one of 'preferred', 'required'"):
        ReplicationGroup(stack, "Cache", network=network, transit_encryption_mode="optional")
