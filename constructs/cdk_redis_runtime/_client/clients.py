"""Builds redis-py clients for a store: verified TLS, sign-in, timeouts and retries."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import redis
from redis import ConnectionPool, Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import LoadBalancingStrategy, RedisCluster
from redis.commands import READ_COMMANDS
from redis.credentials import CredentialProvider
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from cdk_redis_runtime._client.cluster import CONTINUED_COMMANDS, Cluster, ReplicaReadingCluster
from cdk_redis_runtime._client.pool import pool_class
from cdk_redis_runtime._client.reading import SettingsError
from cdk_redis_runtime._client.settings import Address, Connection
from cdk_redis_runtime._client.timeouts import ClientTimeouts

# What engines accept as the name of a connection.
_CLIENT_NAME = re.compile("[!-~]+")
_READ_ONLY = READ_COMMANDS - CONTINUED_COMMANDS


@dataclass(frozen=True)
class ClientOptions:
    """What an application may choose; see `cdk_redis_runtime.connect`."""

    timeouts: ClientTimeouts = field(default_factory=ClientTimeouts)
    read_from_replicas: bool = False
    client_name: str | None = None
    protocol: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            SettingsError: With every value that is wrong.
        """
        problems: list[str] = []
        if self.client_name is not None and not _CLIENT_NAME.fullmatch(self.client_name):
            problems.append(f"client_name: got {self.client_name!r}, allowed are ASCII characters without spaces")
        if self.protocol not in (None, 2, 3):
            problems.append(f"protocol: got {self.protocol!r}, allowed are 2 and 3")
        if problems:
            raise SettingsError(problems, "an argument")


class ReplicaReading:
    """Mixin for a client of a store without cluster mode: single commands that only read go to the reader endpoint."""

    reader: Any = None

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command; see redis-py."""
        client: Any = self.reader if self.reader is not None and args[0] in _READ_ONLY else super()
        return client.execute_command(*args, **options)


class ReplicaReadingRedis(ReplicaReading, Redis):
    """A client that reads from the reader endpoint."""

    def close(self) -> None:
        """Close both clients."""
        super().close()
        if self.reader is not None:
            self.reader.close()


def client_for(
    connection: Connection,
    credentials: CredentialProvider | None,
    options: ClientOptions | None = None,
    make_pool: type[ConnectionPool] | None = None,
) -> Redis | RedisCluster:
    """Build the client of an application.

    Args:
        connection: The store's settings.
        credentials: From `credential_provider`; the clients of one store share it.
        options: Timeouts and others. Default: - `ClientOptions()`.
        make_pool: Class of its connection pools. Default: - one with the TLS context that all clients share.

    Returns:
        A cluster client, which connects at once; or a plain client, which connects at its first command.
    """
    options = options or ClientOptions()
    make_pool = make_pool or pool_class(connection, first_answer=options.timeouts.first_answer)
    if connection.cluster_mode:
        make_client = ReplicaReadingCluster if options.read_from_replicas else Cluster
        return make_client(**cluster_options(connection, credentials, options, make_pool))
    if not (options.read_from_replicas and connection.reader):
        return Redis.from_pool(_pool(connection.endpoint, credentials, options, make_pool))
    client: Any = ReplicaReadingRedis.from_pool(_pool(connection.endpoint, credentials, options, make_pool))
    client.reader = Redis.from_pool(_pool(connection.reader, credentials, options, make_pool))
    return client


def node_client(
    address: Address,
    credentials: CredentialProvider | None,
    timeouts: ClientTimeouts,
    make_pool: type[ConnectionPool],
) -> Redis:
    """Build a client of one node, which connects at its first command.

    Args:
        address: The node, with the name in its certificate.
        credentials: From `credential_provider`.
        timeouts: Timeouts and retries.
        make_pool: Class of its connection pool.
    """
    return Redis.from_pool(_pool(address, credentials, ClientOptions(timeouts), make_pool))


def cluster_options(
    connection: Connection,
    credentials: CredentialProvider | None,
    options: ClientOptions,
    make_pool: type[ConnectionPool],
) -> dict[str, Any]:
    """The options of a cluster client.

    Args:
        connection: The store's settings.
        credentials: From `credential_provider`.
        options: Timeouts and others.
        make_pool: Class of the connection pool of each node.
    """
    return {
        # With a URL, because the client accepts a pool class only then.
        "url": f"{'rediss' if connection.tls else 'redis'}://{connection.endpoint}",
        "connection_pool_class": make_pool,
        "retry": _retry(options.timeouts),
        **common_cluster_options(options),
        **common_options(credentials, options),
        **without_notifications(),
    }


def common_cluster_options(options: ClientOptions) -> dict[str, Any]:
    """The options of a cluster client, with and without asyncio."""
    return {
        # The smoke test reports a missing shard; the other shards can be used until then.
        "require_full_coverage": False,
        "load_balancing_strategy": LoadBalancingStrategy.ROUND_ROBIN if options.read_from_replicas else None,
    }


def common_options(credentials: CredentialProvider | None, options: ClientOptions) -> dict[str, Any]:
    """The options of every client, with and without asyncio."""
    return {
        "credential_provider": credentials,
        "client_name": options.client_name,
        "socket_connect_timeout": options.timeouts.connect,
        "socket_timeout": options.timeouts.answer,
        "decode_responses": True,
        # Not None: redis-py 7 would send it with asyncio.
        **({} if options.protocol is None else {"protocol": options.protocol}),
    }


def backoff() -> ExponentialWithJitterBackoff:
    """The pauses between retries."""
    return ExponentialWithJitterBackoff(base=0.05, cap=1.0)


def without_notifications() -> dict[str, Any]:
    """The option without which redis-py sends CLIENT MAINT_NOTIFICATIONS; a least-privilege user is refused it."""
    # redis-py 7 uses RESP2 by default, which has no such notifications, and rejects every setting for them.
    if int(redis.__version__.partition(".")[0]) < 8:
        return {}
    return {"maint_notifications_config": MaintNotificationsConfig(enabled=False)}


def _pool(
    address: Address, credentials: CredentialProvider | None, options: ClientOptions, make_pool: type[ConnectionPool]
) -> ConnectionPool:
    return make_pool(
        host=address.host,
        port=address.port,
        retry=_retry(options.timeouts),
        **common_options(credentials, options),
        **without_notifications(),
    )


def _retry(timeouts: ClientTimeouts) -> Retry:
    return Retry(backoff(), timeouts.retries)
