"""What the nodes of a set report about themselves, also while some of them are frozen or have ended."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import RedisError

from cdk_redis_local._engines.cluster import owned_ranges
from cdk_redis_local._engines.node import Node

# A busy machine delays answers; a frozen node delays the caller for this time.
_SECONDS = 2.0


@dataclass(frozen=True)
class NodeState:
    """The state of a node.

    Attributes:
        node: The node.
        answers: Whether its engine runs and answers.
        role: ``primary`` or ``replica`` according to its engine; None if it does not answer.
        slots: The ranges of its slots, in order; empty without cluster mode, and for replicas.
    """

    node: Node
    answers: bool
    role: str | None = None
    slots: tuple[tuple[int, int], ...] = ()


def observe(nodes: Sequence[Node], *, cluster_mode: bool) -> list[NodeState]:
    """Ask each node for its state, all at the same time."""

    def ask(node: Node) -> NodeState:
        try:
            return _ask(node, cluster_mode=cluster_mode)
        except (RedisError, OSError):
            return NodeState(node, answers=False)

    with ThreadPoolExecutor(max(1, len(nodes))) as threads:
        return list(threads.map(ask, nodes))


def read_settings(node: Node, names: Sequence[str]) -> dict[str, str]:
    """The values of those of these engine settings that the node's engine has; empty if it does not answer."""
    try:
        with _client(node) as client:
            found: Any = client.config_get(*names)
    except (RedisError, OSError):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _ask(node: Node, *, cluster_mode: bool) -> NodeState:
    if not node.running:
        return NodeState(node, answers=False)
    with _client(node) as client:
        reported: Any = client.role()
        role = "primary" if reported[0] == "master" else "replica"
        ranges = owned_ranges(node, client) if cluster_mode else []
    return NodeState(node, answers=True, role=role, slots=tuple(sorted(ranges)))


def _client(node: Node) -> redis.Redis:
    manager = node.security.manager
    return node.client(manager.name, manager.passwords[0], port=node.engine_port, seconds=_SECONDS)
