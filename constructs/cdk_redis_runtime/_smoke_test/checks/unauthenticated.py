"""What an address answers to a client that has not signed in."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from redis.exceptions import ConnectionError as RedisConnectionError

from cdk_redis_runtime._client.settings import Address
from cdk_redis_runtime._client.wire import (
    ConnectTimeoutError,
    Handshake,
    NoAnswerError,
    NotAnEngineError,
    PlaintextError,
    TlsOnlyError,
    ask,
    dial,
    handshake_of,
)

_TOO_MANY_CLIENTS = "-ERR max number of clients reached"


@dataclass(frozen=True)
class UnauthenticatedProbe:
    """The answers to a client that has not signed in.

    Attributes:
        handshake: The result of the TLS handshake; None without TLS.
        anonymous: Answer to each command that was sent without signing in.
        wrong_password: Answer to a sign-in with a random password; empty if none was tried.
        error: What went wrong after the handshake.
    """

    handshake: Handshake | None
    anonymous: Mapping[str, str] = field(default_factory=dict[str, str])
    wrong_password: str = ""
    error: Exception | None = None


def probe_unauthenticated(
    address: Address, *, seconds: float, trust: ssl.SSLContext | None, user: str | None, key: str
) -> UnauthenticatedProbe:
    """Connect to an address, and send commands and a random password without signing in.

    Args:
        address: Where to connect.
        seconds: How long to wait for each answer.
        trust: Context that verifies the certificate; None for plaintext.
        user: User to try the random password for; None without authentication, when only PING is sent.
        key: Key to ask for.

    Raises:
        Exception: What `dial` raises, `PlaintextError`, `TlsOnlyError` or `NotAnEngineError`.
    """
    try:
        return _probe(address, seconds, trust, user, key)
    except NoAnswerError:
        # An engine without TLS takes the handshake for the beginning of a long command, and waits for the rest.
        with contextlib.suppress(NoAnswerError):
            if answers_in_plaintext(address, seconds):
                raise PlaintextError from None
        raise


def _probe(
    address: Address, seconds: float, trust: ssl.SSLContext | None, user: str | None, key: str
) -> UnauthenticatedProbe:
    with dial(address, seconds, trust) as connection:
        handshake = handshake_of(connection) if isinstance(connection, ssl.SSLSocket) else None
        probe = _send_commands(connection, handshake, user, key)
    # A server that expects TLS answers plaintext with nothing, or with a TLS alert.
    if (
        handshake is None
        and not looks_like_an_answer(probe.anonymous.get("PING", "-"))
        and _speaks_tls(address, seconds)
    ):
        raise TlsOnlyError
    return probe


def _send_commands(
    connection: socket.socket, handshake: Handshake | None, user: str | None, key: str
) -> UnauthenticatedProbe:
    commands = (("PING",), ("GET", key)) if user is not None else (("PING",),)
    try:
        anonymous = {command[0]: _ask_engine(connection, *command) for command in commands}
        # Last, because it may sign in.
        wrong = _ask_engine(connection, "AUTH", user, secrets.token_hex(24)) if user is not None else ""
    except NoAnswerError as error:
        return UnauthenticatedProbe(handshake, error=error)
    return UnauthenticatedProbe(handshake, anonymous, wrong)


def _ask_engine(connection: socket.socket, *words: str) -> str:
    """Send a command; raise if another kind of server answers."""
    answer = ask(connection, *words)
    if answer.startswith(_TOO_MANY_CLIENTS):
        raise RedisConnectionError(answer.removeprefix("-ERR "))
    if answer.isprintable() and answer and not looks_like_an_answer(answer):
        raise NotAnEngineError(answer)
    return answer


def _speaks_tls(address: Address, seconds: float) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    # Nothing is sent, so it does not matter whose certificate it is.
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(OSError, ConnectTimeoutError, NoAnswerError):
        dial(address, seconds, context).close()
        return True
    return False


def answers_in_plaintext(address: Address, seconds: float) -> bool:
    """Whether an engine answers at an address without TLS. Raises what `dial` and `ask` raise."""
    with dial(address, seconds, None) as connection:
        return looks_like_an_answer(ask(connection, "PING"))


def looks_like_an_answer(line: str, kinds: Iterable[str] = "+-$:*_") -> bool:
    """Whether a line is one that an engine would send; a TLS alert is not."""
    return line[:1] in tuple(kinds) and line.isprintable()
