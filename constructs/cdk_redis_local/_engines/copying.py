"""Copies all keys and functions of a set into another, also to a newer engine or into a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from redis.client import NEVER_DECODE
from redis.crc import key_slot

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.cluster import owned_slots
from cdk_redis_local._engines.node import Node, wait_until
from cdk_redis_local._engines.slots import send, split_by_size

# Longer than any copy. The pause ends with the node, or when the copy has failed.
_PAUSE_MILLISECONDS = 3_600_000
_KEYS_AT_A_TIME = 200
_REPLICATION_SECONDS = 60.0
_WAIT_MILLISECONDS = 1_000


@contextlib.contextmanager
def writes_paused(nodes: Sequence[Node]) -> Generator[None, None, None]:
    """Let writes wait, while reads are served, on these nodes and until the block ends.

    Raises:
        EngineError: A node does not answer.
    """
    try:
        for node in nodes:
            send(node, [("CLIENT", "PAUSE", _PAUSE_MILLISECONDS, "WRITE")])
        yield
    finally:
        for node in nodes:
            # A node that ended, or ends now, has no pause any more.
            if node.running:
                with contextlib.suppress(EngineError):
                    send(node, [("CLIENT", "UNPAUSE")])


def copy_all(sources: Sequence[Node], targets: Sequence[Node], *, cluster_mode: bool) -> int:
    """Copy the keys and functions of primaries whose writes are paused; returns the number of keys.

    Args:
        sources: The primaries with the keys. All of their keys are read.
        targets: The primaries without keys.
        cluster_mode: Whether the targets are a cluster, in which each key has its place.

    Raises:
        EngineError: A node does not answer, or refuses a key.
    """
    owners = {slot: node for node in targets for slot in owned_slots(node)} if cluster_mode else {}

    def owner_of(key: bytes) -> Node:
        return owners[key_slot(key)] if owners else targets[0]

    copied = 0
    for source in sources:
        _copy_functions(source, targets)
        for database in databases(source):
            for keys in _batches(source, database):
                copied += _copy_keys(source, database, keys, owner_of)
    _wait_for_replicas(targets)
    return copied


def databases(node: Node) -> list[int]:
    """The numbers of the databases with keys."""
    return sorted(int(str(name).removeprefix("db")) for name in node.admin.info("keyspace"))


def _batches(source: Node, database: int) -> Iterator[list[bytes]]:
    cursor: object = 0
    while True:
        [_, (cursor, keys), _] = send(
            source,
            [("SELECT", database), ("SCAN", cursor, "COUNT", _KEYS_AT_A_TIME), ("SELECT", 0)],
            **{NEVER_DECODE: True},
        )
        yield from split_by_size(source, keys, database)
        if int(cursor) == 0:
            return


def _copy_keys(source: Node, database: int, keys: Sequence[bytes], owner: Callable[[bytes], Node]) -> int:
    asked: list[tuple[Any, ...]] = [(name, key) for key in keys for name in ("PEXPIRETIME", "DUMP")]
    answers = send(source, [("SELECT", database), *asked, ("SELECT", 0)], **{NEVER_DECODE: True})[1:-1]
    writes: dict[Node, list[tuple[Any, ...]]] = {}
    for key, expires, value in zip(keys, answers[::2], answers[1::2], strict=True):
        if value is not None:  # the key has not expired
            write = ("RESTORE", key, max(0, int(expires)), value, "ABSTTL", "REPLACE")
            writes.setdefault(owner(key), []).append(write)
    for target, commands in writes.items():
        # A cluster has one database only, and older engines refuse SELECT in a cluster.
        switch = (("SELECT", database), ("SELECT", 0)) if database else ()
        send(target, [*switch[:1], *commands, *switch[1:]])
    return sum(map(len, writes.values()))


def _copy_functions(source: Node, targets: Sequence[Node]) -> None:
    [libraries, dump] = send(source, [("FUNCTION", "LIST"), ("FUNCTION", "DUMP")], **{NEVER_DECODE: True})
    if libraries:
        for node in targets:
            send(node, [("FUNCTION", "RESTORE", dump, "REPLACE")])


def _wait_for_replicas(primaries: Sequence[Node]) -> None:
    for node in primaries:
        replicas = int(node.admin.info("replication")["connected_slaves"])
        wait_until(
            lambda node=node, replicas=replicas: node.admin.wait(replicas, _WAIT_MILLISECONDS) >= replicas,
            f"all keys of {node} on its replicas",
            _REPLICATION_SECONDS,
            alive=[node],
        )
