"""What a store is to a client that has not signed in."""

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
    Handshake,
    NotAnEngineError,
    PlaintextError,
    SilentError,
    TlsOnlyError,
    UnreachedError,
    ask,
    dial,
    settled,
)

_NO_ROOM = "-ERR max number of clients reached"


@dataclass(frozen=True)
class Meeting:
    """What a client sees that has not signed in.

    Attributes:
        handshake: What TLS settled; None without TLS.
        anonymous: Answer to each command that was sent without signing in.
        wrong_password: Answer to a sign-in with a password that nobody has; empty where none was tried.
        error: What went wrong after the handshake.
    """

    handshake: Handshake | None
    anonymous: Mapping[str, str] = field(default_factory=dict[str, str])
    wrong_password: str = ""
    error: Exception | None = None


def meet(address: Address, *, seconds: float, trust: ssl.SSLContext | None, user: str | None, key: str) -> Meeting:
    """Dial an address, and try what is for those who have signed in.

    Args:
        address: Where to.
        seconds: How long to wait for each answer.
        trust: What the certificate is verified against; None for plaintext.
        user: Who it is not; None where there is no authentication, and nothing to try.
        key: What it asks for.

    Raises:
        Exception: What `dial` does, `PlaintextError`, `TlsOnlyError` or `NotAnEngineError`.
    """
    try:
        return _meet(address, seconds, trust, user, key)
    except SilentError:
        # An engine without TLS takes the handshake for the beginning of a long command, and waits for the rest.
        with contextlib.suppress(SilentError):
            if answers_in_plaintext(address, seconds):
                raise PlaintextError from None
        raise


def _meet(address: Address, seconds: float, trust: ssl.SSLContext | None, user: str | None, key: str) -> Meeting:
    with dial(address, seconds, trust) as connection:
        done = settled(connection) if isinstance(connection, ssl.SSLSocket) else None
        meeting = _ask_as_stranger(connection, done, user, key)
    if done is None and _hung_up(meeting) and _speaks_tls(address, seconds):
        raise TlsOnlyError
    return meeting


def _ask_as_stranger(connection: socket.socket, done: Handshake | None, user: str | None, key: str) -> Meeting:
    questions = (("PING",), ("GET", key)) if user is not None else (("PING",),)
    try:
        anonymous = {words[0]: _ask_engine(connection, *words) for words in questions}
        # Last: it might let us in.
        wrong = _ask_engine(connection, "AUTH", user, secrets.token_hex(24)) if user is not None else ""
    except SilentError as error:
        return Meeting(done, error=error)
    return Meeting(done, anonymous, wrong)


def _ask_engine(connection: socket.socket, *words: str) -> str:
    """Ask, and tell an engine from another server that listens there."""
    answer = ask(connection, *words)
    if answer.startswith(_NO_ROOM):
        raise RedisConnectionError(answer.removeprefix("-ERR "))
    if answer.isprintable() and answer and not looks_like_an_answer(answer):
        raise NotAnEngineError(answer)
    return answer


def _hung_up(meeting: Meeting) -> bool:
    """Whether a server took a command for something else; what it says then is nothing, or an alert of TLS."""
    answer = meeting.anonymous.get("PING", "-")
    return not looks_like_an_answer(answer)


def _speaks_tls(address: Address, seconds: float) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    # Nothing is sent: whose certificate it is does not matter here.
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(OSError, UnreachedError, SilentError):
        dial(address, seconds, context).close()
        return True
    return False


def answers_in_plaintext(address: Address, seconds: float) -> bool:
    """Whether an engine speaks at an address without TLS. Raises what `dial` and `ask` do."""
    with dial(address, seconds, None) as connection:
        answer = ask(connection, "PING")
        return looks_like_an_answer(answer)


def looks_like_an_answer(line: str, kinds: Iterable[str] = "+-$:*_") -> bool:
    """Whether a line is one that an engine would send; a TLS alert is not."""
    return line[:1] in tuple(kinds) and line.isprintable()
