"""The gate in front of an engine: a proxy that terminates TLS and checks IAM tokens.

An open-source engine accepts passwords, but no IAM tokens. So each IAM user has an internal password in the engine,
which only the gate knows. In ``AUTH user token`` (or ``HELLO 3 AUTH user token``) the gate replaces a valid token with
that password, and an invalid token with a wrong password. So the engine sends all answers, in order, and applies its
own ACL. The gate forwards everything else unchanged, and closes a connection twelve hours after its last valid token.
It serves processes of its own user only.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from cdk_redis_local._engines.certificates import Certificate
from cdk_redis_local._engines.node import HOST
from cdk_redis_local._gates.commands import CommandScanner, encode_command
from cdk_redis_local._gates.owner import is_of_owner
from cdk_redis_local._gates.token_check import TokenRefusedError

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")
_CHUNK = 256 * 1024
_BACKLOG = 100
_PAUSE_AFTER_ERROR = 0.1
# The first byte of a TLS connection; the commands of the Redis protocol begin with other bytes.
_TLS_HANDSHAKE = b"\x16"
CONNECTION_SECONDS = 12 * 60 * 60
"""How long after its last valid token AWS closes a connection of an IAM user."""


@dataclass
class GateRules:
    """Authentication and TLS settings of one store's gates.

    ``passwords`` maps each IAM user to its internal password; it may change while gates are open. ``check`` is
    called with token and user name, and raises :class:`TokenRefusedError`; ``on_refusal`` is called with user name and
    reason. Without ``certificate``, clients connect without TLS; with ``plaintext``, both with and without. Without
    ``ca_file``, the gate connects to the engine without TLS. ``plaintext`` may change, for later connections.
    ``connection_seconds`` may change, for the next sign-ins; ``closed_connections`` counts those that were
    closed at that age. ``delay_seconds`` is how late each answer comes. ``own`` is the certificate that the gate shows
    to engines. ``open_users`` maps users without a password to internal passwords, if the engine has no TLS: other
    users of the machine can connect to its port, and must not sign in there.
    """

    check: Callable[[str, str], object]
    on_refusal: Callable[[str, str], object]
    certificate: Certificate | None
    ca_file: Path | None
    passwords: dict[str, str] = field(default_factory=dict[str, str])
    connection_seconds: float = CONNECTION_SECONDS
    closed_connections: int = 0
    delay_seconds: float = 0.0
    own: Certificate | None = None
    open_users: dict[str, str] = field(default_factory=dict[str, str])
    plaintext: bool = False

    def server_context(self) -> ssl.SSLContext | None:
        """TLS settings for clients: TLS 1.2 or newer."""
        return _server_context(self.certificate) if self.certificate else None

    def client_context(self) -> ssl.SSLContext | None:
        """TLS settings for the connection to the engine; None for an engine that was built without TLS."""
        return _client_context(self.ca_file, self.own) if self.ca_file else None

    def admit(self, words: list[bytes], on_token: Callable[[], object] = lambda: None) -> list[bytes]:
        """The command to send to the engine in place of a client's AUTH or HELLO.

        Args:
            words: The client's command.
            on_token: Called if it has a valid token.
        """
        at = _user_position(words)
        if at is None or len(words) < at + 2:
            return words
        user = words[at].decode("utf-8", "replace")
        if user in self.open_users:
            return [*words[: at + 1], self.open_users[user].encode(), *words[at + 2 :]]
        if user not in self.passwords:
            return words
        return [*words[: at + 1], self._password(user, words[at + 1], on_token).encode(), *words[at + 2 :]]

    def _password(self, user: str, token: bytes, on_token: Callable[[], object]) -> str:
        try:
            self.check(token.decode("utf-8", "replace"), user)
        except TokenRefusedError as refusal:
            self.on_refusal(user, str(refusal))
            return secrets.token_hex(16)
        on_token()
        return self.passwords[user]


@functools.lru_cache(maxsize=64)
def _server_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)
    return context


@functools.lru_cache(maxsize=64)
def _client_context(ca_file: Path, own: Certificate | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file))
    if own:
        context.load_cert_chain(own.certificate_file, own.key_file)
    return context


def _user_position(words: list[bytes]) -> int | None:
    if words[0].upper() == b"AUTH":
        return 1 if len(words) == 3 else None
    options = [word.upper() for word in words]
    return options.index(b"AUTH") + 1 if b"AUTH" in options[2:] else None


@dataclass
class _Gate:
    """A gate; ``server`` is None while it is suspended, and then ``reservation`` keeps its port."""

    backend: Callable[[], int | None]
    rules: GateRules
    listener: socket.socket | None = None
    acceptor: asyncio.Task[None] | None = None
    reservation: socket.socket | None = None
    connections: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])


class Gatekeeper:
    """Runs any number of gates on loopback, in one thread."""

    def __init__(self) -> None:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._gates: dict[int, _Gate] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="gates", daemon=True)
        self._thread.start()

    def open(self, backend: Callable[[], int | None], rules: GateRules) -> int:
        """Open a gate; returns its port.

        Args:
            backend: Called for each connection; returns the port of the engine, or None if no engine runs.
            rules: Authentication and TLS settings.
        """
        return self._run(self._open(backend, rules))

    def close(self, port: int) -> None:
        """Close a gate and its connections. A port without a gate is ignored."""
        self._run(self._close(port))

    def redirect(self, port: int, backend: Callable[[], int | None], rules: GateRules) -> None:
        """Use other engines and rules for the later connections of a gate; its open connections stay."""
        self._run(self._redirect(port, backend, rules))

    def suspend(self, port: int) -> None:
        """Close a gate and its connections, and keep its port, which refuses connections until :meth:`resume`."""
        self._run(self._suspend(port))

    def resume(self, port: int) -> None:
        """Open a suspended gate again, with the TLS settings that its rules have now. Others are ignored."""
        self._run(self._resume(port))

    def reopen(self, port: int) -> None:
        """Close a gate's connections, and open it with the TLS settings that its rules have now, if it is open."""
        self._run(self._reopen(port))

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self, backend: Callable[[], int | None], rules: GateRules) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
        gate = _Gate(backend, rules)
        # If a file is wrong, fail now, and not with the first connection.
        for context in (rules.server_context, rules.client_context):
            context()
        _start(gate, listener)
        self._gates[port] = gate
        return port

    async def _redirect(self, port: int, backend: Callable[[], int | None], rules: GateRules) -> None:
        gate = self._gates[port]
        gate.backend, gate.rules = backend, rules

    async def _close(self, port: int) -> None:
        gate = self._gates.pop(port, None)
        if gate and gate.reservation:
            gate.reservation.close()
        elif gate:
            await _end(gate)

    async def _suspend(self, port: int) -> None:
        gate = self._gates.get(port)
        if gate and gate.listener:
            ending = _end(gate)
            # Bound but not listening: the kernel refuses connections, and gives the port to no other process.
            gate.reservation = socket.socket()
            gate.reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            gate.reservation.bind(("127.0.0.1", port))
            await ending

    async def _resume(self, port: int) -> None:
        gate = self._gates.get(port)
        if gate and gate.reservation:
            listener, gate.reservation = gate.reservation, None
            _start(gate, listener)

    async def _reopen(self, port: int) -> None:
        gate = self._gates.get(port)
        if gate and gate.listener:
            await self._suspend(port)
            await self._resume(port)


