"""Versions are compared as precisely as they were declared; a key is found for every shard."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from redis.crc import key_slot

from cdk_redis_runtime._smoke_test.checks.dns import service_of
from cdk_redis_runtime._smoke_test.checks.memory import Memory
from cdk_redis_runtime._smoke_test.checks.nodes import Node, Shard, keys_on
from cdk_redis_runtime._smoke_test.checks.store import engine_mode
from cdk_redis_runtime._smoke_test.checks.topology import engine_of, is_as_declared, replicas_in_sync


@pytest.mark.parametrize(
    ("declared", "seen", "same"),
    [
        (("redis", "7.0"), ("redis", "7.0.15"), True),
        (("redis", "7.1"), ("redis", "7.1.0"), True),
        (("redis", "7"), ("redis", "7.0.15"), True),
        (("redis", "7.0.15"), ("redis", "7.0.15"), True),
        (("redis", "7.0"), ("redis", "7.01"), False),
        (("redis", "7.1"), ("redis", "7.0.15"), False),
        (("redis", "7.1"), ("redis", "7.10.1"), False),
        (("redis", "7.0.1"), ("redis", "7.0.15"), False),
        (("valkey", "7.2"), ("redis", "7.2.4"), False),
        (("valkey", "8.1"), ("valkey", "8.1.3"), True),
    ],
)
def test_version_is_compared_as_precisely_as_declared(
    declared: tuple[str, str], seen: tuple[str, str], same: bool
) -> None:
    assert is_as_declared(*declared, *seen) is same


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"redis_version": "7.0.15"}, ("redis", "7.0.15")),
        ({"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "8.1.3"}, ("valkey", "8.1.3")),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.6"}, ("valkey", "7.2.6")),
        ({"redis_version": "255.255.255", "server_name": "other"}, ("other", "255.255.255")),
    ],
)
def test_engine_and_version_are_read_from_info(info: dict[str, str], expected: tuple[str, str]) -> None:
    assert engine_of(info) == expected


def test_only_replicas_that_are_online_count() -> None:
    info: dict[str, Any] = {
        "connected_slaves": 3,
        "slave0": {"state": "online"},
        "slave1": {"state": "wait_bgsave"},
        "slave2": {"state": "online"},
    }
    assert replicas_in_sync(info) == 2


def _shards(*slots: tuple[int, int]) -> tuple[Shard, ...]:
    unused: Any = None
    return tuple(Shard((each,), Node(unused, unused), ()) for each in slots)


@pytest.mark.parametrize("shards", [1, 2, 3, 90, 500])
def test_each_shard_gets_a_key_in_its_own_slots(shards: int) -> None:
    bounds = [16384 * shard // shards for shard in range(shards + 1)]
    set_of_shards = _shards(*((low, high - 1) for low, high in itertools.pairwise(bounds)))
    keys = keys_on(set_of_shards, "cdk-redis-smoke:")
    assert keys is not None
    assert all(shard.serves(key_slot(key.encode())) for shard, key in zip(set_of_shards, keys, strict=True))
    assert all(key.startswith("cdk-redis-smoke:") for key in keys)


def test_prefix_with_a_hash_tag_reaches_one_slot_only() -> None:
    assert keys_on(_shards((0, 8191), (8192, 16383)), "{tag}:") is None


@pytest.mark.parametrize(
    ("policy", "keys", "expires", "lasting"),
    [
        ("noeviction", 10, 10, 0.8),
        ("noeviction", 0, 0, 0.8),
        ("allkeys-lru", 10, 0, 0.0),
        # Nothing is left to be evicted.
        ("allkeys-lru", 0, 0, 0.8),
        ("volatile-ttl", 10, 0, 0.8),
        ("volatile-ttl", 10, 5, 0.4),
        ("volatile-ttl", 10, 10, 0.0),
    ],
)
def test_share_of_memory_that_cannot_be_evicted_depends_on_the_policy(
    policy: str, keys: int, expires: int, lasting: float
) -> None:
    info: dict[str, Any] = {"used_memory": 80, "maxmemory": 100, "maxmemory_policy": policy}
    # In several databases; the other line begins with the same letters but is no database.
    half = {"keys": keys // 2, "expires": expires // 2}
    rest = {"keys": keys - keys // 2, "expires": expires - expires // 2}
    memory = Memory.of({**info, "db0": half, "db7": rest, "dbs": 3})
    assert memory.lasting_share == pytest.approx(lasting)
    assert not memory.evicts


@pytest.mark.parametrize(("used", "policy", "evicts"), [(90, "allkeys-lru", True), (90, "noeviction", False)])
def test_full_memory_evicts_keys_unless_the_policy_is_noeviction(used: int, policy: str, evicts: bool) -> None:
    assert Memory.of({"used_memory": used, "maxmemory": 100, "maxmemory_policy": policy}).evicts is evicts


def test_memory_without_a_limit_is_never_full() -> None:
    memory = Memory.of({"used_memory": 80, "maxmemory": 0, "maxmemory_policy": "noeviction"})
    assert (memory.share, memory.lasting_share) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("clustercfg.orders.abc123.euw1.cache.amazonaws.com", "elasticache"),
        ("Master.Orders.abc123.cnn1.cache.amazonaws.com.cn.", "elasticache"),
        ("sessions.serverless.euw1.cache.amazonaws.com", "elasticache"),
        ("clustercfg.orders.abc123.memorydb.eu-west-1.amazonaws.com", "memorydb"),
        ("orders-0001-001.orders.abc123.memorydb.cn-north-1.amazonaws.com.cn", "memorydb"),
        ("memorydb.example.com", None),
        ("orders.cache.example.com", None),
        ("vpce-1.s3.eu-west-1.vpce.amazonaws.com", None),
        ("localhost", None),
        ("10.0.0.1", None),
    ],
)
def test_service_is_read_from_the_host_name(host: str, service: str | None) -> None:
    assert service_of(host) == service


@pytest.mark.parametrize(
    ("info", "mode"),
    [({"redis_mode": "cluster"}, "cluster"), ({"server_mode": "standalone"}, "standalone"), ({}, "unknown")],
)
def test_mode_is_read_from_info(info: dict[str, Any], mode: str) -> None:
    assert engine_mode(info) == mode


def test_memory_is_described_with_its_policy() -> None:
    memory = Memory.of({"used_memory": 3 << 19, "maxmemory": 2 << 20, "maxmemory_policy": "allkeys-lru"})
    assert str(memory) == "1.5 of 2.0 MiB are used (75%) and the maxmemory-policy is allkeys-lru"
