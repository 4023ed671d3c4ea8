"""The clients of a store, shared by all checks, and kept while the store is looked at anew."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Generator

from redis import Redis
from redis.cluster import RedisCluster
from redis.credentials import CredentialProvider

from cdk_redis_runtime._client.connect import ClientTimeouts, client_for, node_client
from cdk_redis_runtime._client.credentials import RenewableProvider
from cdk_redis_runtime._client.pool import pool_class
from cdk_redis_runtime._client.settings import Address, Connection
from cdk_redis_runtime._client.wire import verifying_context
from cdk_redis_runtime._smoke_test.checks.nodes import Node
from cdk_redis_runtime._smoke_test.clock import Clock, Once


class Clients:
    """Makes the clients of a store, and remembers which secrets they used."""

    def __init__(self, connection: Connection, clock: Clock, credentials: CredentialProvider | None) -> None:
        """Keep the settings; nothing is dialled yet.

        Args:
            connection: How to connect.
            clock: The battery's budget.
            credentials: How to sign in; None where the store has no authentication.
        """
        self._connection = connection
        self._credentials = _Remembering(credentials) if credentials else None
        # Each try dials and asks once: the battery decides what is tried again.
        self._timeouts = ClientTimeouts(connect=clock.step_seconds, answer=clock.step_seconds, retries=0)
        self._nodes: dict[tuple[Address, int], Node] = {}
        self._lock = threading.Lock()
        self._tls_context = Once(verifying_context)
        self._pool_class = Once(lambda: pool_class(connection, self.trust()))

    @property
    def secrets(self) -> frozenset[str]:
        """Every password and token used so far, which no text may contain."""
        return frozenset(self._credentials.handed_out) if self._credentials else frozenset()

    def trust(self) -> ssl.SSLContext | None:
        """What certificates are verified against; None without TLS."""
        return self._tls_context() if self._connection.tls else None

    def node(self, address: Address, number: int = 0) -> Node:
        """The node at an address, with the one client that all checks share.

        Args:
            address: Where it is reached.
            number: Which one, where several share an address.
        """
        with self._lock:
            if (address, number) not in self._nodes:
                client = node_client(address, self._credentials, self._timeouts, self._pool_class())
                self._nodes[address, number] = Node(address, client)
            return self._nodes[address, number]

    @contextlib.contextmanager
    def application_client(self) -> Generator[Redis | RedisCluster, None, None]:
        """A client that finds its way as an application's does; a cluster client dials at once, and hangs up after."""
        if not self._connection.cluster_mode:
            yield self.node(self._connection.endpoint).client
            return
        client = client_for(self._connection, self._credentials, self._timeouts, self._pool_class())
        with contextlib.closing(client):
            yield client

    def close(self) -> None:
        """Hang up everywhere, which also ends what is still waiting for an answer."""
        with self._lock:
            for node in self._nodes.values():
                node.client.close()


class _Remembering(RenewableProvider):
    """Hands on credentials, and remembers the secret half, so that it can be kept out of every text."""

    def __init__(self, provider: CredentialProvider) -> None:
        self._provider = provider
        self.handed_out: set[str] = set()

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        credentials = self._provider.get_credentials()
        self.handed_out.add(credentials[-1])
        return credentials

    def renew(self, refused: tuple[str, ...]) -> bool:
        return isinstance(self._provider, RenewableProvider) and self._provider.renew(refused)
