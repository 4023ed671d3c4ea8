"""Whether what is written can be read, on every shard and from every replica."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, Problem, count, failed, passed
from cdk_redis_runtime._smoke_test.checks.memory import Memory
from cdk_redis_runtime._smoke_test.checks.nodes import Node, Shard, send_together
from cdk_redis_runtime._smoke_test.clock import Result, side_by_side
from cdk_redis_runtime._smoke_test.diagnosis import FindingError
from cdk_redis_runtime._smoke_test.report import Outcome

# Long enough for any run, and short enough to do no harm if a run is cut off before it cleans up.
TTL_SECONDS = 60
"""Time to live of each key."""
_REPLICATION_PAUSE = 0.02

_WRITE_EXPECTED = "a value written on each shard is read back, and deleted"
_WRITE_PROVES = "every shard stores and returns data"
_REPLICA_EXPECTED = "a value written on each shard is read from each of its replicas"
_REPLICA_PROVES = "every replica returns what was written to its primary"
_READER_IS_PRIMARY = (
    "the reader endpoint leads to a primary: a failover is not over, or it is the primary endpoint; give the reader "
    "endpoint"
)
_NO_READER = (
    "without the reader endpoint the replicas cannot be read: give --reader, or declare the store without replicas"
)
_NO_REPLICAS_SHOWN = "the service chooses the number of replicas and shows none"

_DURABILITY_EXPECTED = "a replica of each shard acknowledges a write"
_DURABILITY_PROVES = "a write that was acknowledged is on more than one node"


def _check_write_read(context: Context) -> Outcome:
    pairs = context.shards_and_keys("write")
    # The client that an application uses, which finds the shards itself.
    with contextlib.ExitStack() as stack:
        try:
            client = stack.enter_context(context.store.application_client())
        except (RedisError, RedisClusterException) as error:
            return failed(context.problem("the cluster client could not connect", error), _WRITE_EXPECTED)
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
            raise FindingError("the value read is not the one written: two stores share one name", heals=False)


def _gone(context: Context, shard: Shard) -> FindingError:
    """Why a key that was just written does not exist."""
    infos = {result.item: result.value for result in context.store.infos() if result.value}
    memory = Memory.of(infos.get(shard.primary, {}))
    if memory.evicts:
        words = f"it was evicted: {memory}; use a larger node type, more shards or another policy"
    else:
        words = "a failover lost it, another client deleted it, or two stores share one name"
    return FindingError(f"the key is gone right after it was written: {words}", heals=True)


def _of_each_shard(
    context: Context, results: Sequence[Result[tuple[Shard, str], Any]], proves: str, expected: str
) -> Outcome:
    problems = _errors_of_shards(context, results)
    observed = f"{len(results) - len(problems)} of {count(len(results), 'shard')}"
    return failed(problems, expected, observed) if problems else passed(proves, expected, observed)


def _errors_of_shards(context: Context, results: Sequence[Result[tuple[Shard, str], Any]]) -> list[Problem]:
    return [context.problem(f"shard of {result.item[0].primary}", result.error) for result in results if result.error]


def _check_replica_read(context: Context) -> Outcome:
    pairs = context.shards_and_keys("replica")
    if not context.connection.cluster_mode and context.connection.reader is None:
        return failed(_NO_READER, _REPLICA_EXPECTED)

    def read_everywhere(pair: tuple[Shard, str]) -> tuple[list[Problem], float]:
        return _read_from_replicas(context, *pair)

    results = side_by_side(read_everywhere, pairs, context.clock.remaining_for_checks)
    problems = [problem for result in results if result.value for problem in result.value[0]]
    problems += _errors_of_shards(context, results)
    if problems:
        return failed(problems, _REPLICA_EXPECTED)
    lag = f"each write was there within {max(result.value[1] for result in results if result.value) * 1000:.1f} ms"
    replicas = sum(len(shard.replicas) for shard, _ in pairs)
    if not context.connection.cluster_mode:
        # DNS decides which replicas the reader endpoint leads to; topology finds whether all are in sync.
        seen = f"read over {count(replicas, 'connection')} to the reader endpoint; {lag}"
        return passed(_REPLICA_PROVES, _REPLICA_EXPECTED, seen)
    return passed(_REPLICA_PROVES, _REPLICA_EXPECTED, f"read from {count(replicas, 'replica')}; {lag}")


def _no_replicas_to_read(context: Context) -> str | None:
    if context.declared.replicas == 0:
        return "the store is declared without replicas"
    return _NO_REPLICAS_SHOWN if _shows_no_replicas(context) else None


def _shows_no_replicas(context: Context) -> bool:
    """Whether the service chooses the number of replicas, and CLUSTER SLOTS lists none."""
    return context.declared.replicas is None and not any(shard.replicas for shard in context.store.shards())


def _read_from_replicas(context: Context, shard: Shard, key: str) -> tuple[list[Problem], float]:
    """Write on a shard's primary and read from its replicas; returns their problems and the longest lag in seconds."""
    if not shard.replicas and context.declared.replicas is None:
        return [], 0.0
    if not shard.replicas:
        # CLUSTER SLOTS lists a replica as soon as its copy is complete.
        words = f"shard of {shard.primary}: no replica in service to read from; see topology"
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
    # READONLY holds for one connection, so it is sent together with the read. A replica without cluster mode needs
    # none, but a reader endpoint may lead to a primary.
    first = ("READONLY",) if context.connection.cluster_mode else ("INFO", "replication")
    started = time.monotonic()
    while True:
        info, answer = send_together(node, [first, ("GET", key)])
        waited = time.monotonic() - started
        if isinstance(info, dict) and info.get("role") == "master":
            raise FindingError(_READER_IS_PRIMARY, heals=True)
        if answer == value:
            return waited
        if answer is not None:
            raise FindingError("the value read is not the one written: it is another store", heals=False)
        # A new replica gets nothing before its first report to the primary, which takes up to a second.
        if waited > context.clock.step_seconds:
            if shard.primary.client.get(key) is None:
                raise _gone(context, shard)
            raise FindingError(
                f"a write did not arrive within {waited:.1f} s: the replica lags, or its link to the primary is down",
                heals=True,
            )
        time.sleep(_REPLICATION_PAUSE)


