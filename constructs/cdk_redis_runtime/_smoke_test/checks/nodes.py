"""The nodes of a store, and what is asked of one."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis

from cdk_redis_runtime._client.settings import Address

SLOTS = 16384
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
        replicas: The replicas that are up and in sync enough to be announced.
    """

    slots: tuple[tuple[int, int], ...]
    primary: Node
    replicas: tuple[Node, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The primary and the replicas."""
        return (self.primary, *self.replicas)

    def serves(self, slot: int) -> bool:
        """Whether a slot is this shard's."""
        return any(first <= slot <= last for first, last in self.slots)


@dataclass(frozen=True)
class Visit:
    """What a node says to one who has signed in.

    Attributes:
        user: The user's name; None where there is none, or the user may not ask: to be refused a command one has to be
            signed in.
        info: What INFO says of server, memory, keys and replication, or the error that it answers.
        answers: Answer to each probe; an error that the engine answered with is one.
    """

    user: str | None
    info: dict[str, Any] | Exception
    answers: Mapping[Command, Any]


def ask_at_once(node: Node, commands: Iterable[Command]) -> list[Any]:
    """Send commands over one connection in one round trip.

    Returns:
        One answer a command; an error that the engine answered with is among them, not raised.
    """
    with node.client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return pipeline.execute(raise_on_error=False)


def do_at_once(node: Node, commands: Iterable[Command]) -> list[Any]:
    """Send commands over one connection in one round trip, all of which have to succeed.

    Raises:
        RedisError: The first error that the engine answered with.
    """
    answers = ask_at_once(node, commands)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


@contextlib.contextmanager
def held_connection(node: Node) -> Generator[Any, None, None]:
    """A signed-in connection of a node below its client for the length of a ``with`` block; hung up after an error."""
    pool = node.client.connection_pool
    connection: Any = pool.get_connection()
    try:
        yield connection
    except BaseException:
        # An answer that still comes would be taken for that to the next command.
        connection.disconnect()
        raise
    finally:
        pool.release(connection)
