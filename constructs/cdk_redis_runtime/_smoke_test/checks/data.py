"""Whether what is written can be read, on every shard and from every replica."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.cluster import RedisCluster
from redis.crc import key_slot
from redis.exceptions import RedisClusterException, RedisError

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, Problem, count, failed, passed, skipped
from cdk_redis_runtime._smoke_test.checks.memory import Memory
from cdk_redis_runtime._smoke_test.checks.nodes import Node, Shard, do_at_once
from cdk_redis_runtime._smoke_test.clock import Done, side_by_side
from cdk_redis_runtime._smoke_test.diagnosis import FindingError
from cdk_redis_runtime._smoke_test.report import Outcome

# Long enough for any run, short enough to be no burden where a run is cut off before it cleans up.
TTL_SECONDS = 60
"""Time to live of each key."""
_MOST_TRIES = 500_000
_REPLICATION_PAUSE = 0.02

_WRITE_EXPECTED = "a value written on each shard is read back, and deleted"
_WRITE_PROVES = "the store takes and returns data on every shard"
_REPLICA_EXPECTED = "a value written on each shard is read from each of its replicas"
_REPLICA_PROVES = "every replica serves what its primary was given"
_READER_IS_PRIMARY = (
    "the reader endpoint leads to a primary, by which no replica is read: a failover is not over, or it is the primary "
    "endpoint; give the reader endpoint"
)
_NO_READER = (
    "no reader endpoint is given, by which the replicas are read: give --reader, or declare the store without replicas"
)

_DURABILITY_EXPECTED = "a replica of each shard acknowledges a write"
_DURABILITY_PROVES = "a write that was acknowledged is on more than one node"


def _check_write_read(context: Context) -> Outcome:
    shards = context.store.shards()
    keys = keys_on(shards, context.keys("write"))
    if keys is None:
        return failed(no_key(context), _WRITE_EXPECTED)
    # Through the client that an application uses, which finds its own way to the shards.
    with contextlib.ExitStack() as stack:
        try:
            client = stack.enter_context(context.store.application_client())
        except (RedisError, RedisClusterException) as error:
            return failed(context.problem("the client found no way in", error), _WRITE_EXPECTED)
        pairs = list(zip(shards, keys, strict=True))
        results = side_by_side(
            lambda pair: _write_and_read(context, client, *pair), pairs, context.clock.remaining_for_checks
        )
    return _of_each_shard(context, results, _WRITE_PROVES, _WRITE_EXPECTED)


def _write_and_read(context: Context, client: Redis | RedisCluster, shard: Shard, key: str) -> None:
    value = secrets.token_hex(16)
    with context.written(client, key):
        client.set(key, value, ex=TTL_SECONDS)
        read = client.get(key)
        if read is None:
            raise _gone(context, shard)
        if read != value:
            raise FindingError("another value was read than was written: two stores answer by one name", heals=False)


def _gone(context: Context, shard: Shard) -> FindingError:
    """Why a key is not there that was just written."""
    infos = {result.item: result.value for result in context.store.infos() if result.value}
    memory = Memory.of(infos.get(shard.primary, {}))
    if memory.evicts:
        words = f"it was evicted at once: {memory}; take a larger node type or more shards, or another policy"
    else:
        words = "a failover lost it, another client deleted it, or two stores answer by one name"
    return FindingError(f"what was written is gone: {words}", heals=True)


def _of_each_shard(
    context: Context, results: Sequence[Done[tuple[Shard, str], Any]], proves: str, expected: str
) -> Outcome:
    problems = [
        context.problem(f"shard of {result.item[0].primary}", result.error) for result in results if result.error
    ]
    observed = f"{len(results) - len(problems)} of {count(len(results), 'shard')}"
    return failed(problems, expected, observed) if problems else passed(proves, expected, observed)


def _check_replica_read(context: Context) -> Outcome:
    if context.declared.replicas == 0:
        return skipped("the store is declared without replicas")
    shards = context.store.shards()
    if not context.connection.cluster_mode and context.connection.reader is None:
        return failed(_NO_READER, _REPLICA_EXPECTED)
    if context.declared.replicas is None and not any(shard.replicas for shard in shards):
        return skipped("the service chooses the replicas, and shows none")
    keys = keys_on(shards, context.keys("replica"))
    if keys is None:
        return failed(no_key(context), _REPLICA_EXPECTED)

    def read_everywhere(pair: tuple[Shard, str]) -> tuple[list[Problem], float]:
        return _read_from_replicas(context, *pair)

    pairs = list(zip(shards, keys, strict=True))
    results = side_by_side(read_everywhere, pairs, context.clock.remaining_for_checks)
    problems = [problem for result in results if result.value for problem in result.value[0]]
    problems += [
        context.problem(f"shard of {result.item[0].primary}", result.error) for result in results if result.error
    ]
    if problems:
        return failed(problems, _REPLICA_EXPECTED)
    lag = f"each write was there within {max(result.value[1] for result in results if result.value) * 1000:.1f} ms"
    replicas = sum(len(shard.replicas) for shard in shards)
    if not context.connection.cluster_mode:
        # Which replicas the reader endpoint leads to is decided by DNS; that all are in sync is topology's finding.
        seen = f"read over {count(replicas, 'connection')} to the reader endpoint; {lag}"
        return passed(_REPLICA_PROVES, _REPLICA_EXPECTED, seen)
    return passed(_REPLICA_PROVES, _REPLICA_EXPECTED, f"read from {count(replicas, 'replica')}; {lag}")


def _read_from_replicas(context: Context, shard: Shard, key: str) -> tuple[list[Problem], float]:
    """Write on a shard's primary, read from its replicas; what went wrong with them, and the longest lag in seconds."""
    if not shard.replicas and context.declared.replicas is None:
        return [], 0.0
    if not shard.replicas:
        # It comes into service once its copy is complete.
        words = f"shard of {shard.primary}: has no replica in service to read from; see topology"
        return [Problem(words, heals=True)], 0.0
    value = secrets.token_hex(16)
    with context.written(shard.primary.client, key):
        shard.primary.client.set(key, value, ex=TTL_SECONDS)
        results = side_by_side(
            lambda node: _await_value(context, shard, node, key, value),
            shard.replicas,
            context.clock.remaining_for_checks,
        )
    problems = [context.problem(result.item, result.error) for result in results if result.error]
    return problems, max((result.value for result in results if result.value), default=0.0)


