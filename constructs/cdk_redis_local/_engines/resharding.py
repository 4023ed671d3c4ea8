"""Changes the numbers of shards and replicas of a running cluster and keeps its keys."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from redis.client import NEVER_DECODE
from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.cluster import (
    SLOTS,
    known_ids,
    meet,
    node_id,
    open_slots,
    owned_slots,
    replicate,
    slots_by_owner,
    take_over,
)
from cdk_redis_local._engines.node import Node, wait_until
from cdk_redis_local._engines.slots import close_open_slots, move_slots, send

# After a failed node answers again, the cluster marks it as failed for two more node timeouts. A cluster that had lost
# its majority refuses commands for some seconds more.
_RETURN_SECONDS = 40
_ALL_ENDED = "all nodes have ended, so all keys are lost: delete the store, and create it again"


def join(members: Sequence[Node], new_nodes: Sequence[Node]) -> None:
    """Add running nodes to the cluster: primaries without slots, and replicas in sync with their primary."""
    meet(members[0], new_nodes)
    nodes = [*members, *new_nodes]
    for node in new_nodes:
        if node.started_as == "replica":
            replicate(node, primary_of(nodes, node.shard))
        else:
            _copy_functions(primary_of(members, members[0].shard), node)
    for node in new_nodes:
        wait_until(lambda node=node: _is_member(node, len(nodes)), f"{node} to join the cluster", alive=nodes)


def primary_of(nodes: Sequence[Node], shard: int) -> Node:
    """The current primary of a shard, also after a failover.

    Raises:
        EngineError: The shard has no running primary.
    """
    for node in nodes:
        if node.shard == shard and node.running and node.role == "primary":
            return node
    raise EngineError(f"shard {shard} has no running primary")


def share_slots(nodes: Sequence[Node], shards: Sequence[int]) -> None:
    """Move all slots with their keys to these shards, distributed evenly."""
    primaries = {shard: primary_of(nodes, shard) for shard in sorted({node.shard for node in nodes})}
    owned = {shard: owned_slots(primary) for shard, primary in primaries.items()}
    for source, target, slots in plan_moves(owned, shards):
        move_slots(nodes, primaries[source], primaries[target], slots)


def plan_moves(owned: Mapping[int, Sequence[int]], shards: Sequence[int]) -> list[tuple[int, int, list[int]]]:
    """Plan the moves that distribute all slots evenly over these shards.

    Args:
        owned: The slots of each shard, including shards without slots.
        shards: The shards that get the slots, at least one.

    Returns:
        Source, target and slots of each move. No slot is moved twice.
    """
    shares = {shard: SLOTS * (at + 1) // len(shards) - SLOTS * at // len(shards) for at, shard in enumerate(shards)}
    surplus = {shard: list(slots[shares.get(shard, 0) :]) for shard, slots in owned.items()}
    moves: list[tuple[int, int, list[int]]] = []
    for target in shards:
        missing = shares[target] - len(owned[target])
        for source, spare in surplus.items():
            if missing > 0 and spare and source != target:
                moves.append((source, target, spare[:missing]))
                missing -= len(moves[-1][2])
                del spare[: len(moves[-1][2])]
    return moves


def forget_other_nodes(members: Sequence[Node]) -> None:
    """Make the members forget all other nodes."""
    ids = {node_id(node) for node in members}
    for node in members:
        send(node, [("CLUSTER", "FORGET", other) for other in known_ids(node) - ids])


def repair(nodes: Sequence[Node], *, incomplete: bool) -> None:
    """Repair the cluster after an earlier change failed.

    Promotes replicas of primaries that ended, closes open slots if an earlier change is ``incomplete``, and makes the
    running nodes forget all others.

    Raises:
        EngineError: A node does not answer, or slots are lost because all nodes of a shard ended.
    """
    running = [node for node in nodes if node.running]
    gone = [node for node in nodes if node not in running]
    if not running:
        raise EngineError(_ALL_ENDED)
    for node in running:
        _check_answer(node)
    for shard in sorted({node.shard for node in running}):
        _have_primary([node for node in running if node.shard == shard])
    _check_no_slot_is_lost(running, gone)
    for node in running:
        wait_until(lambda node=node: _accepts(node), f"the return of {node}", seconds=_RETURN_SECONDS, alive=running)
    if incomplete:
        close_open_slots(running)
        for node in running:
            node.keys_in_transit = 0
    forget_other_nodes(running)


def _check_answer(node: Node) -> None:
    try:
        node.admin.ping()
    except RedisError as error:
        raise EngineError(f"{node} does not answer: {error}") from error


def _have_primary(nodes: Sequence[Node]) -> None:
    """Promote the most advanced replica if the shard has no primary any more."""
    replicas = [node for node in nodes if node.role == "replica"]
    if len(replicas) == len(nodes):
        # This fails if the cluster has elected a replica in the meantime.
        with contextlib.suppress(RedisError):
            take_over(most_advanced(replicas))
    for node in nodes:
        node.started_as = node.role


def most_advanced(replicas: Sequence[Node]) -> Node:
    """The replica with the highest replication offset.

    Raises:
        EngineError: There are no replicas.
    """
    if not replicas:
        raise EngineError(_ALL_ENDED)
    return max(replicas, key=lambda node: int(node.admin.info("replication").get("slave_repl_offset", 0)))


def _check_no_slot_is_lost(running: Sequence[Node], gone: Sequence[Node]) -> None:
    alive = {node_id(node) for node in running}
    for node in running:
        # A node that imports a slot ignores gossip about another owner of that slot.
        dead = [slot for slot, other in open_slots(node).items() if other not in alive]
        send(node, [("CLUSTER", "SETSLOT", slot, "STABLE") for slot in dead])
    views: list[dict[str, set[int]]] = []

    def agreed() -> bool:
        views[:] = [slots_by_owner(node) for node in running]
        return all(view == views[0] for view in views)

    wait_until(agreed, "all nodes to agree on the owners of the slots", alive=running)
    lost = SLOTS - sum(len(slots) for owner, slots in views[0].items() if owner in alive)
    if lost:
        ended = f", because these nodes ended: {', '.join(map(str, gone))}" if gone else ""
        raise EngineError(f"{lost} of {SLOTS} slots are lost{ended}. Delete the store, and create it again")


def _copy_functions(member: Node, new_node: Node) -> None:
    """Copy the functions of a member to a new primary, because they do not move with the slots."""
    dump = member.admin.execute_command("FUNCTION", "DUMP", **{NEVER_DECODE: True})
    new_node.admin.execute_command("FUNCTION", "RESTORE", dump, "REPLACE")


def _is_member(node: Node, members: int) -> bool:
    replication = node.admin.info("replication")
    in_sync = node.started_as == "primary" or replication["master_link_status"] == "up"
    # A new primary refuses all commands for its first two seconds.
    return len(known_ids(node)) == members and in_sync and _accepts(node)


def _accepts(node: Node) -> bool:
    return "cluster_state:ok" in node.admin.execute_command("CLUSTER", "INFO")
