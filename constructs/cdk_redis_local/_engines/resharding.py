"""Changing the shards and replicas of a running cluster, with its keys."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from redis.client import NEVER_DECODE
from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.cluster import (
    SLOTS,
    introduce,
    known_ids,
    node_id,
    open_slots,
    owned_slots,
    replicate,
    slots_by_owner,
    take_over,
)
from cdk_redis_local._engines.node import Node, wait_until
from cdk_redis_local._engines.slots import close_open_slots, move_slots, send

# A node that did not answer for long is called failed for two node timeouts after it is back, and the cluster, if it
# lacked its majority, refuses commands for some seconds more.
_RETURN_SECONDS = 40
_ALL_ENDED = "all nodes have ended, and the keys are lost with them: delete the store, and create it again"


def join(members: Sequence[Node], newcomers: Sequence[Node]) -> None:
    """Make running nodes members: primaries without slots yet, replicas in sync with the primary of their shard."""
    introduce(members[0], newcomers)
    everybody = [*members, *newcomers]
    for node in newcomers:
        if node.started_as == "replica":
            replicate(node, primary_of(everybody, node.shard))
        else:
            _copy_functions(primary_of(members, members[0].shard), node)
    for node in newcomers:
        wait_until(lambda node=node: _is_member(node, len(everybody)), f"the joining of {node}", alive=everybody)


def primary_of(nodes: Sequence[Node], shard: int) -> Node:
    """The node that is the primary of a shard now, which a failover may have changed.

    Raises:
        EngineError: The shard has none.
    """
    for node in nodes:
        if node.shard == shard and node.running and node.role == "primary":
            return node
    raise EngineError(f"no node of shard {shard} is a primary")


def share_slots(nodes: Sequence[Node], shards: Sequence[int]) -> None:
    """Move slots, with their keys, until these shards have an even share each, and the others none."""
    primaries = {shard: primary_of(nodes, shard) for shard in sorted({node.shard for node in nodes})}
    owned = {shard: owned_slots(primary) for shard, primary in primaries.items()}
    for giver, taker, slots in plan_moves(owned, shards):
        move_slots(nodes, primaries[giver], primaries[taker], slots)


def plan_moves(owned: Mapping[int, Sequence[int]], shards: Sequence[int]) -> list[tuple[int, int, list[int]]]:
    """Which slots to move so that these shards have an even share each, and the others none.

    Args:
        owned: The slots of each shard, of those without any too.
        shards: The shards that are to have slots, at least one.

    Returns:
        Giver, taker and slots of each move. No slot is moved twice.
    """
    shares = {shard: SLOTS * (at + 1) // len(shards) - SLOTS * at // len(shards) for at, shard in enumerate(shards)}
    surplus = {shard: list(slots[shares.get(shard, 0) :]) for shard, slots in owned.items()}
    moves: list[tuple[int, int, list[int]]] = []
    for taker in shards:
        missing = shares[taker] - len(owned[taker])
        for giver, spare in surplus.items():
            if missing > 0 and spare and giver != taker:
                moves.append((giver, taker, spare[:missing]))
                missing -= len(moves[-1][2])
                del spare[: len(moves[-1][2])]
    return moves


def forget_strangers(members: Sequence[Node]) -> None:
    """Have the members forget everybody else."""
    ids = {node_id(node) for node in members}
    for node in members:
        send(node, [("CLUSTER", "FORGET", stranger) for stranger in known_ids(node) - ids])


def mend(nodes: Sequence[Node], *, half_done: bool) -> None:
    """Make a whole cluster of what an earlier change left half done.

    Replicas take over from primaries that ended, moves of slots that broke off are ended, and who is not among the
    running nodes is forgotten.

    Raises:
        EngineError: A node does not answer, or slots are lost with the nodes that had them.
    """
    running = [node for node in nodes if node.running]
    gone = [node for node in nodes if node not in running]
    if not running:
        raise EngineError(_ALL_ENDED)
    for node in running:
        _check_answer(node)
    for shard in sorted({node.shard for node in running}):
        _have_primary([node for node in running if node.shard == shard])
    _check_nothing_is_lost(running, gone)
    for node in running:
        wait_until(lambda node=node: _accepts(node), f"the return of {node}", seconds=_RETURN_SECONDS, alive=running)
    if half_done:
        close_open_slots(running)
        for node in running:
            node.keys_in_transit = 0
    forget_strangers(running)


def _check_answer(node: Node) -> None:
    try:
        node.admin.ping()
    except RedisError as error:
        raise EngineError(f"{node} does not answer: {error}") from error


def _have_primary(nodes: Sequence[Node]) -> None:
    """Let the replica that has the most take over, if the shard has no primary any more."""
    replicas = [node for node in nodes if node.role == "replica"]
    if len(replicas) == len(nodes):
        # It may have been elected by now.
        with contextlib.suppress(RedisError):
            take_over(most_advanced(replicas))
    for node in nodes:
        node.started_as = node.role


def most_advanced(replicas: Sequence[Node]) -> Node:
    """The replica that has the most of what its primary had.

    Raises:
        EngineError: There is none.
    """
    if not replicas:
        raise EngineError(_ALL_ENDED)
    return max(replicas, key=lambda node: int(node.admin.info("replication").get("slave_repl_offset", 0)))


def _check_nothing_is_lost(running: Sequence[Node], gone: Sequence[Node]) -> None:
    alive = {node_id(node) for node in running}
    for node in running:
        # While a node takes a slot from another, it does not hear that a third one owns it now.
        dead = [slot for slot, other in open_slots(node).items() if other not in alive]
        send(node, [("CLUSTER", "SETSLOT", slot, "STABLE") for slot in dead])
    views: list[dict[str, set[int]]] = []

    def agreed() -> bool:
        views[:] = [slots_by_owner(node) for node in running]
        return all(view == views[0] for view in views)

    wait_until(agreed, "the nodes' agreement on who owns which slot", alive=running)
    lost = SLOTS - sum(len(slots) for owner, slots in views[0].items() if owner in alive)
    if lost:
        ended = f" with what ended, {' and '.join(map(str, gone))}" if gone else ""
        raise EngineError(f"{lost} of {SLOTS} slots are lost{ended}: delete the store, and create it again")


def _copy_functions(member: Node, newcomer: Node) -> None:
    """Give a new primary the functions of the others: they belong to no slot, so that none brings them along."""
    dump = member.admin.execute_command("FUNCTION", "DUMP", **{NEVER_DECODE: True})
    newcomer.admin.execute_command("FUNCTION", "RESTORE", dump, "REPLACE")


def _is_member(node: Node, members: int) -> bool:
    replication = node.admin.info("replication")
    in_sync = node.started_as == "primary" or replication["master_link_status"] == "up"
    # A new primary refuses everything for its first two seconds.
    return len(known_ids(node)) == members and in_sync and _accepts(node)


def _accepts(node: Node) -> bool:
    return "cluster_state:ok" in node.admin.execute_command("CLUSTER", "INFO")
