"""The connections of redis-py's clients: one TLS context for all, and the sign-in."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import threading
from collections.abc import Generator
from typing import Any

from redis import Connection as RedisConnection
from redis import ConnectionPool, SSLConnection
from redis.exceptions import AuthenticationError

from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._client.sign_in import SigningIn, can_renew, reporting
from cdk_redis_runtime._client.trust import shared_context


def pool_class(
    connection: Connection, trust: ssl.SSLContext | None = None, first_answer: float | None = None
) -> type[ConnectionPool]:
    """Make the connection pool class of a store's clients.

    Args:
        connection: The store's settings.
        trust: Context that verifies certificates. Default: - one with the authorities of the system or of
            ``SSL_CERT_FILE``, which all clients share.
        first_answer: `ClientTimeouts.first_answer`. Default: - the timeout of every other answer.
    """
    connection_class = _connection_class(connection, trust, first_answer)

    class Pool(ConnectionPool):
        # Replaces the connection class that the client's URL chose.
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "connection_class": connection_class})

        def reset(self) -> None:
            # redis-py calls it in a forked process, and takes the lock. If another thread held it at the fork, that
            # thread is not in this process, and nobody would release it.
            if getattr(self, "pid", None) != os.getpid():
                self._lock = threading.RLock()
            super().reset()

    return Pool


def _connection_class(connection: Connection, trust: ssl.SSLContext | None, first_answer: float | None) -> Any:
    if not connection.tls:
        return _signing_in(RedisConnection, first_answer)
    context = trust or shared_context()

    class TlsConnection(SSLConnection):
        # redis-py builds an SSL context for every connection, and accepts none from outside. Each reads the public
        # authorities again: with 144 of them that made the smoke test six times slower (benchmarks/README.md).
        # redis-py's cluster client also drops ssl_min_version.
        def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
            if first_answer is None:
                return context.wrap_socket(sock, server_hostname=self.host)
            return _handshake(context, sock, self.host, first_answer)

    return _signing_in(TlsConnection, first_answer)


def _signing_in(connection_class: Any, first_answer: float | None) -> Any:
    class SigningInConnection(SigningIn, connection_class):
        def on_connect_check_health(self, *arguments: Any, **options: Any) -> None:
            with self._first_answers():
                with self.signing_in() as credentials:
                    try:
                        super().on_connect_check_health(*arguments, **options)
                    except AuthenticationError as refusal:
                        if credentials is None or not can_renew(refusal):
                            raise
                        with reporting(refusal):
                            if not credentials.renew(credentials.last):
                                raise
                        # The refusal closed the connection; the next one signs in with the new credentials.
                        self.disconnect()
                        self.connect_check_health(retry_socket_connect=False)
                        return
                if command := self.naming():
                    self.send_command(*command, check_health=False)
                    self.read_response()

        @contextlib.contextmanager
        def _first_answers(self) -> Generator[None]:
            if self._sock is not None and first_answer is not None:
                self._sock.settimeout(first_answer)
            yield
            if self._sock is not None:
                self._sock.settimeout(self.socket_timeout)

    return SigningInConnection


def _handshake(context: ssl.SSLContext, sock: socket.socket, host: str, silence: float) -> ssl.SSLSocket:
    """Do a TLS handshake, with a limit to each silence of the other side.

    A limit to the whole handshake, such as that of ``SSLContext.wrap_socket``, includes the time that this process
    computes, or waits for a processor: a Lambda function with 128 MB has 7 % of one.
    """
    timeout = sock.gettimeout()
    sock.setblocking(False)
    tls = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(tls, selectors.EVENT_READ)
            while (awaited := _step(tls)) is not None:
                selector.modify(tls, awaited)
                if not selector.select(silence):
                    raise TimeoutError("no answer to the TLS handshake")
        tls.settimeout(timeout)
    except BaseException:
        tls.close()
        raise
    return tls


def _step(tls: ssl.SSLSocket) -> int | None:
    """Continue a handshake; returns what it has to wait for, or None at its end."""
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return selectors.EVENT_READ
    except ssl.SSLWantWriteError:
        return selectors.EVENT_WRITE
    return None
