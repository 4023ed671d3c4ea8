"""The connections below redis-py's clients: how they are secured, and how many there are."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from redis import Connection as RedisConnection
from redis import ConnectionPool, SSLConnection

from cdk_redis_runtime._settings import Address, Connection
from cdk_redis_runtime._wire import verifying_context


def pool_class(connection: Connection, trust: ssl.SSLContext | None = None) -> type[ConnectionPool]:
    """Choose the pool for a client of a store.

    Args:
        connection: The store's settings.
        trust: What certificates are verified against. Default: - the system's store, or ``SSL_CERT_FILE``.
    """
    return _pool_of(_connection_class(connection, trust), ConnectionPool)


def frugal_pool_class(
    connection: Connection,
    trust: ssl.SSLContext | None = None,
    opened: Callable[[Address], socket.socket | None] = lambda _address: None,
) -> type[ConnectionPool]:
    """Choose the pool for a client of one node that many threads share; its connections have their socket as ``wire``.

    Args:
        connection: The store's settings.
        trust: What certificates are verified against. Default: - the system's store, or ``SSL_CERT_FILE``.
        opened: Gives a connection to an address that is open already, TLS and all, but not signed in; None where
            there is none to be had.
    """

    class OpenedConnection(_connection_class(connection, trust)):
        wire: socket.socket

        def _connect(self) -> socket.socket:
            self.wire = opened(Address(self.host, self.port)) or super()._connect()
            return self.wire

    return _pool_of(OpenedConnection, _FrugalPool)


def _connection_class(connection: Connection, trust: ssl.SSLContext | None) -> Any:
    if not connection.tls:
        return RedisConnection
    context = trust or verifying_context()

    class TlsConnection(SSLConnection):
        # redis-py reads the machine's certificates anew for every connection, which takes tens of milliseconds where
        # they are those of the public authorities; and its cluster client drops what is said of the oldest TLS.
        def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
            return context.wrap_socket(sock, server_hostname=self.host)

    return TlsConnection


def _pool_of(connection_class: Any, pool: type[ConnectionPool]) -> type[ConnectionPool]:
    class Pool(pool):
        # Whatever the client's URL says.
        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "connection_class": connection_class})

    return Pool


class _FrugalPool(ConnectionPool):
    """Waits a moment for a connection to be given back before it dials another: a handshake takes longer.

    Only a moment: while one command hangs, the others get connections of their own.
    """

    _moment = 0.1

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Counts the connections at rest, and the one that may be dialled at once.
        self._at_rest = threading.Semaphore(1)

    def get_connection(self, *arguments: Any, **options: Any) -> Any:
        waited = self._at_rest.acquire(timeout=self._moment)
        try:
            return super().get_connection(*arguments, **options)
        except BaseException:
            if waited:
                self._at_rest.release()
            raise

    def release(self, connection: Any) -> None:
        super().release(connection)
        self._at_rest.release()

    # A cluster client calls both on the pool of the node that it has asked for the slots, to be rid of READONLY. Here
    # the checks share that pool, and send READONLY along with the reads that need it.
    def update_active_connections_for_reconnect(self, *_arguments: Any, **_options: Any) -> None:
        pass

    def disconnect_free_connections(self, *_arguments: Any, **_options: Any) -> None:
        pass
