"""redis-py's cluster client, which without retries repeats nothing."""

from __future__ import annotations

from typing import Any

from redis.cluster import ClusterPipeline, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


class Cluster(RedisCluster):
    """A cluster client. Made without retries, its pipelines send no command twice either.

    redis-py sends what a lost connection left without an answer once more, command by command, whatever its retries.
    """

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> ClusterPipeline:
        """Make a pipeline; see redis-py."""
        made = super().pipeline(transaction, shard_hint)
        if self.retry.get_retries() == 0:
            _send_once(made)
        return made


def _send_once(pipeline: Any) -> None:
    send = pipeline.parent_execute_command

    def send_what_was_not_run(*args: Any, **options: Any) -> Any:
        # What another node serves (MOVED, ASK, TRYAGAIN) was not run. What was lost may have been.
        for command in pipeline._execution_strategy.command_queue:
            if command.args == args and isinstance(command.result, (RedisConnectionError, RedisTimeoutError)):
                raise command.result
        return send(*args, **options)

    pipeline.parent_execute_command = send_what_was_not_run
