"""A cluster client that finds its way as an application's does, and dials no more than it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis import ConnectionPool
from redis.cluster import RedisCluster
from redis.credentials import CredentialProvider

from cdk_redis_runtime._connect import Patience, cluster_options
from cdk_redis_runtime._settings import Address, Connection


class KnownCommandsCluster(RedisCluster):
    """A cluster client that asks about the few commands it will send.

    redis-py asks a server about every command there is, and works longer on the answer than on a handshake.
    """

    commands = ("SET", "GET", "DEL")
    """All that it can send."""

    def command(self, **options: Any) -> Any:
        """Where the keys of `commands` stand, as the client's routing asks for it."""
        return self.execute_command("COMMAND", "INFO", *self.commands, **options)


def known_commands_client(
    connection: Connection,
    credentials: CredentialProvider | None,
    patience: Patience,
    pool_of: Callable[[Address], ConnectionPool],
) -> RedisCluster:
    """Build the cluster client of `client_for`, for a program that sends SET, GET and DEL only and has pools already.

    Args:
        connection: The store's settings; cluster mode is on.
        credentials: From `credential_provider`.
        patience: Timeouts and retries.
        pool_of: The pool of a node's connections, which the client shares, and leaves open when it is closed.
    """

    def shared_pool(host: str, port: int, **_options: Any) -> ConnectionPool:
        # redis-py's cluster client turns localhost into its address, and nothing else.
        named = connection.host if connection.host == "localhost" and host == "127.0.0.1" else host
        return pool_of(Address(named, port))

    return KnownCommandsCluster(**cluster_options(connection, credentials, patience, shared_pool))
