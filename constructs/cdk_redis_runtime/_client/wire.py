"""The wire below redis-py: what answers, in TLS or in plaintext, before anybody signs in."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from dataclasses import dataclass

from cdk_redis_runtime._client.settings import Address

_LONGEST_LINE = 4096


class SilentError(Exception):
    """A connection was made, and then nothing came back in time.

    Attributes:
        while_doing: ``the TLS handshake`` or ``a command``.
    """

    def __init__(self, while_doing: str) -> None:
        """Say what was waited for."""
        self.while_doing = while_doing
        super().__init__(f"no answer to {while_doing}")


class PlaintextError(Exception):
    """An engine answers, but without TLS."""


class NotAnEngineError(Exception):
    """Something answers in other words than an engine's.

    Attributes:
        answer: The first line of it.
    """

    def __init__(self, answer: str) -> None:
        """Say what it answers."""
        self.answer = answer
        super().__init__(f"not an engine's answer: {answer}")


class TlsOnlyError(Exception):
    """An engine answers in TLS, and nobody asked for it."""


class UnreachedError(Exception):
    """No connection came about in time: nothing came back at all."""


@dataclass(frozen=True)
class Handshake:
    """What a TLS handshake settled.

    Attributes:
        version: ``TLSv1.2`` or ``TLSv1.3``.
        cipher: Name of the cipher suite.
        expires: When the certificate does, in seconds since 1970.
    """

    version: str
    cipher: str
    expires: float


def verifying_context() -> ssl.SSLContext:
    """A context that checks chain and host name, and refuses what is older than TLS 1.2."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def dial(address: Address, seconds: float, context: ssl.SSLContext | None) -> socket.socket:
    """Open a connection.

    Args:
        address: Where to.
        seconds: How long to wait for the connection, for the handshake, and for each answer.
        context: For TLS; None for plaintext.

    Raises:
        OSError: The name does not resolve, or the connection or the handshake is refused (`ssl.SSLError`).
        UnreachedError: Nothing came back to the dial.
        SilentError: Nothing came back to the handshake.
    """
    try:
        plain = socket.create_connection((address.host, address.port), timeout=seconds)
    except TimeoutError:
        raise UnreachedError from None
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain if context is None else context.wrap_socket(plain, server_hostname=address.host)
    except BaseException as error:
        plain.close()
        if isinstance(error, TimeoutError):
            raise SilentError("the TLS handshake") from None
        if isinstance(error, ConnectionError):
            # A reset is what an end becomes where our first words had not been read.
            raise ssl.SSLEOFError(ssl.SSLErrorNumber.SSL_ERROR_EOF, "reset during the TLS handshake") from None
        raise


def settled(connection: ssl.SSLSocket) -> Handshake:
    """What the handshake of a connection, whose certificate was verified, settled."""
    cipher = connection.cipher()
    expires = (connection.getpeercert() or {}).get("notAfter")
    return Handshake(
        connection.version() or "unknown",
        cipher[0] if cipher else "unknown",
        ssl.cert_time_to_seconds(str(expires)),
    )


def ask(connection: socket.socket, *words: str) -> str:
    """Send one command, and read the first line of the answer; see `exchange`."""
    return exchange(connection, packed(*words))


def packed(*words: str) -> bytes:
    """A command as it is sent."""
    encoded = [word.encode() for word in words]
    return b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)])


def exchange(connection: socket.socket, command: bytes) -> str:
    """Send a command, and read the first line of the answer.

    Returns:
        The line without its end, such as ``+PONG`` or ``-NOAUTH Authentication required.``; empty when the other
        side hung up instead.

    Raises:
        SilentError: Nothing came back.
        ssl.SSLError: The other side ended TLS with an alert.
    """
    # A server that sends a byte now and then would never run into the socket's timeout.
    deadline = time.monotonic() + (connection.gettimeout() or math.inf)
    try:
        # Where the other side has gone, what it said last is still to be read.
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            connection.sendall(command)
        received = chunk = connection.recv(_LONGEST_LINE)
        while chunk and b"\n" not in received and len(received) < _LONGEST_LINE:
            if time.monotonic() > deadline:
                raise SilentError("a command")
            chunk = connection.recv(_LONGEST_LINE)
            received += chunk
    except TimeoutError:
        raise SilentError("a command") from None
    except ssl.SSLError as error:
        # TLS 1.3 lets a client finish its handshake before it is told that a certificate was wanted.
        if not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            raise
        return ""
    except OSError:
        # A server that wants TLS answers plaintext with a reset, which says the same as hanging up.
        return ""
    return received.partition(b"\r\n")[0].decode(errors="replace")
