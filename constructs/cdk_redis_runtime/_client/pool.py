"""The connections of redis-py's clients: one TLS context for all, and the sign-in."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from redis import Connection as RedisConnection
from redis import ConnectionPool, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._client.sign_in import on_connect, signing_in
from cdk_redis_runtime._client.wire import verifying_context

# redis-py's message where the other side closes the connection; its name for it is private.
_CLOSED = "Connection closed by server"


class HelloCutOffError(RedisConnectionError):
    """The other side closed the connection at HELLO, which signs in."""


def pool_class(connection: Connection, trust: ssl.SSLContext | None = None) -> type[ConnectionPool]:
    """Make the connection pool class of a store's clients.

    Args:
        connection: The store's settings.
        trust: Context that verifies certificates. Default: - a new one, with the authorities of the system or of
            ``SSL_CERT_FILE``.
    """
    connection_class = _reporting_hello(_connection_class(connection, trust))

    class Pool(ConnectionPool):
        # Replaces the connection class that the client's URL chose. A cluster client sets its own redis_connect_func.
        def __init__(self, **options: Any) -> None:
            options = {"redis_connect_func": on_connect, **options, "connection_class": connection_class}
            super().__init__(**options)

    return Pool


def _reporting_hello(connection_class: Any) -> Any:
    class HelloConnection(connection_class):
        def on_connect_check_health(self, *arguments: Any, **options: Any) -> None:
            try:
                super().on_connect_check_health(*arguments, **options)
            except RedisConnectionError as error:
                if _is_closed_by_server(error):
                    raise HelloCutOffError(str(error)) from error
                raise

    return HelloConnection


def _is_closed_by_server(error: RedisConnectionError) -> bool:
    if type(error) is not RedisConnectionError:
        return False
    # A TLS alert is more specific than the end of the connection.
    reset = isinstance(error.__context__, OSError) and not isinstance(error.__context__, ssl.SSLError)
    return reset or _CLOSED in str(error)


def _connection_class(connection: Connection, trust: ssl.SSLContext | None) -> Any:
    if not connection.tls:
        return signing_in(RedisConnection)
    context = trust or verifying_context()

    class TlsConnection(SSLConnection):
        # redis-py builds an SSL context for every connection, and accepts none from outside. Each reads the public
        # authorities again: with 144 of them that made the smoke test six times slower (benchmarks/README.md).
        # redis-py's cluster client also drops ssl_min_version.
        def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
            return context.wrap_socket(sock, server_hostname=self.host)

    return signing_in(TlsConnection)
