"""Finds the AUTH and HELLO commands in the bytes that a client sends to an engine (RESP, the Redis protocol)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

_WATCHED = frozenset({b"AUTH", b"HELLO"})
_LONGEST_NAME = max(len(name) for name in _WATCHED)
# A token has 1 to 2 KiB. A longer AUTH is forwarded as it is, and the engine rejects it.
_LONGEST_COMMAND = 64 * 1024
_LONGEST_NUMBER = 32


class _MoreNeededError(Exception):
    """The command is incomplete: more bytes are needed."""


class _NotTheProtocolError(Exception):
    """The bytes are not RESP: the engine will answer with an error and close the connection."""


class CommandScanner:
    """Splits a client's stream into bytes to forward unchanged, and AUTH and HELLO commands.

    Commands may be pipelined, arrive in any number of parts, or be inline commands (``AUTH user password``).
    The arguments of all other commands are skipped by their length.
    """

    def __init__(self) -> None:
        """Expect the start of a command."""
        self._pending = b""
        self._unread = 0
        self._arguments = 0
        self._given_up = False

    def feed(self, data: bytes) -> Iterator[bytes | memoryview | list[bytes]]:
        """Yield, in order, bytes to forward, and each AUTH or HELLO as a list of its words."""
        data = self._pending + data
        self._pending = b""
        view = memoryview(data)
        start = position = 0
        while position < len(data) and not self._given_up:
            try:
                following, command = self._step(data, position)
            except _MoreNeededError:
                self._pending = data[position:]
                break
            except _NotTheProtocolError:
                self._given_up = True
                break
            if command is not None:
                if position > start:
                    yield view[start:position]
                yield command
                start = following
            position = following
        if self._given_up:
            position = len(data)
        if position > start:
            yield view[start:position]

    def _step(self, data: bytes, position: int) -> tuple[int, list[bytes] | None]:
        """The position after the next part of the stream, and the command if that part is an AUTH or HELLO."""
        if self._unread:
            taken = min(self._unread, len(data) - position)
            self._unread -= taken
            return position + taken, None
        if self._arguments:
            length, position = _number(data, position, b"$")
            self._arguments -= 1
            self._unread = length + 2
            return position, None
        if data[position : position + 1] != b"*":
            return _inline(data, position)
        return self._begin(data, position)

    def _begin(self, data: bytes, position: int) -> tuple[int, list[bytes] | None]:
        words, following = _number(data, position, b"*")
        if words <= 0:
            return following, None
        length, name_at = _number(data, following, b"$")
        if length <= _LONGEST_NAME:
            if len(data) < name_at + length + 2:
                raise _MoreNeededError
            if data[name_at : name_at + length].upper() in _WATCHED:
                return _whole_command(data, following, words, position)
        self._arguments = words - 1
        self._unread = length + 2
        return name_at, None


def encode_command(words: Sequence[bytes]) -> bytes:
    """A command in RESP."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def _whole_command(data: bytes, position: int, words: int, start: int) -> tuple[int, list[bytes]]:
    found: list[bytes] = []
    for _ in range(words):
        length, position = _number(data, position, b"$")
        if position + length - start > _LONGEST_COMMAND:
            raise _NotTheProtocolError
        if len(data) < position + length + 2:
            raise _MoreNeededError
        found.append(data[position : position + length])
        position += length + 2
    return position, found


def _number(data: bytes, position: int, mark: bytes) -> tuple[int, int]:
    """The number in a line such as ``$5``, and the position after that line."""
    end = data.find(b"\r\n", position, position + _LONGEST_NUMBER)
    if end < 0:
        if len(data) - position >= _LONGEST_NUMBER:
            raise _NotTheProtocolError
        raise _MoreNeededError
    text = data[position + 1 : end]
    if data[position : position + 1] != mark or not text.removeprefix(b"-").isdigit():
        raise _NotTheProtocolError
    return int(text), end + 2


def _inline(data: bytes, position: int) -> tuple[int, list[bytes] | None]:
    end = data.find(b"\n", position, position + _LONGEST_COMMAND)
    if end < 0:
        if len(data) - position >= _LONGEST_COMMAND:
            raise _NotTheProtocolError
        raise _MoreNeededError
    line = data[position:end].strip()
    if line.split(b" ", 1)[0].upper() not in _WATCHED:
        return end + 1, None
    try:
        words = shlex.split(line.decode("latin-1"))
    except ValueError:  # unbalanced quotes: the engine rejects them too
        return end + 1, None
    return end + 1, [word.encode("latin-1") for word in words]
