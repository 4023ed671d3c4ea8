"""Sockets without redis-py: what answers, with or without TLS, before a sign-in."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from dataclasses import dataclass

from cdk_redis_runtime._client.settings import Address

_LONGEST_LINE = 4096


class NoAnswerError(Exception):
    """The other side accepted the connection and did not answer in time.

    Attributes:
        while_doing: ``the TLS handshake`` or ``a command``.
    """

    def __init__(self, while_doing: str) -> None:
        """Name what was not answered."""
        self.while_doing = while_doing
        super().__init__(f"no answer to {while_doing}")


class PlaintextError(Exception):
    """An engine answers, but without TLS."""


class NotAnEngineError(Exception):
    """The other side does not answer like an engine.

    Attributes:
        answer: The first line of its answer.
    """

    def __init__(self, answer: str) -> None:
        """Quote the answer."""
        self.answer = answer
        super().__init__(f"not an engine's answer: {answer}")


class TlsOnlyError(Exception):
    """An engine requires TLS, but was contacted without."""


class ConnectTimeoutError(Exception):
    """Nothing answered the TCP connection in time."""


@dataclass(frozen=True)
class Handshake:
    """The result of a TLS handshake.

    Attributes:
        version: ``TLSv1.2`` or ``TLSv1.3``.
        cipher: Name of the cipher suite.
        expires: When the certificate expires, in seconds since 1970.
    """

    version: str
    cipher: str
    expires: float


def dial(address: Address, seconds: float, context: ssl.SSLContext | None) -> socket.socket:
    """Open a connection.

    Args:
        address: Where to.
        seconds: How long to wait for the connection, for the handshake, and for each answer.
        context: For TLS; None for plaintext.

    Raises:
        OSError: The name does not resolve, or the connection or the handshake is refused (`ssl.SSLError`).
        ConnectTimeoutError: Nothing answered the connection.
        NoAnswerError: Nothing answered the handshake.
    """
    try:
        plain = socket.create_connection((address.host, address.port), timeout=seconds)
    except TimeoutError:
        raise ConnectTimeoutError from None
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain if context is None else context.wrap_socket(plain, server_hostname=address.host)
    except BaseException as error:
        plain.close()
        if isinstance(error, TimeoutError):
            raise NoAnswerError("the TLS handshake") from None
        if isinstance(error, ConnectionError):
            # A side that closes before it has read the first bytes sends a reset.
            raise ssl.SSLEOFError(ssl.SSLErrorNumber.SSL_ERROR_EOF, "reset during the TLS handshake") from None
        raise


def handshake_of(connection: ssl.SSLSocket) -> Handshake:
    """The handshake of a connection whose certificate was verified."""
    cipher = connection.cipher()
    expires = (connection.getpeercert() or {}).get("notAfter")
    return Handshake(
        connection.version() or "unknown",
        cipher[0] if cipher else "unknown",
        ssl.cert_time_to_seconds(str(expires)),
    )


def ask(connection: socket.socket, *words: str) -> str:
    """Send one command and read the first line of the answer; see `exchange`."""
    return exchange(connection, pack(*words))


def pack(*words: str) -> bytes:
    """A command in the bytes that are sent."""
    encoded = [word.encode() for word in words]
    return b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)])


def exchange(connection: socket.socket, command: bytes) -> str:
    """Send a command and read the first line of the answer.

    Returns:
        The line without its end, such as ``+PONG`` or ``-NOAUTH Authentication required.``; empty if the other side
        closed the connection instead.

    Raises:
        NoAnswerError: Nothing was answered.
        ssl.SSLError: The other side ended TLS with an alert.
    """
    # A server that sends single bytes slowly never reaches the socket's timeout.
    deadline = time.monotonic() + (connection.gettimeout() or math.inf)
    try:
        # If the other side has closed, its last answer can still be read.
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            connection.sendall(command)
        received = chunk = connection.recv(_LONGEST_LINE)
        while chunk and b"\n" not in received and len(received) < _LONGEST_LINE:
            if time.monotonic() > deadline:
                raise NoAnswerError("a command")
            chunk = connection.recv(_LONGEST_LINE)
            received += chunk
    except TimeoutError:
        raise NoAnswerError("a command") from None
    except ssl.SSLError as error:
        # With TLS 1.3 the client's handshake ends before the server's alert that it requires a certificate.
        if not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            raise
        return ""
    except OSError:
        # A server that requires TLS resets plaintext connections, which means the same as closing them.
        return ""
    return received.partition(b"\r\n")[0].decode(errors="replace")
