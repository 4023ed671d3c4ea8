"""Sets without cluster mode that follow another one: the primary of the set replicates from a node of the other set.

Its own replicas replicate from its primary, as before. All its nodes refuse writes.
"""

from __future__ import annotations

from collections.abc import Iterable

from cdk_redis_local._engines import members
from cdk_redis_local._engines.node import Node


def source(nodes: Iterable[Node]) -> Node | None:
    """The node that other sets replicate from: a replica, or the primary if no replica runs; None if no node runs.

    The primary reports the nodes that replicate from it, and a smoke test compares them with the declared replicas.
    """
    running = members.running(nodes)
    return next((node for node in running if node.started_as == "replica"), next(iter(running), None))


def follow(node: Node, followed: Node) -> None:
    """Make the primary of a set replicate from a node of another set. Does nothing if it does."""
    if node.followed is followed and node.admin.role()[0] != "master":
        return
    # The sets have different passwords for replication.
    node.admin.config_set("masterauth", followed.security.manager.passwords[0])
    node.followed = followed
    node.admin.replicaof(followed.address, str(followed.engine_port))


def lead(node: Node) -> None:
    """Let a node that followed another set accept writes."""
    node.admin.replicaof("NO", "ONE")
    node.followed = None
    node.admin.config_set("masterauth", node.security.manager.passwords[0])


def take_over(primary: Node, successor: Node) -> None:
    """Promote a replica in place of a primary that has ended. It follows the other set that the primary followed."""
    followed, primary.followed = primary.followed, None
    if followed is None:
        successor.admin.replicaof("NO", "ONE")
    else:
        follow(successor, followed)


def in_sync(node: Node) -> bool:
    """Whether a primary that follows another set has all its keys."""
    return node.admin.info("replication").get("master_link_status") == "up"


def position(node: Node) -> int:
    """How far a node has read or written its replication stream."""
    info = node.admin.info("replication")
    return int(info["master_repl_offset"])
