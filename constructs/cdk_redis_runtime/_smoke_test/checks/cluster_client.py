"""A cluster client that finds its way as an application's does, and asks no more than it must."""

from __future__ import annotations

from typing import Any

from redis.cluster import ClusterNode, RedisCluster


class KnownCommandsCluster(RedisCluster):
    """A cluster client that asks about the few commands it will send.

    redis-py asks a server about every command there is, and works longer on the answer than on a handshake.
    """

    commands = ("SET", "GET", "DEL")
    """All that it can send."""

    def command(self, **options: Any) -> Any:
        """Where the keys of `commands` stand, as the client's routing asks for it."""
        return self.execute_command("COMMAND", "INFO", *self.commands, **options)

    def delete(self, *names: Any) -> int:
        """Delete keys, each by a command of its own.

        redis-py sends them in a pipeline, which does not ask `get_node`.
        """
        return sum(int(self.execute_command("DEL", name)) for name in names)

    def get_node(
        self, host: str | None = None, port: int | None = None, node_name: str | None = None
    ) -> ClusterNode | None:
        """Find a node by its name, also where no slot is known to be its own.

        A new shard is nowhere in the map of slots before it has its first slot: ASK names it first.
        """
        if (known := super().get_node(host, port, node_name)) or not node_name:
            return known
        newcomer_host, _, newcomer_port = node_name.rpartition(":")
        return ClusterNode(newcomer_host, int(newcomer_port))
