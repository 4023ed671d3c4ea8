"""Builds clients of ``redis.asyncio`` for a store, with the options of those without asyncio."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.credentials import CredentialProvider

from cdk_redis_runtime._client.clients import (
    ClientOptions,
    ReplicaReading,
    backoff,
    common_cluster_options,
    common_options,
    without_notifications,
)
from cdk_redis_runtime._client.cluster_async import AsyncCluster, AsyncReplicaReadingCluster
from cdk_redis_runtime._client.pool_async import connection_class
from cdk_redis_runtime._client.settings import Address, Connection


class AsyncReplicaReadingRedis(ReplicaReading, Redis):
    """A client that reads from the reader endpoint."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close both clients."""
        await super().aclose(close_connection_pool)
        if self.reader is not None:
            await self.reader.aclose(close_connection_pool)


def async_client_for(
    connection: Connection, credentials: CredentialProvider | None, options: ClientOptions
) -> Redis | RedisCluster:
    """Build the client of an application; it connects at its first command.

    Args:
        connection: The store's settings.
        credentials: From `credential_provider`; the clients of one store share it.
        options: Timeouts and others.
    """
    one_class = connection_class(connection, options.timeouts.first_answer)
    common: dict[str, Any] = {
        **common_options(credentials, options),
        "retry": Retry(backoff(), options.timeouts.retries),
    }
    if connection.cluster_mode:
        make_client = AsyncReplicaReadingCluster if options.read_from_replicas else AsyncCluster
        return make_client(
            connection_class=one_class,
            host=connection.host,
            port=connection.port,
            **common_cluster_options(options),
            **common,
            **_accepted(RedisCluster, without_notifications()),
        )

    def pool(address: Address) -> ConnectionPool:
        return ConnectionPool(
            connection_class=one_class,
            host=address.host,
            port=address.port,
            **common,
            **_accepted(ConnectionPool, without_notifications()),
        )

    if not (options.read_from_replicas and connection.reader):
        return Redis.from_pool(pool(connection.endpoint))
    client: Any = AsyncReplicaReadingRedis.from_pool(pool(connection.endpoint))
    client.reader = Redis.from_pool(pool(connection.reader))
    return client


def _accepted(make: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options that this version of redis-py has for its asyncio clients, too."""
    return {name: value for name, value in options.items() if name in inspect.signature(make).parameters}
