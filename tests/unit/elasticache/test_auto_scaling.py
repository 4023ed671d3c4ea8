"""Errors of auto scaling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest

from cdk_redis import ConfigurationError, RedisNetwork, ReplicationGroup, ShardPlacement
from tests.unit.elasticache.support.replication_groups import network_in_zones


@pytest.fixture
def network(stack: cdk.Stack) -> RedisNetwork:
    return network_in_zones(stack)


_SCALE = "use one such as cache.r7g.large"
SCALED: dict[str, tuple[dict[str, Any], Callable[[ReplicationGroup], object], str]] = {
    "a burstable node": (
        {"shards": 2},
        lambda cache: cache.scale_shards(minimum=1, maximum=3),
        "Stack/Cache: node_type: got 'cache.t4g.small', but ElastiCache scales r8g, r8gd, r7g, r7gd, r6g, r6gd, r5, "
        f"m8g, m7g, m6g, m5, c8gn, c7gn nodes of the sizes large, xlarge, 2xlarge; {_SCALE}",
    ),
    "too many replicas": (
        {"shards": 2, "node_type": "cache.r7g.large"},
        lambda cache: cache.scale_replicas(minimum=1, maximum=6),
        "Stack/Cache: maximum: got 6, but a store scales from 1 to 5 replicas",
    ),
    "a store with placement": (
        {
            "shards": 1,
            "node_type": "cache.r7g.large",
            "placement": [ShardPlacement("eu-west-1a", "eu-west-1b")],
        },
        lambda cache: cache.scale_replicas(minimum=1, maximum=2),
        "Stack/Cache: replicas: got 1, but ElastiCache does not scale a store with `placement`; leave out `placement`",
    ),
    "a target out of range": (
        {"shards": 2, "node_type": "cache.r7g.large"},
        lambda cache: cache.scale_shards(minimum=1, maximum=3).track_cpu(90),
        "Stack/Cache/ShardScaling: percent: got 90, but ElastiCache accepts 35 to 70 percent",
    ),
    "a cooldown as text": (
        {"shards": 2, "node_type": "cache.r7g.large"},
        lambda cache: cache.scale_shards(minimum=1, maximum=3).track_cpu(60, scale_in_cooldown=cast("Any", "10m")),
        "Stack/Cache/ShardScaling: scale_in_cooldown: got text, but it takes cdk.Duration",
    ),
    "a target that is None": (
        {"shards": 2, "node_type": "cache.r7g.large"},
        lambda cache: cache.scale_replicas(minimum=1, maximum=3).track_cpu(cast("Any", None)),
        "Stack/Cache/ReplicaScaling: percent: got None, but it must be a whole number",
    ),
    "memory of nodes with data tiering": (
        {"shards": 2, "node_type": "cache.r6gd.xlarge"},
        lambda cache: cache.scale_shards(minimum=1, maximum=3).track_memory(60),
        "Stack/Cache/ShardScaling: percent: got 60, but nodes with data tiering use all their memory before their "
        "disks; use `track_capacity`",
    ),
}


@pytest.mark.parametrize(("given", "scale", "message"), SCALED.values(), ids=SCALED.keys())
def test_invalid_scaling_is_refused(
    stack: cdk.Stack,
    network: RedisNetwork,
    given: dict[str, Any],
    scale: Callable[[ReplicationGroup], object],
    message: str,
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, **given)
    with pytest.raises(ConfigurationError) as caught:
        scale(cache)

    assert str(caught.value) == message
