"""Durability: whether a write outlives the nodes that took it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._core.choice import Choice

if TYPE_CHECKING:
    from cdk_redis._core.errors import Problems
    from cdk_redis._values.engine import Engine
    from cdk_redis._values.node_type import NodeType

# Families that cannot keep the log of writes; every newer one can.
_WITHOUT = ("t1", "t2", "t3", "t4g", "m1", "m2", "m3", "m4", "m5", "c1", "r3", "r4", "r5", "r6gd")


class Durability(Choice):
    """When a write is stored in a log that spans zones; failed nodes are restored from that log.

    Chosen when the store is made: later it changes in place between `SYNC` and `ASYNC` only. Both need Valkey 9.0,
    cluster mode, replicas and TLS. (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/durability.html)
    """

    SYNC = "sync"
    """Before the client has its answer: nothing that was acknowledged is lost, and a write takes milliseconds."""
    ASYNC = "async"
    """After it: writes are as fast as ever, and the last ten seconds of them can be lost."""
    DISABLED = "disabled"
    """Never: what no node remembers is lost."""


def check_durability(
    problems: Problems,
    durability: Durability | None,
    engine: Engine,
    node_type: NodeType,
    cluster_mode: bool,
    replicas: int,
    *,
    plaintext: bool,
) -> None:
    """Check that a store can have durability.

    Args:
        problems: Where to add what is found.
        durability: The durability.
        engine: Engine of the store.
        node_type: Type of its nodes.
        cluster_mode: Whether the store is in cluster mode.
        replicas: Replicas of each shard.
        plaintext: Whether the store has no TLS.
    """
    if durability is None or durability is Durability.DISABLED:
        return
    lacking = (
        (not engine.is_at_least(valkey="9.0", redis=None), f"{engine} has none", "use Valkey 9.0 or newer"),
        (not cluster_mode, "it needs cluster mode", "give a number of `shards`"),
        (replicas == 0, "it needs a replica in each shard", "raise `replicas`"),
        (plaintext, "it needs TLS", "leave out unsafe_plaintext"),
        (node_type.family in _WITHOUT, f"{node_type} has none", "use a node type such as cache.r7g.large"),
    )
    for is_lacking, reason, hint in lacking:
        if is_lacking:
            problems.add("durability", durability.value, reason, hint)
