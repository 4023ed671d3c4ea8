"""What a store is to a client that has not signed in."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cdk_redis_runtime._settings import Address
from cdk_redis_runtime._wire import Handshake, PlaintextError, SilentError, ask, dial, settled


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
        Exception: What `dial` does, or `PlaintextError`.
    """
    try:
        with dial(address, seconds, trust) as connection:
            done = settled(connection) if isinstance(connection, ssl.SSLSocket) else None
            return Meeting(done) if user is None else _ask_as_stranger(connection, done, user, key)
    except SilentError:
        # An engine without TLS takes the handshake for the beginning of a long command, and waits for the rest.
        with contextlib.suppress(SilentError):
            if answers_in_plaintext(address, seconds):
                raise PlaintextError from None
        raise


def _ask_as_stranger(connection: socket.socket, done: Handshake | None, user: str, key: str) -> Meeting:
    try:
        anonymous = {words[0]: ask(connection, *words) for words in (("PING",), ("GET", key))}
        # Last: it might let us in.
        wrong = ask(connection, "AUTH", user, secrets.token_hex(24))
    except SilentError as error:
        return Meeting(done, error=error)
    return Meeting(done, anonymous, wrong)


def answers_in_plaintext(address: Address, seconds: float) -> bool:
    """Whether an engine speaks at an address without TLS. Raises what `dial` and `ask` do."""
    with dial(address, seconds, None) as connection:
        answer = ask(connection, "PING")
        return looks_like_an_answer(answer)


def looks_like_an_answer(line: str, kinds: Iterable[str] = "+-$:*_") -> bool:
    """Whether a line is one that an engine would send; a TLS alert is not."""
    return line[:1] in tuple(kinds) and line.isprintable()
