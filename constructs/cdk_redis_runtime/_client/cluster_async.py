"""The cluster client of ``redis.asyncio`` with two additions: its own connection class, and new shards are found."""

from __future__ import annotations

from typing import Any

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import Connection
from redis.cluster import PRIMARY

from cdk_redis_runtime._client.cluster import CONTINUED_COMMANDS, reporting_readonly
from cdk_redis_runtime._client.sign_in import HelloCutOffError


class AsyncCluster(RedisCluster):
    """A cluster client that signs in as `connect_async` does, and follows ASK to a shard that has no slot yet."""

    # redis-py compares the type, not its bases. After an error it closes all connections of a node, also those that
    # sign in at that moment for other commands.
    ERRORS_ALLOW_RETRY = (*RedisCluster.ERRORS_ALLOW_RETRY, HelloCutOffError)

    def __init__(self, *, connection_class: Any, **options: Any) -> None:
        """Create the client of redis-py, which has no option for the class of its connections.

        Args:
            connection_class: From `cdk_redis_runtime._client.pool_async`.
            options: Those of redis-py.
        """
        super().__init__(**options)
        # Nodes that are found later are created from these.
        self.connection_kwargs["connection_class"] = connection_class
        for node in self.nodes_manager.startup_nodes.values():
            node.connection_class = connection_class

    def get_node(self, host: str | None = None, port: int | None = None, node_name: str | None = None) -> Any:
        """Find a node. By its name, which redis-py uses only to follow ASK, it is found even if it serves no slot yet.

        See `cdk_redis_runtime._client.cluster.Cluster`.
        """
        known = super().get_node(host, port, node_name)
        if node_name is None:
            return known
        if known is None:
            new_host, _, new_port = node_name.rpartition(":")
            node = ClusterNode(new_host, int(new_port), PRIMARY, **self.connection_kwargs)
            # The next reading of the slots closes it if it does not list the node.
            known = self.nodes_manager.nodes_cache.setdefault(node.name, node)
        return _AskedNode(known)


class AsyncReplicaReadingCluster(AsyncCluster):
    """A cluster client that reads from replicas; see `cdk_redis_runtime._client.cluster.ReplicaReadingCluster`."""

    async def on_connect(self, connection: Connection) -> None:
        """Prepare a new connection; see redis-py."""
        with reporting_readonly():
            await super().on_connect(connection)

    async def get_nodes_from_slot(self, command: str, *args: Any) -> Any:
        """Find the node for a command; see redis-py."""
        if command in CONTINUED_COMMANDS:
            return [self.nodes_manager.get_node_from_slot(await self._determine_slot(command, *args))]
        return await super().get_nodes_from_slot(command, *args)


class _AskedNode:
    """Sends ASKING with each command; redis-py sends it on any connection of the node, where it may have no effect."""

    def __init__(self, node: ClusterNode) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    @property
    def __class__(self) -> type[ClusterNode]:  # pyright: ignore[reportIncompatibleMethodOverride]
        # redis-py accepts nothing else where an application names a node.
        return ClusterNode

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        if args == ("ASKING",):
            return None
        node = self._node
        if options.get("asking"):
            # redis-py itself sends ASKING with this command.
            return await node.execute_command(*args, **options)
        options.pop("asking", None)
        connection: Any = node.acquire_connection()
        try:
            await connection.send_packed_command(connection.pack_commands([("ASKING",), args]))
            await connection.read_response()
            return await node.parse_response(connection, args[0], **options)
        finally:
            node.release(connection)
