"""The clients of a store, shared by all checks and kept when the store is looked at again."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Generator

from redis import Redis
from redis.cluster import RedisCluster
from redis.credentials import CredentialProvider

from cdk_redis_runtime._client.clients import ClientOptions, client_for, node_client
from cdk_redis_runtime._client.credentials import RememberingProvider
from cdk_redis_runtime._client.pool import pool_class
from cdk_redis_runtime._client.settings import Address, Connection
from cdk_redis_runtime._client.timeouts import ClientTimeouts
from cdk_redis_runtime._client.trust import verifying_context
from cdk_redis_runtime._smoke_test.checks.nodes import Node
from cdk_redis_runtime._smoke_test.clock import Clock, Once


class Clients:
    """Makes the clients of a store and remembers the secrets they used."""

    def __init__(self, connection: Connection, clock: Clock, credentials: CredentialProvider | None) -> None:
        """Keep the settings, without connecting.

        Args:
            connection: How to connect.
            clock: The time budget.
            credentials: How to sign in; None without authentication.
        """
        self._connection = connection
        self._credentials = RememberingProvider(credentials) if credentials else None
        # No retries here: the smoke test decides what is tried again.
        self._timeouts = ClientTimeouts(connect=clock.step_seconds, answer=clock.step_seconds, retries=0)
        self._nodes: dict[tuple[Address, int], Node] = {}
        self._lock = threading.Lock()
        self._tls_context = Once(verifying_context)
        self._pool_class = Once(lambda: pool_class(connection, self.trust()))

    @property
    def secrets(self) -> frozenset[str]:
        """Every password and token used so far, which no message may contain."""
        return frozenset(self._credentials.secrets) if self._credentials else frozenset()

    def trust(self) -> ssl.SSLContext | None:
        """The context that verifies certificates; None without TLS."""
        return self._tls_context() if self._connection.tls else None

    def node(self, address: Address, number: int = 0) -> Node:
        """The node at an address, with the client that all checks share.

        Args:
            address: Where it is reached.
            number: Tells clients of the same address apart.
        """
        with self._lock:
            if (address, number) not in self._nodes:
                client = node_client(address, self._credentials, self._timeouts, self._pool_class())
                self._nodes[address, number] = Node(address, client)
            return self._nodes[address, number]

    @contextlib.contextmanager
    def application_client(self) -> Generator[Redis | RedisCluster, None, None]:
        """The client that an application gets; a cluster client connects at once, and is closed at the end."""
        if not self._connection.cluster_mode:
            yield self.node(self._connection.endpoint).client
            return
        client = client_for(self._connection, self._credentials, ClientOptions(self._timeouts), self._pool_class())
        with contextlib.closing(client):
            yield client

    def close(self) -> None:
        """Close all connections, which also ends what still waits for an answer."""
        with self._lock:
            for node in self._nodes.values():
                node.client.close()
