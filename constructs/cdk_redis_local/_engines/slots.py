"""Moves slots with their keys from one primary to another while clients use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from redis.client import NEVER_DECODE
from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.cluster import SLOTS, node_id, open_slots, owned_slots, slots_by_owner
from cdk_redis_local._engines.node import Node, wait_until

_MIGRATE_MILLISECONDS = 10_000
# Limits of one round trip, because clients of the source wait until it ends.
_SLOTS_AT_A_TIME = 50
_KEYS_OF_A_SLOT_AT_A_TIME = 100
_BYTES_AT_A_TIME = 8 * 1024 * 1024
# Final states of Valkey's CLUSTER MIGRATESLOTS.
_ENDED = ("success", "failed", "cancelled")

# These are scripts, because they must be atomic for clients: during the return, a key is on one node only.
_TAKE_KEYS = """
local found = {}
for _, key in ipairs(redis.call('CLUSTER', 'GETKEYSINSLOT', ARGV[1], 1000000)) do
  found[#found + 1] = key
  found[#found + 1] = redis.call('PEXPIRETIME', key)
  found[#found + 1] = redis.call('DUMP', key)
end
redis.call('CLUSTER', 'SETSLOT', ARGV[1], 'STABLE')
return found
"""
_PUT_KEYS = """
redis.call('CLUSTER', 'SETSLOT', ARGV[1], 'STABLE')
for at = 3, #ARGV, 3 do
  -- Keep the owner's value: it is newer, because clients ask the owner first.
  if redis.call('EXISTS', ARGV[at]) == 0 then
    local expires = math.max(0, tonumber(ARGV[at + 1]))
    local outcome = redis.pcall('RESTORE', ARGV[at], string.format('%.0f', expires), ARGV[at + 2], 'ABSTTL')
    if outcome.err then
      redis.call('CLUSTER', 'SETSLOT', ARGV[1], 'MIGRATING', ARGV[2])
      return outcome
    end
  end
end
return redis.status_reply('OK')
"""
_DROP_KEYS = """
for _, key in ipairs(redis.call('CLUSTER', 'GETKEYSINSLOT', ARGV[1], 1000000)) do
  redis.call('UNLINK', key)
end
return redis.call('CLUSTER', 'SETSLOT', ARGV[1], 'STABLE')
"""


def move_slots(nodes: Sequence[Node], source: Node, target: Node, slots: Sequence[int]) -> None:
    """Move slots with their keys; returns when every node knows the new owner.

    Raises:
        EngineError: A key could not be moved, or a node did not answer. Every slot still has one owner, and clients
            find every key; `close_open_slots` returns all keys of a slot to its owner.
    """
    if source.program.moves_slots_itself:
        _migrate_slots(source, target, slots)
    else:
        source_id, target_id = node_id(source), node_id(target)
        send(target, [("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id) for slot in slots])
        send(source, [("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id) for slot in slots])
        _move_keys(source, target, slots)
        _assign_slots(target, slots)
    _wait_until_known(nodes, target, slots)
    if not source.program.moves_slots_itself:
        send(source, [("CLUSTER", "SETSLOT", slot, "STABLE") for slot in slots])


def close_open_slots(nodes: Sequence[Node]) -> None:
    """Close the slots of incomplete moves, with all their keys on their owner.

    Raises:
        EngineError: The owner refuses a key.
    """
    primaries = {node_id(node): node for node in nodes if node.role == "primary"}
    for node in primaries.values():
        if node.program.moves_slots_itself:
            if any(migration["state"] not in _ENDED for migration in _migrations(node)):
                send(node, [("CLUSTER", "CANCELSLOTMIGRATIONS")])
            continue
        owners = {slot: owner for owner, slots in slots_by_owner(node).items() for slot in slots}
        own = set(owned_slots(node))
        others = [slot for slot in range(SLOTS) if slot not in own]
        counts = send(node, [("CLUSTER", "COUNTKEYSINSLOT", slot) for slot in others])
        for slot, count in zip(others, counts, strict=True):
            if count and (owner := primaries.get(owners.get(slot, ""))):
                _return_keys(node, owner, slot)
    for node in primaries.values():
        send(node, [("CLUSTER", "SETSLOT", slot, "STABLE") for slot in open_slots(node)])


def send(node: Node, commands: Iterable[Sequence[object]], **options: Any) -> list[Any]:
    """Send commands in one round trip.

    Raises:
        EngineError: The node does not answer, or refuses a command; the message has the command without its arguments,
            which may be secret.
    """
    commands = list(commands)
    pipeline = node.admin.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command, **options)
    try:
        answers = list(pipeline.execute(raise_on_error=False))
    except RedisError as error:
        raise EngineError(f"{node} does not answer: {error}") from error
    for command, answer in zip(commands, answers, strict=True):
        if isinstance(answer, Exception):
            words = " ".join(map(str, command[:2] if command[0] == "CLUSTER" else command[:1]))
            raise EngineError(f"{node} refuses {words}: {answer}") from answer
    return answers


def _move_keys(source: Node, target: Node, slots: Sequence[int]) -> None:
    counts = send(source, [("CLUSTER", "COUNTKEYSINSLOT", slot) for slot in slots])
    pending = [slot for slot, count in zip(slots, counts, strict=True) if count]
    manager = source.security.manager
    start = ("MIGRATE", target.address, target.engine_port, "", 0, _MIGRATE_MILLISECONDS, "REPLACE")
    start += ("AUTH2", manager.name, manager.passwords[0], "KEYS")
    while pending:
        some = pending[:_SLOTS_AT_A_TIME]
        asked = [("CLUSTER", "GETKEYSINSLOT", slot, _KEYS_OF_A_SLOT_AT_A_TIME) for slot in some]
        # A key is a string of bytes, not of characters.
        keys = dict(zip(some, send(source, asked, **{NEVER_DECODE: True}), strict=True))
        for part in split_by_size(source, [key for slot in some for key in keys[slot]]):
            wanted = set(part)
            batches = [[key for key in keys[slot] if key in wanted] for slot in some]
            target.keys_in_transit += len(part)
            send(source, [(*start, *batch) for batch in batches if batch])
        # Repeat until the slots have no keys left: a slot that is being moved gets no new keys.
        pending = [slot for slot in pending if keys.get(slot, True)]


def split_by_size(source: Node, keys: Sequence[bytes], database: int = 0) -> Iterator[list[bytes]]:
    """Split the keys into parts of limited size, so that each takes a limited time to move."""
    part: list[bytes] = []
    size = 0
    asked = [("SELECT", database), *(("MEMORY", "USAGE", key) for key in keys), ("SELECT", 0)]
    for key, used in zip(keys, send(source, asked)[1:-1], strict=True):
        if part and size + (used or 0) > _BYTES_AT_A_TIME:
            yield part
            part, size = [], 0
        part.append(key)
        size += used or 0
    if part:
        yield part


def _assign_slots(target: Node, slots: Sequence[int]) -> None:
    """Make the target the owner, with SETSLOT on the target only; other nodes learn it by gossip with a new epoch.

    Redis 7.0 marks a slot whose owner stops claiming it, and SETSLOT on other nodes does not clear that mark
    (https://github.com/redis/redis/pull/12564, in 7.2.4). A later ping with an older epoch then takes the slot away
    from its owner, which deletes the keys.
    """
    send(target, [("CLUSTER", "BUMPEPOCH")])
    target_id = node_id(target)
    pipeline = target.admin.pipeline(transaction=True)
    for slot in slots:
        # The end of an import is broadcast to all nodes. Do that only once, with the last slot.
        if slot != slots[-1]:
            pipeline.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")
        pipeline.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target_id)
    pipeline.execute()
    target.keys_in_transit = 0


def _wait_until_known(nodes: Sequence[Node], target: Node, slots: Sequence[int]) -> None:
    target_id, moved = node_id(target), set(slots)
    for node in nodes:
        wait_until(
            lambda node=node: moved <= slots_by_owner(node).get(target_id, set()),
            f"{node} to know the new owner of {len(slots)} slots, {target}",
            alive=nodes,
        )


def _migrate_slots(source: Node, target: Node, slots: Sequence[int]) -> None:
    # Valkey's SETSLOT waits for its replicas, so moving slot by slot would take minutes.
    ranges = [word for first, last in _ranges(slots) for word in (first, last)]
    send(source, [("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *ranges, "NODE", node_id(target))])

    def moved() -> bool:
        newest = next((migration for migration in _migrations(source) if migration["operation"] == "EXPORT"), {})
        if newest.get("state") in _ENDED[1:]:
            raise EngineError(f"{source} could not move slots to {target}: {newest.get('message') or newest['state']}")
        return set(slots) <= set(owned_slots(target))

    what = f"the migration of {len(slots)} slots from {source} to {target}"
    wait_until(moved, what, seconds=60, alive=(source, target))


def _migrations(node: Node) -> list[dict[str, str]]:
    """The slot migrations of a Valkey node, the newest first."""
    moves = node.admin.execute_command("CLUSTER", "GETSLOTMIGRATIONS")
    return [{str(name): str(value) for name, value in zip(move[::2], move[1::2], strict=True)} for move in moves]


def _ranges(slots: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and slot == found[-1][1] + 1:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return found


def _return_keys(holder: Node, owner: Node, slot: int) -> None:
    """Return the keys of a slot from another node to the slot's owner."""
    holder_id, owner_id = node_id(holder), node_id(owner)
    held = ("CLUSTER", "SETSLOT", slot, "IMPORTING", owner_id)
    as_holder = [held, ("ASKING",)]
    *_, keys = send(holder, [*as_holder, ("EVAL", _TAKE_KEYS, 0, slot)], **{NEVER_DECODE: True})
    try:
        send(owner, [("EVAL", _PUT_KEYS, 0, slot, holder_id, *keys)])
    except EngineError:
        send(holder, [held])
        raise
    send(holder, [*as_holder, ("EVAL", _DROP_KEYS, 0, slot)])
