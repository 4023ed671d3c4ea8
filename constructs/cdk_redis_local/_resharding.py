"""Changing the shards and replicas of a running cluster, with its keys."""

from __future__ import annotations

from collections.abc import Sequence

from ._cluster import SLOTS, introduce, node_id, owned_ranges, replicate, wait_until_available
from ._node import Node, wait_until

_MIGRATE_MILLISECONDS = 10_000
_KEYS_AT_A_TIME = 200


def join(members: Sequence[Node], newcomers: Sequence[Node]) -> None:
    """Make running nodes members: primaries without slots yet, replicas in sync with the primary of their shard."""
    introduce(members[0], newcomers)
    everybody = [*members, *newcomers]
    for node in newcomers:
        if node.started_as == "replica":
            primary = primary_of(everybody, node.shard)
            replicate(node, primary)
    for node in newcomers:
        wait_until(lambda node=node: _is_member(node, len(everybody)), "a new node's joining of the cluster")


def primary_of(nodes: Sequence[Node], shard: int) -> Node:
    """The node that is the primary of a shard now, which a failover may have changed."""
    return next(node for node in nodes if node.shard == shard and node.running and node.role == "primary")


def share_slots(nodes: Sequence[Node], shards: Sequence[int]) -> None:
    """Move slots, with their keys, until these shards have an even share each, and the others none."""
    primaries = {shard: primary_of(nodes, shard) for shard in sorted({node.shard for node in nodes})}
    slots = {shard: _slots(primary) for shard, primary in primaries.items()}
    wanted = dict.fromkeys(primaries, 0)
    for position, shard in enumerate(shards):
        wanted[shard] = SLOTS * (position + 1) // len(shards) - SLOTS * position // len(shards)
    surplus = [(shard, slot) for shard in primaries for slot in slots[shard][wanted[shard] :]]
    for shard in shards:
        while len(slots[shard]) < wanted[shard]:
            giver = surplus[0][0]
            missing = wanted[shard] - len(slots[shard])
            batch = [slot for owner, slot in surplus if owner == giver][:missing]
            _move(nodes, primaries[giver], primaries[shard], batch)
            surplus = surplus[len(batch) :]
            slots[shard] += batch


def leave(members: Sequence[Node], leavers: Sequence[Node]) -> None:
    """Have the members forget nodes, and stop these."""
    for leaver in sorted(leavers, key=lambda node: node.started_as == "primary"):
        identifier = node_id(leaver)
        leaver.stop()
        for node in members:
            if node.running:
                node.admin.execute_command("CLUSTER", "FORGET", identifier)
    wait_until_available(members)


def _move(nodes: Sequence[Node], giver: Node, taker: Node, slots: Sequence[int]) -> None:
    if giver.program.moves_slots_itself:
        _ask_to_move(giver, taker, slots)
        return
    giver_id, taker_id = node_id(giver), node_id(taker)
    _each(taker, [("CLUSTER", "SETSLOT", slot, "IMPORTING", giver_id) for slot in slots])
    _each(giver, [("CLUSTER", "SETSLOT", slot, "MIGRATING", taker_id) for slot in slots])
    counts = _each(giver, [("CLUSTER", "COUNTKEYSINSLOT", slot) for slot in slots])
    for slot, count in zip(slots, counts, strict=True):
        if count:
            _move_keys(giver, taker, slot)
    # The new owner first: if something fails half-way, no slot is without one.
    for node in [taker, giver, *(node for node in nodes if node not in (taker, giver) and node.role == "primary")]:
        _each(node, [("CLUSTER", "SETSLOT", slot, "NODE", taker_id) for slot in slots])


def _ask_to_move(giver: Node, taker: Node, slots: Sequence[int]) -> None:
    # Valkey waits for its replicas at each SETSLOT: slot by slot, this would take minutes.
    ranges = [word for first, last in _ranges(slots) for word in (first, last)]
    giver.admin.execute_command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *ranges, "NODE", node_id(taker))
    wait_until(lambda: set(slots) <= set(_slots(taker)), "the moving of slots", seconds=60)


def _ranges(slots: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and slot == found[-1][1] + 1:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return found


def _move_keys(giver: Node, taker: Node, slot: int) -> None:
    manager = giver.security.manager
    while keys := giver.admin.execute_command("CLUSTER", "GETKEYSINSLOT", slot, _KEYS_AT_A_TIME):
        target = (taker.address, taker.engine_port, "", 0, _MIGRATE_MILLISECONDS)
        giver.admin.execute_command("MIGRATE", *target, "AUTH2", manager.name, manager.passwords[0], "KEYS", *keys)


def _each(node: Node, commands: Sequence[tuple[object, ...]]) -> list[object]:
    pipeline = node.admin.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    return list(pipeline.execute())


def _slots(node: Node) -> list[int]:
    return [slot for first, last in owned_ranges(node) for slot in range(first, last + 1)]


def _is_member(node: Node, members: int) -> bool:
    lines = node.admin.execute_command("CLUSTER", "NODES").splitlines()
    known = [line for line in lines if "handshake" not in line.split()[2]]
    replication = node.admin.info("replication")
    in_sync = node.started_as == "primary" or replication["master_link_status"] == "up"
    # A new primary refuses everything for its first two seconds.
    accepts = "cluster_state:ok" in node.admin.execute_command("CLUSTER", "INFO")
    return len(known) == members and in_sync and accepts
