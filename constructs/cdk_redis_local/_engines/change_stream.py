"""`ChangeStream`: which keys a primary changes, read from its replication stream.

The primary takes the reader for a replica. It asks for a snapshot without data, and reports no offset, so that WAIT
does not count it. The replication stream has every change: those of scripts, transactions and expired keys too.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import redis
from redis.exceptions import RedisError, ResponseError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.node import HOST, START_SECONDS, Node

# The spelling of our own commands, which no client uses: the stream repeats it, so that copies are not copied back.
OWN_RESTORE = b"rEPLACE"
"""Option of RESTORE in the commands of this package."""
OWN_DELETE = "dEL"
"""Name of DEL in the commands of this package."""
_OWN = frozenset({b"dEL", b"hSET", b"hDEL", b"sADD", b"sREM", b"zADD", b"zREM"})

_CHUNK = 256 * 1024
_ACKNOWLEDGE_SECONDS = 1.0
_MARK_LENGTH = 40
# For each command, the kind of its elements, and the positions of the first and of the next ones.
_ELEMENTS: dict[bytes, tuple[str, int, int]] = {
    b"HSET": ("hash", 2, 2),
    b"HMSET": ("hash", 2, 2),
    b"HSETNX": ("hash", 2, 2),
    b"HINCRBY": ("hash", 2, 2),
    b"HINCRBYFLOAT": ("hash", 2, 2),
    b"HDEL": ("hash", 2, 1),
    b"SADD": ("set", 2, 1),
    b"SREM": ("set", 2, 1),
    b"ZADD": ("zset", 3, 2),
    b"ZINCRBY": ("zset", 3, 1),
    b"ZREM": ("zset", 2, 1),
}
_ZADD_OPTIONS = frozenset({b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"})
_FLUSHES = frozenset({b"FLUSHALL", b"FLUSHDB", b"SWAPDB"})


class Element(NamedTuple):
    """A key, or with a ``kind`` an element of it: a field of a hash, or a member of a set or sorted set."""

    key: bytes
    kind: str = ""
    name: bytes = b""


@dataclass(frozen=True)
class Change:
    """A part of a stream: the changed keys or elements, or that all keys or the functions may have changed."""

    elements: tuple[Element, ...] = ()
    everything: bool = False
    functions: bool = False


class ChangeStream:
    """Reads the changes of one primary on a thread, until it is closed or the primary ends or is demoted."""

    def __init__(self, node: Node, on_change: Callable[[Change], object], *, elements: bool = False) -> None:
        """Connect; returns when each later change is in the stream.

        Args:
            node: The primary.
            on_change: Called on the thread with each change, in order.
            elements: Whether to report elements, where a command names them, instead of their keys.

        Raises:
            EngineError: The node does not accept the reader.
        """
        self.node = node
        self._on_change = on_change
        self._commands = _Changes(node, elements=elements)
        self._socket = _connect(node)
        self._buffer = b""
        self._closed = False
        self.offset = 0
        """The position in the stream up to which all changes were reported, as in INFO's ``master_repl_offset``."""
        try:
            self._begin()
        except (OSError, ValueError) as error:
            self._socket.close()
            raise EngineError(f"{node} has no replication stream: {error}") from error
        self._thread = threading.Thread(target=self._read, name=f"changes of {node}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether later changes are still reported."""
        return self._thread.is_alive() and not self._closed

    def close(self) -> None:
        """Disconnect. A second call does nothing."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _begin(self) -> None:
        manager = self.node.security.manager
        self._ask("AUTH", manager.name, manager.passwords[0])
        self._ask("REPLCONF", "capa", "eof", "capa", "psync2")
        # Leaves data and functions out of the snapshot: only its end matters.
        self._ask("REPLCONF", "rdb-filter-only", "")
        answer = self._ask("PSYNC", "?", "-1").split()
        self.offset = int(answer[2])
        self._skip_snapshot()
        self._send("REPLCONF", "ACK", "0")
        self._socket.settimeout(_ACKNOWLEDGE_SECONDS)

    def _skip_snapshot(self) -> None:
        head = self._line()
        while not head:  # the primary sends empty lines while it prepares the snapshot
            head = self._line()
        if head.startswith(b"$EOF:"):
            mark = head[5:]
            while mark not in self._buffer:
                self._buffer = self._buffer[-_MARK_LENGTH:] + self._receive()
            self._buffer = self._buffer.partition(mark)[2]
        else:
            left = int(head[1:])
            while len(self._buffer) < left:
                self._buffer += self._receive()
            self._buffer = self._buffer[left:]

    def _read(self) -> None:
        acknowledged = time.monotonic()
        with contextlib.suppress(OSError, RedisError, ValueError):
            while not self._closed:
                with contextlib.suppress(socket.timeout):
                    self._buffer += self._receive()
                for words, length in self._take():
                    change = self._commands.change(words)
                    if change:
                        self._on_change(change)
                    self.offset += length
                if time.monotonic() - acknowledged >= _ACKNOWLEDGE_SECONDS:
                    acknowledged = time.monotonic()
                    # An offset of 0 keeps the connection, but acknowledges no write.
                    self._send("REPLCONF", "ACK", "0")
        self.close()

    def _take(self) -> Iterator[tuple[list[bytes], int]]:
        """The complete commands in the buffer, and their lengths."""
        position = 0
        try:
            while position < len(self._buffer):
                words, following = _command(self._buffer, position)
                yield words, following - position
                position = following
        except _IncompleteError:
            pass
        finally:
            self._buffer = self._buffer[position:]

    def _ask(self, *words: str) -> str:
        self._send(*words)
        answer = self._line().decode()
        if not answer.startswith("+"):
            raise ValueError(answer)
        return answer

    def _send(self, *words: str) -> None:
        parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
        self._socket.sendall("".join(parts).encode())

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._buffer += self._receive()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _receive(self) -> bytes:
        data = self._socket.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("the node closed the connection")
        return data


class _Changes:
    """Finds the keys in commands, as the engine describes them, and the elements in some commands."""

    def __init__(self, node: Node, *, elements: bool) -> None:
        self._elements = elements
        self._client = raw_client(node)
        self._known: dict[bytes, tuple[int, int, int] | None] = {}

    def change(self, words: Sequence[bytes]) -> Change | None:
        """What a command of a replication stream changes; None for nothing, and for commands of this package."""
        name = words[0].upper()
        if words[0] in _OWN or (name == b"RESTORE" and OWN_RESTORE in words):
            return None
        if name in _FLUSHES:
            return Change(everything=True)
        if name == b"FUNCTION":
            return Change(functions=True)
        if self._elements and name in _ELEMENTS:
            kind, first, step = _ELEMENTS[name]
            if name == b"ZADD":
                first += next(at for at, word in enumerate(words[2:]) if word.upper() not in _ZADD_OPTIONS)
            return Change(tuple(Element(words[1], kind, element) for element in words[first::step]))
        keys = self._keys(name, words)
        return Change(tuple(map(Element, keys))) if keys else None

    def _keys(self, name: bytes, words: Sequence[bytes]) -> tuple[bytes, ...]:
        if name not in self._known:
            self._known[name] = self._positions(name)
        positions = self._known[name]
        if positions is None:
            with contextlib.suppress(ResponseError):  # the command has no keys
                return tuple(self._ask("COMMAND", "GETKEYS", *words))
            return ()
        first, last, step = positions
        end = last if last >= 0 else len(words) + last
        return tuple(words[first : end + 1 : step]) if first > 0 else ()

    def _positions(self, name: bytes) -> tuple[int, int, int] | None:
        """First and last position and step of the keys; None if they depend on the arguments."""
        (entry,) = self._ask("COMMAND", "INFO", name)
        if not entry:
            return 0, 0, 0
        flags, subcommands = entry[2], entry[9] if len(entry) > 9 else ()
        if b"movablekeys" in flags or subcommands:
            return None
        return int(entry[3]), int(entry[4]), int(entry[5])

    def _ask(self, *words: str | bytes) -> Any:
        return self._client.execute_command(*words)


class _IncompleteError(Exception):
    """The buffer ends within a command."""


def _command(data: bytes, position: int) -> tuple[list[bytes], int]:
    """The command at a position, and the position after it."""
    if data[position : position + 1] == b"\n":  # a sign of life
        return [b"PING"], position + 1
    count, position = _number(data, position)
    words: list[bytes] = []
    for _ in range(count):
        length, position = _number(data, position)
        if len(data) < position + length + 2:
            raise _IncompleteError
        words.append(data[position : position + length])
        position += length + 2
    return words, position


def _number(data: bytes, position: int) -> tuple[int, int]:
    end = data.find(b"\r\n", position)
    if end < 0:
        raise _IncompleteError
    return int(data[position + 1 : end]), end + 2


def _connect(node: Node) -> socket.socket:
    connection = socket.create_connection((node.address, node.engine_port), START_SECONDS)
    if node.security.ca_file is None:
        return connection
    context = ssl.create_default_context(cafile=str(node.security.ca_file))
    if own := node.security.certificate:
        context.load_cert_chain(own.certificate_file, own.key_file)
    try:
        return context.wrap_socket(connection, server_hostname=HOST)
    except OSError:
        connection.close()
        raise


def raw_client(node: Node) -> redis.Redis:
    """A client of the node's engine with all permissions, which returns answers as the engine sends them."""
    manager = node.security.manager
    client = node.client(manager.name, manager.passwords[0], port=node.engine_port, decode=False)
    client.response_callbacks.clear()
    return client
