"""Selects nodes of an `EngineSet` by shard and role, and waits for their replication."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.node import Node, wait_until

# How long after its connections were closed a killed process may count as running, in seconds.
_LONGEST_END = 0.5


def running(nodes: Iterable[Node]) -> list[Node]:
    """The nodes whose processes run."""
    return [node for node in nodes if node.running]


def ended(nodes: Sequence[Node]) -> list[Node]:
    """The nodes whose processes have ended, after an error of a connection.

    The kernel closes the connections of a killed process before it reports its end.
    """
    deadline = time.monotonic() + _LONGEST_END
    while all(node.running for node in nodes) and time.monotonic() < deadline:
        time.sleep(0.01)
    return [node for node in nodes if not node.running]


def check_all_run(nodes: Iterable[Node]) -> None:
    """Check that all nodes run.

    Raises:
        EngineError: A node has ended.
    """
    for node in nodes:
        if not node.running:
            raise EngineError(f"{node} has ended")


def with_role(nodes: Iterable[Node], role: str) -> list[Node]:
    """The nodes that were started as ``primary`` or ``replica``, or got that role in a failover."""
    return [node for node in nodes if node.started_as == role]


def current_primaries(nodes: Sequence[Node]) -> list[Node]:
    """The primary of each shard, in the order of the shards, according to the engines.

    Raises:
        EngineError: A shard has no primary, or more than one.
    """
    primaries = sorted((node for node in nodes if node.role == "primary"), key=lambda node: node.shard)
    if [node.shard for node in primaries] != sorted({node.shard for node in nodes}):
        raise EngineError(f"not every shard has one primary: {', '.join(map(str, primaries))}")
    return primaries


def size(nodes: Sequence[Node]) -> tuple[int, int]:
    """The number of shards, and of replicas in the smallest shard. There must be nodes."""
    shards = [node.shard for node in nodes]
    return len(set(shards)), min(map(shards.count, shards)) - 1


def missing_roles(nodes: Sequence[Node], shards: int, replicas: int) -> list[tuple[int, str]]:
    """Shard and role of each node to add, to get these numbers of shards and replicas."""
    missing: list[tuple[int, str]] = []
    for shard in range(shards):
        have = sum(node.shard == shard for node in nodes)
        roles = ["replica"] * (replicas + 1 - have)
        if not have:
            roles[0] = "primary"
        missing += [(shard, role) for role in roles]
    return missing


def surplus_nodes(nodes: Sequence[Node], shards: int, replicas: int) -> list[Node]:
    """The nodes to remove, to get these numbers of shards and replicas."""
    surplus = [node for node in nodes if node.shard >= shards]
    for shard in range(shards):
        spare = [node for node in nodes if node.shard == shard and node.role == "replica"]
        surplus += spare[replicas:]
    return surplus


def failover_pair(nodes: Iterable[Node], shard: int) -> tuple[Node, Node]:
    """The primary of a shard, and the replica that would take over.

    Raises:
        EngineError: The shard has no running primary or no running replica.
    """
    roles = {node: node.role for node in running(nodes) if node.shard == shard}
    primary = next((node for node, role in roles.items() if role == "primary"), None)
    successor = next((node for node, role in roles.items() if role == "replica"), None)
    if primary is None or successor is None:
        raise EngineError(f"shard {shard} cannot fail over: {len(roles)} of its nodes run")
    return primary, successor


def wait_for_replicas(nodes: Iterable[Node], *, alive: Iterable[Node] = ()) -> None:
    """Wait until all running replicas are in sync with their primaries.

    Raises:
        EngineError: A replica did not come into sync in time, or it or a node in ``alive`` ended.
    """
    for node in with_role(nodes, "replica"):
        if node.running:
            wait_until(
                lambda node=node: node.admin.info("replication").get("master_link_status") == "up",
                f"a full sync of {node}",
                alive=[*alive, node],
            )