def _check_durability(context: Context) -> Outcome:
    results = side_by_side(
        lambda pair: _write_and_wait(context, pair[0].primary, pair[1]),
        context.shards_and_keys("durable"),
        context.clock.remaining_for_checks,
    )
    return _of_each_shard(context, results, _DURABILITY_PROVES, _DURABILITY_EXPECTED)


def _no_replicas_to_wait_for(context: Context) -> str | None:
    if context.connection.service == env.MEMORYDB:
        return (
            "MemoryDB acknowledges a write once it is in its log in several Availability Zones: there is no replica "
            "to wait for"
        )
    if context.declared.replicas == 0:
        return "the store is declared without replicas: a write is lost with its node"
    return _NO_REPLICAS_SHOWN if _shows_no_replicas(context) else None


def _write_and_wait(context: Context, primary: Node, key: str) -> None:
    # Less than the client waits for an answer.
    wait_ms = int(context.clock.step_seconds * 700)
    with context.written(primary.client, key):
        # WAIT counts the replicas that have the writes of its own connection, so both go over one.
        commands = [("SET", key, "durable", "EX", str(TTL_SECONDS)), ("WAIT", "1", str(wait_ms))]
        if int(send_together(primary, commands)[-1]) < 1:
            raise FindingError(
                f"no replica acknowledged a write within {wait_ms / 1000:g} s: the replicas lag, or their links to the "
                "primary are down; a failover now would lose acknowledged writes",
                heals=True,
            )


WRITE_READ = Check("write-read", _WRITE_PROVES, _check_write_read)
REPLICA_READ = Check("replica-read", _REPLICA_PROVES, _check_replica_read, not_applicable=_no_replicas_to_read)
DURABILITY = Check("durability", _DURABILITY_PROVES, _check_durability, not_applicable=_no_replicas_to_wait_for)
