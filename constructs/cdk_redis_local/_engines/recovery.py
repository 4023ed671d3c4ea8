"""Chooses which node takes over from which, as the services do when nodes fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cdk_redis_local._engines.node import START_SECONDS, Node, wait_until
from cdk_redis_local._engines.resharding import most_advanced


def crashed(nodes: Iterable[Node]) -> list[Node]:
    """The nodes whose processes ended without a call of :meth:`Node.stop`."""
    return [node for node in nodes if node.process is not None and not node.running and not node.stopped]


def promotions(nodes: Sequence[Node], ended: Sequence[Node], *, durable: bool) -> list[tuple[Node, Node]]:
    """Each primary that ended with the replica to promote in its place.

    A primary of a durable set starts again with all its keys. A replica may lack the last writes.
    """
    found: list[tuple[Node, Node]] = []
    for primary in [node for node in ended if node.started_as == "primary"]:
        others = [node for node in nodes if node.shard == primary.shard and node.running]
        elected = next((node for node in others if node.role == "primary"), None)
        if elected:
            primary.started_as, elected.started_as = "replica", "primary"
        elif others and not durable:
            found.append((primary, most_advanced(others)))
    return found


def catch_up(primary: Node, replica: Node) -> None:
    """Stop the writes of a primary, and wait until the replica has all of them.

    Raises:
        EngineError: The replica did not get them in time.
    """
    primary.admin.execute_command("CLIENT", "PAUSE", int(START_SECONDS * 1000), "WRITE")
    offset = int(primary.admin.info("replication")["master_repl_offset"])
    wait_until(
        lambda: int(replica.admin.info("replication")["slave_repl_offset"]) >= offset,
        f"{replica} to have all writes",
        alive=[primary, replica],
    )
