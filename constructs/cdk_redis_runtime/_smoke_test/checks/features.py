"""Whether data types, transactions and messages work.

Every shard runs the same engine, which `topology` proves, so each of these is tried on one shard: the first that
answers.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from redis.client import PubSub
from redis.exceptions import WatchError

from cdk_redis_runtime._smoke_test.checks.context import Check, Context, Problem, failed, passed
from cdk_redis_runtime._smoke_test.checks.data import TTL_SECONDS
from cdk_redis_runtime._smoke_test.checks.nodes import Node
from cdk_redis_runtime._smoke_test.clock import UnfinishedError
from cdk_redis_runtime._smoke_test.diagnosis import diagnose, heals
from cdk_redis_runtime._smoke_test.report import Outcome

T = TypeVar("T")

_TYPES_EXPECTED = "string, hash, list, set, sorted set and stream keep a value, and a key expires"
_TYPES_PROVES = "every common data type keeps its values, and keys expire"
_TRANSACTION_EXPECTED = "EXEC runs the queued commands, but not after a watched key has changed"
_TRANSACTION_PROVES = "transactions and optimistic locking work"
_PUBSUB_EXPECTED = "a published message reaches its subscriber"
_PUBSUB_PROVES = "published messages reach their subscribers"

_EXPIRES_AFTER_MS = 5
_PAUSE = 0.002
_CONFIRMATIONS = ("subscribe", "ssubscribe")
_MESSAGES = ("message", "smessage")


def _check_data_types(context: Context) -> Outcome:
    def keep_and_expire(node: Node, key: str) -> list[str]:
        # In the same slot, and written first: it expires while the types are tried.
        short_lived = f"{key}{{{key}}}"
        with context.written(node.client, key, short_lived):
            node.client.set(short_lived, "short-lived", px=_EXPIRES_AFTER_MS)
            wrong = _types_that_lose(node, key, secrets.token_hex(8))
            if not _expires(context, node, short_lived):
                wrong.append("expiry")
        return wrong

    wrong = _on_one_shard(context, "types", _TYPES_EXPECTED, keep_and_expire)
    if isinstance(wrong, Outcome):
        return wrong
    if wrong:
        return failed(f"the engine lost a value, or kept an expired key: {', '.join(wrong)}", _TYPES_EXPECTED)
    return passed(_TYPES_PROVES, _TYPES_EXPECTED, _TYPES_EXPECTED)


def _types_that_lose(node: Node, key: str, value: str) -> list[str]:
    # One transaction and one key, deleted after each type: other clients never see any of it.
    pipeline: Any = node.client.pipeline(transaction=True)
    with pipeline as queue:
        queue.set(key, value, ex=TTL_SECONDS).get(key).delete(key)
        queue.hset(key, "field", value).expire(key, TTL_SECONDS).hget(key, "field").delete(key)
        queue.rpush(key, value).expire(key, TTL_SECONDS).lrange(key, 0, -1).delete(key)
        queue.sadd(key, value).expire(key, TTL_SECONDS).smembers(key).delete(key)
        queue.zadd(key, {value: 1}).expire(key, TTL_SECONDS).zrange(key, 0, -1).delete(key)
        queue.xadd(key, {"field": value}).expire(key, TTL_SECONDS).xrange(key).delete(key)
        answers = queue.execute()
    kept = {
        "string": answers[1] == value,
        "hash": answers[5] == value,
        "list": answers[9] == [value],
        "set": list(answers[13]) == [value],
        "sorted set": answers[17] == [value],
        "stream": [fields for _, fields in answers[21]] == [{"field": value}],
    }
    return [name for name, is_kept in kept.items() if not is_kept]


def _expires(context: Context, node: Node, key: str) -> bool:
    give_up = time.monotonic() + context.clock.step_seconds
    while node.client.get(key) is not None:
        if time.monotonic() > give_up:
            return False
        time.sleep(_PAUSE)
    return True


def _check_transaction(context: Context) -> Outcome:
    def commit_and_conflict(node: Node, key: str) -> list[str]:
        pipeline: Any = node.client.pipeline(transaction=True)
        with context.written(node.client, key), pipeline as queue:
            queue.set(key, "first", ex=TTL_SECONDS).get(key)
            answered = queue.execute() == [True, "first"]
            problems = [] if answered else ["EXEC did not return the answers of the queued commands"]
            queue.watch(key)
            # A change over the watching connection counts, too.
            queue.set(key, "second", ex=TTL_SECONDS)
            queue.multi()
            queue.set(key, "third", ex=TTL_SECONDS)
            try:
                queue.execute()
                problems.append("EXEC ran although a watched key had changed")
            except WatchError:
                pass
        return problems

    problems = _on_one_shard(context, "transaction", _TRANSACTION_EXPECTED, commit_and_conflict)
    if isinstance(problems, Outcome):
        return problems
    if problems:
        return failed(problems, _TRANSACTION_EXPECTED)
    return passed(_TRANSACTION_PROVES, _TRANSACTION_EXPECTED, "one transaction ran, one was refused")


def _check_pubsub(context: Context) -> Outcome:
    sharded = context.connection.cluster_mode and _has_sharded_pubsub(context.declared.engine_version)

    def publish_and_receive(node: Node, channel: str) -> bool:
        message = secrets.token_hex(8)
        with context.store.with_separate_client(node).client.pubsub() as subscriber:
            (subscriber.ssubscribe if sharded else subscriber.subscribe)(channel)
            # A message that is published before the subscription is confirmed would be lost. The time for the message
            # begins after that, so that connecting and signing in do not count.
            if not _received(subscriber, _CONFIRMATIONS, context.clock.step_seconds):
                return False
            node.client.execute_command("SPUBLISH" if sharded else "PUBLISH", channel, message)
            received = _received(subscriber, _MESSAGES, context.clock.step_seconds)
            return received is not None and received["data"] == message

    arrived = _on_one_shard(context, "channel", _PUBSUB_EXPECTED, publish_and_receive)
    if isinstance(arrived, Outcome):
        return arrived
    if not arrived:
        reason = f"a message did not arrive within {context.clock.step_seconds:g} s, or a different one arrived"
        return failed(Problem(reason, heals=True), _PUBSUB_EXPECTED)
    return passed(_PUBSUB_PROVES, _PUBSUB_EXPECTED, "over a sharded channel" if sharded else "over a channel")


def _received(subscriber: PubSub, kinds: Collection[str], seconds: float) -> dict[str, Any] | None:
    """The first message of these kinds; None if none arrives in so many seconds."""
    give_up = time.monotonic() + seconds
    while (left := give_up - time.monotonic()) > 0:
        message: dict[str, Any] | None = subscriber.get_message(timeout=left)
        if message is not None and message["type"] in kinds:
            return message
    return None


def _has_sharded_pubsub(version: str) -> bool:
    return int(version.partition(".")[0]) >= 7


def _on_one_shard(context: Context, name: str, expected: str, action: Callable[[Node, str], T]) -> T | Outcome:
    """Do something on the first shard that answers; a failed outcome if none does."""
    pairs = context.shards_and_keys(name)

    def try_each() -> T:
        last: Exception = UnfinishedError()
        for shard, key in pairs:
            try:
                return action(shard.primary, key)
            except Exception as error:  # noqa: PERF203 - one try a shard
                # Other checks report a shard that does not answer.
                if not heals(error, context.connection):
                    raise
                last = error
        raise last

    try:
        return context.clock.in_time(try_each)
    except Exception as error:
        diagnosis = diagnose(error, context.connection)
        return failed(Problem(diagnosis.reason, diagnosis.heals), expected)


DATA_TYPES = Check("data-types", _TYPES_PROVES, _check_data_types)
TRANSACTION = Check("transaction", _TRANSACTION_PROVES, _check_transaction)
PUBSUB = Check("pubsub", _PUBSUB_PROVES, _check_pubsub)