def _start(gate: _Gate, listener: socket.socket) -> None:
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    gate.listener = listener
    gate.acceptor = asyncio.ensure_future(_accept(gate, listener))


def _end(gate: _Gate) -> asyncio.Future[list[Any]]:
    """Close the listener of a gate now, and its connections; returns what to await for their end."""
    assert gate.listener
    assert gate.acceptor
    # Before the kernel gives its number to another socket.
    asyncio.get_running_loop().remove_reader(gate.listener)
    gate.listener.close()
    tasks = [gate.acceptor, *gate.connections]
    gate.listener = gate.acceptor = None
    for task in tasks:
        task.cancel()
    return asyncio.gather(*tasks, return_exceptions=True)


async def _accept(gate: _Gate, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            connection, _ = await loop.sock_accept(listener)
        except OSError as error:  # such as too many open files: later connections may succeed
            _log.warning("a gate could not accept a connection: %s", error)
            await asyncio.sleep(_PAUSE_AFTER_ERROR)
            continue
        task = asyncio.ensure_future(_admit(connection, gate.backend, gate.rules))
        gate.connections.add(task)
        task.add_done_callback(gate.connections.discard)


async def _admit(connection: socket.socket, backend: Callable[[], int | None], rules: GateRules) -> None:
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    reader = asyncio.StreamReader(limit=_CHUNK, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    try:
        context = rules.server_context() if await _begins_tls(connection, rules) else None
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
    except OSError as error:
        _log.debug("a client could not connect to a gate: %s", error)
        connection.close()
        return
    except asyncio.CancelledError:
        connection.close()
        return
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    try:
        await _serve(reader, writer, backend(), rules)
    except asyncio.CancelledError:
        writer.transport.abort()


async def _begins_tls(connection: socket.socket, rules: GateRules) -> bool:
    """Whether a connection is to use TLS. If a gate accepts both, its first byte decides."""
    if rules.certificate is None or not rules.plaintext:
        return rules.certificate is not None
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, lambda: readable.done() or readable.set_result(None))
    try:
        await readable
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int | None,
    rules: GateRules,
) -> None:
    try:
        if not is_of_owner(writer):
            raise PermissionError("another user")
        if port is None:
            raise ConnectionRefusedError("no engine behind this gate")
        inward = rules.client_context()
        engine_reader, engine_writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=inward, server_hostname=HOST if inward else None, limit=_CHUNK
        )
        await _sign_default_user_in(engine_reader, engine_writer, rules)
    except OSError as error:
        _log.debug("a gate could not reach its engine: %s", error)
        writer.transport.abort()
        return
    life = _Life(rules)
    pumps = [
        asyncio.create_task(_pump_commands(reader, engine_writer, rules, life)),
        asyncio.create_task(_pump_answers(engine_reader, writer, rules)),
    ]
    try:
        # When one side closes its connection, close the other.
        await asyncio.wait([*pumps, life.over], return_when=asyncio.FIRST_COMPLETED)
    finally:
        life.stop()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for end in (engine_writer, writer):
            with contextlib.suppress(OSError):
                end.close()


async def _sign_default_user_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rules: GateRules) -> None:
    """Sign a client in that needs no password, as the engine would do."""
    if (password := rules.open_users.get("default")) is not None:
        writer.write(encode_command([b"AUTH", b"default", password.encode()]))
        await reader.readline()


class _Life:
    """How long a connection may stay open; without a token, for ever."""

    def __init__(self, rules: GateRules) -> None:
        self._rules = rules
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.TimerHandle | None = None
        self.over: asyncio.Future[None] = self._loop.create_future()

    def prolong(self) -> None:
        self.stop()
        self._end = self._loop.call_later(self._rules.connection_seconds, self._close)

    def stop(self) -> None:
        if self._end is not None:
            self._end.cancel()

    def _close(self) -> None:
        self._rules.closed_connections += 1
        self.over.set_result(None)


async def _pump_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rules: GateRules) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            if rules.delay_seconds:
                await asyncio.sleep(rules.delay_seconds)
            writer.write(data)
            await writer.drain()


async def _pump_commands(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rules: GateRules, life: _Life
) -> None:
    scanner = CommandScanner()
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            for piece in scanner.feed(data):
                writer.write(encode_command(rules.admit(piece, life.prolong)) if isinstance(piece, list) else piece)
            await writer.drain()
