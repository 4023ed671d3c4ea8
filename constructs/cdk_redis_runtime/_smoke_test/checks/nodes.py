"""Nodes, shards, the keys of a shard, and how commands are sent to a node."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.crc import key_slot

from cdk_redis_runtime._client.settings import Address

SLOTS = 16384
# Of this many keys in a row at least one falls into any one slot.
_MOST_TRIES = 500_000

Command = tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """One engine.

    Attributes:
        address: Where it is reached.
        client: Signs in at its first command.
    """

    address: Address
    client: Redis

    def __str__(self) -> str:
        """Its address."""
        return str(self.address)


@dataclass(frozen=True)
class Shard:
    """A primary and its replicas, with the slots that they serve.

    Attributes:
        slots: First and last slot of each range.
        primary: Takes the writes.
        replicas: The replicas that CLUSTER SLOTS lists, or the connections to the reader endpoint.
    """

    slots: tuple[tuple[int, int], ...]
    primary: Node
    replicas: tuple[Node, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The primary and the replicas."""
        return (self.primary, *self.replicas)

    def serves(self, slot: int) -> bool:
        """Whether the shard serves a slot."""
        return any(first <= slot <= last for first, last in self.slots)


@dataclass(frozen=True)
class NodeAnswers:
    """What a node answers after signing in.

    Attributes:
        user: The user's name; None without authentication, or if the user may not ask. NOPERM proves a sign-in, too.
        info: The sections server, memory, keyspace and replication of INFO, or the error that it answers.
        answers: Answer to each forbidden command, errors of the engine included.
    """

    user: str | None
    info: dict[str, Any] | Exception
    answers: Mapping[Command, Any]


def send_together(node: Node, commands: Iterable[Command], *, raise_errors: bool = True) -> list[Any]:
    """Send commands over one connection in one round trip.

    Args:
        node: The node.
        commands: The commands.
        raise_errors: Whether to raise the first error of the engine, or to return errors as answers.

    Returns:
        One answer a command.

    Raises:
        RedisError: The first error that the engine answered, or the connection failed.
    """
    with node.client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        answers = pipeline.execute(raise_on_error=False)
    error = next((answer for answer in answers if isinstance(answer, Exception)), None)
    if raise_errors and error:
        raise error
    return answers


@contextlib.contextmanager
def held_connection(node: Node) -> Generator[Any, None, None]:
    """A signed-in connection of a node, without its client; disconnected after an error."""
    pool = node.client.connection_pool
    connection: Any = pool.get_connection()
    try:
        yield connection
    except BaseException:
        # A late answer would be taken for the answer to the next command.
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def keys_on(shards: Sequence[Shard], prefix: str) -> list[str] | None:
    """Find a key with a prefix for each shard.

    Args:
        shards: Each with its slots.
        prefix: What every key begins with.

    Returns:
        One key a shard, in order; None if keys of this prefix do not reach a shard.
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
