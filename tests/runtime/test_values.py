"""Versions are compared as precisely as they were declared; a key is found for every shard."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from redis.crc import key_slot

from cdk_redis_runtime._checks._data import keys_on
from cdk_redis_runtime._checks._nodes import Node, Shard
from cdk_redis_runtime._checks._topology import engine_of, is_as_declared, replicas_in_sync


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
def test_engine_is_known_by_its_own_words(info: dict[str, str], expected: tuple[str, str]) -> None:
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
    nobody: Any = None
    return tuple(Shard((each,), Node(nobody, nobody), ()) for each in slots)


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
