"""redis-py's cluster client: nothing is sent twice without retries, new shards are found, each sign-in is retried."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

from redis import Connection
from redis.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.exceptions import AuthorizationError, NoPermissionError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from cdk_redis_runtime._client.sign_in import HelloCutOffError

CONTINUED_COMMANDS = frozenset({"SCAN", "HSCAN", "SSCAN", "ZSCAN"})
"""Reads that continue with a cursor, which has a meaning only for the node that returned it."""


class Cluster(RedisCluster):
    """A cluster client whose pipelines send no command twice if it has no retries.

    redis-py sends every command of a pipeline whose answer was lost with the connection once more, even if the client
    was made with zero retries.
    """

    # redis-py compares the type, not its bases.
    ERRORS_ALLOW_RETRY = (*RedisCluster.ERRORS_ALLOW_RETRY, HelloCutOffError)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> ClusterPipeline:
        """Make a pipeline; see redis-py."""
        pipeline: Any = super().pipeline(transaction, shard_hint)
        pipeline.get_node = self.get_node
        if self.retry.get_retries() == 0:
            _send_once(pipeline)
        return pipeline

    def get_node(
        self, host: str | None = None, port: int | None = None, node_name: str | None = None
    ) -> ClusterNode | None:
        """Find a node by its name, even if it serves no slot yet.

        While a new shard is given its first slot, it is missing in CLUSTER SLOTS, but ASK redirections lead to it.
        redis-py fails there with an AttributeError.
        """
        if (known := super().get_node(host, port, node_name)) or not node_name:
            return known
        new_host, _, new_port = node_name.rpartition(":")
        return ClusterNode(new_host, int(new_port))


class ReplicaReadingCluster(Cluster):
    """A cluster client that reads from replicas, but continues an iteration on the primary where it began."""

    def on_connect(self, connection: Connection) -> None:
        """Prepare a new connection; see redis-py."""
        with reporting_readonly():
            super().on_connect(connection)

    def get_nodes_from_slot(self, command: str, *args: Any) -> Any:
        """Find the node for a command; see redis-py, which continues a cursor of one replica on another."""
        return super().get_nodes_from_slot("" if command in CONTINUED_COMMANDS else command, *args)


@contextlib.contextmanager
def reporting_readonly() -> Generator[None]:
    """Explain why READONLY is refused; redis-py reports that cluster mode is not enabled.

    Raises:
        AuthorizationError: The user may not run READONLY.
    """
    try:
        yield
    except NoPermissionError as refusal:
        raise AuthorizationError(
            f"read_from_replicas=True needs the command READONLY, which the store refuses ({refusal}); add +readonly "
            "to the user's access string"
        ) from refusal


def _send_once(pipeline: Any) -> None:
    send = pipeline.parent_execute_command

    def send_what_was_not_run(*args: Any, **options: Any) -> Any:
        # A command that was redirected (MOVED, ASK, TRYAGAIN) has not run. One whose answer was lost may have run.
        # redis-py has no public way to ask for a queued command's result.
        for command in pipeline._execution_strategy.command_queue:
            if command.args == args and isinstance(command.result, (RedisConnectionError, RedisTimeoutError)):
                raise command.result
        return send(*args, **options)

    pipeline.parent_execute_command = send_what_was_not_run