def _await_value(context: Context, shard: Shard, node: Node, key: str, value: str) -> float:
    """Read until the value is there; returns how many seconds that took."""
    # READONLY holds for one connection: it is sent along with the read. Without cluster mode a replica needs none, but
    # a reader endpoint may lead anywhere.
    beside = ("READONLY",) if context.connection.cluster_mode else ("INFO", "replication")
    started = time.monotonic()
    while True:
        said, answer = do_at_once(node, [beside, ("GET", key)])
        waited = time.monotonic() - started
        if isinstance(said, dict) and said.get("role") == "master":
            raise FindingError(_READER_IS_PRIMARY, heals=True)
        if answer == value:
            return waited
        if answer is not None:
            raise FindingError("another value was read than was written: another store answers", heals=False)
        # A young replica is sent nothing before its primary has heard from it, which takes up to a second.
        if waited > context.clock.step_seconds:
            if shard.primary.client.get(key) is None:
                raise _gone(context, shard)
            raise FindingError(
                f"a write did not arrive within {waited:.1f} s: the replica lags, or its link to the primary is down",
                heals=True,
            )
        time.sleep(_REPLICATION_PAUSE)


def _check_durability(context: Context) -> Outcome:
    if context.connection.service == env.MEMORYDB:
        return skipped(
            "MemoryDB acknowledges a write once it is in its log in several Availability Zones: there is no replica "
            "to wait for"
        )
    if context.declared.replicas == 0:
        return skipped("the store is declared without replicas: a write is as durable as its node")
    shards = context.store.shards()
    if context.declared.replicas is None and not any(shard.replicas for shard in shards):
        return skipped("the service chooses the replicas, and shows none to wait for")
    keys = keys_on(shards, context.keys("durable"))
    if keys is None:
        return failed(no_key(context), _DURABILITY_EXPECTED)
    pairs = list(zip(shards, keys, strict=True))
    results = side_by_side(
        lambda pair: _write_and_wait(context, pair[0].primary, pair[1]), pairs, context.clock.remaining_for_checks
    )
    return _of_each_shard(context, results, _DURABILITY_PROVES, _DURABILITY_EXPECTED)


def _write_and_wait(context: Context, primary: Node, key: str) -> None:
    # Less than the client waits for an answer.
    wait_ms = int(context.clock.step_seconds * 700)
    with context.written(primary.client, key):
        # WAIT is about the writes of its own connection: both go together.
        commands = [("SET", key, "durable", "EX", str(TTL_SECONDS)), ("WAIT", "1", str(wait_ms))]
        if int(do_at_once(primary, commands)[-1]) < 1:
            raise FindingError(
                f"no replica acknowledged a write within {wait_ms / 1000:g} s: the replicas lag, or their links to the "
                "primary are down; a failover now would lose acknowledged writes",
                heals=True,
            )


def keys_on(shards: tuple[Shard, ...], prefix: str) -> list[str] | None:
    """Find a key under a prefix for each shard.

    Args:
        shards: Each with its slots.
        prefix: What every key begins with.

    Returns:
        One key a shard, in order; None where a shard cannot be reached by keys of this prefix.
    """
    keys: dict[int, str] = {}
    for number in range(_MOST_TRIES):
        key = f"{prefix}{number}"
        slot = key_slot(key.encode())
        for index, shard in enumerate(shards):
            if index not in keys and shard.serves(slot):
                keys[index] = key
        if len(keys) == len(shards):
            return [keys[index] for index in range(len(shards))]
        # A hash tag in the prefix puts all its keys into one slot, which the first tries show.
        if number == 100 and slot == key_slot(f"{prefix}0".encode()) == key_slot(f"{prefix}1".encode()):
            return None
    return None


def no_key(context: Context) -> str:
    """Why there is no key for each shard."""
    return (
        f"no key that begins with {context.declared.key_prefix!r} belongs to every shard: a prefix with a hash tag "
        "({...}) keeps all its keys in one slot; choose one without braces"
    )


WRITE_READ = Check("write-read", _WRITE_PROVES, _check_write_read)
REPLICA_READ = Check("replica-read", _REPLICA_PROVES, _check_replica_read)
DURABILITY = Check("durability", _DURABILITY_PROVES, _check_durability)
