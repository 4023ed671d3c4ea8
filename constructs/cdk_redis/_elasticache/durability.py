"""Durability: whether writes survive the failure of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._core.choice import Choice

if TYPE_CHECKING:
    from cdk_redis._core.errors import Problems
    from cdk_redis._values.engine import Engine
    from cdk_redis._values.node_type import NodeType

# Node families that do not support durability; all newer ones do.
_UNSUPPORTED_FAMILIES = ("t1", "t2", "t3", "t4g", "m1", "m2", "m3", "m4", "m5", "c1", "r3", "r4", "r5", "r6gd")


class Durability(Choice):
    """When ElastiCache stores a write in a Multi-AZ transaction log, from which it restores failed nodes.

    It is set when the store is created; after that, only a change between `SYNC` and `ASYNC` is possible, in place.
    Both need Valkey 9.0, cluster mode, replicas and TLS.
    (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/durability.html)
    """

    SYNC = "sync"
    """Before the reply to the client: acknowledged writes are never lost, and a write takes milliseconds."""
    ASYNC = "async"
    """After the reply to the client: writes are not slower, and those of the last ten seconds can be lost."""
    DISABLED = "disabled"
    """Never: a write is lost if all nodes that have it fail."""


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
    """Check that a store supports durability.

    Args:
        problems: Where to add problems.
        durability: The durability.
        engine: Engine of the store.
        node_type: Type of its nodes.
        cluster_mode: Whether the store is in cluster mode.
        replicas: Replicas of each shard.
        plaintext: Whether the store has no TLS.
    """
    if durability is None or durability is Durability.DISABLED:
        return
    requirements = (
        (not engine.is_at_least(valkey="9.0", redis=None), f"{engine} does not support it", "use Valkey 9.0 or newer"),
        (not cluster_mode, "it needs cluster mode", "give a number of `shards`"),
        (replicas == 0, "it needs a replica in each shard", "raise `replicas`"),
        (plaintext, "it needs TLS", "leave out unsafe_plaintext"),
        (
            node_type.family in _UNSUPPORTED_FAMILIES,
            f"{node_type} does not support it",
            "use a node type such as cache.r7g.large",
        ),
    )
    for is_missing, reason, hint in requirements:
        if is_missing:
            problems.add("durability", durability.value, reason, hint)
