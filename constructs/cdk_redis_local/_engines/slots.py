"""Who owns which slots, and moving slots with their keys from one primary to another while clients use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from redis.client import NEVER_DECODE
from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.cluster import SLOTS, node_id, open_slots, owned_slots, slots_by_owner
from cdk_redis_local._engines.node import Node, wait_until

_MIGRATE_MILLISECONDS = 10_000
# One round trip moves no more than this: clients of the giver wait for as long as it takes.
_SLOTS_AT_A_TIME = 50
_KEYS_OF_A_SLOT_AT_A_TIME = 100
_BYTES_AT_A_TIME = 8 * 1024 * 1024
# States of a move that Valkey made itself; the first is the good one.
_ENDED = ("success", "failed", "cancelled")

# Both run as scripts, because no client may come between: a key that is on its way back is at one node only.
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
  -- What the owner has is the newer: it was asked first.
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


def move_slots(nodes: Sequence[Node], giver: Node, taker: Node, slots: Sequence[int]) -> None:
    """Move slots, with their keys; returns when every node knows of it.

    Raises:
        EngineError: A key could not be moved, or a node did not answer. Every slot still has one owner, and clients
            find every key; `close_open_slots` brings the keys back together.
    """
    if giver.program.moves_slots_itself:
        _ask_to_move(giver, taker, slots)
    else:
        giver_id, taker_id = node_id(giver), node_id(taker)
        send(taker, [("CLUSTER", "SETSLOT", slot, "IMPORTING", giver_id) for slot in slots])
        send(giver, [("CLUSTER", "SETSLOT", slot, "MIGRATING", taker_id) for slot in slots])
        _move_keys(giver, taker, slots)
        _hand_over(taker, slots)
    _wait_until_known(nodes, taker, slots)
    if not giver.program.moves_slots_itself:
        send(giver, [("CLUSTER", "SETSLOT", slot, "STABLE") for slot in slots])


def close_open_slots(nodes: Sequence[Node]) -> None:
    """End moves that broke off: each slot is closed, with all its keys at its owner.

    Raises:
        EngineError: The owner does not take a key back.
    """
    primaries = {node_id(node): node for node in nodes if node.role == "primary"}
    for node in primaries.values():
        if node.program.moves_slots_itself:
            if any(told["state"] not in _ENDED for told in _migrations(node)):
                send(node, [("CLUSTER", "CANCELSLOTMIGRATIONS")])
            continue
        owners = {slot: owner for owner, slots in slots_by_owner(node).items() for slot in slots}
        own = set(owned_slots(node))
        others = [slot for slot in range(SLOTS) if slot not in own]
        counts = send(node, [("CLUSTER", "COUNTKEYSINSLOT", slot) for slot in others])
        for slot, count in zip(others, counts, strict=True):
            if count and (owner := primaries.get(owners.get(slot, ""))):
                _bring_back(node, owner, slot)
    for node in primaries.values():
        send(node, [("CLUSTER", "SETSLOT", slot, "STABLE") for slot in open_slots(node)])


def send(node: Node, commands: Iterable[Sequence[object]], **options: Any) -> list[Any]:
    """Send commands in one round trip.

    Raises:
        EngineError: The node does not answer, or refuses one; the message names the command without its arguments,
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


def _move_keys(giver: Node, taker: Node, slots: Sequence[int]) -> None:
    counts = send(giver, [("CLUSTER", "COUNTKEYSINSLOT", slot) for slot in slots])
    pending = [slot for slot, count in zip(slots, counts, strict=True) if count]
    manager = giver.security.manager
    start = ("MIGRATE", taker.address, taker.engine_port, "", 0, _MIGRATE_MILLISECONDS, "REPLACE")
    start += ("AUTH2", manager.name, manager.passwords[0], "KEYS")
    while pending:
        some = pending[:_SLOTS_AT_A_TIME]
        asked = [("CLUSTER", "GETKEYSINSLOT", slot, _KEYS_OF_A_SLOT_AT_A_TIME) for slot in some]
        # A key is a string of bytes, not of characters.
        keys = dict(zip(some, send(giver, asked, **{NEVER_DECODE: True}), strict=True))
        for parcel in _parcels(giver, [key for slot in some for key in keys[slot]]):
            wanted = set(parcel)
            batches = [[key for key in keys[slot] if key in wanted] for slot in some]
            taker.keys_in_transit += len(parcel)
            send(giver, [(*start, *batch) for batch in batches if batch])
        # A slot is asked again until it has no key left: no new one comes to a slot that is being moved.
        pending = [slot for slot in pending if keys.get(slot, True)]


def _parcels(giver: Node, keys: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The keys in parts that take a bounded time to move."""
    parcel: list[bytes] = []
    size = 0
    for key, used in zip(keys, send(giver, [("MEMORY", "USAGE", key) for key in keys]), strict=True):
        if parcel and size + (used or 0) > _BYTES_AT_A_TIME:
            yield parcel
            parcel, size = [], 0
        parcel.append(key)
        size += used or 0
    if parcel:
        yield parcel


def _hand_over(taker: Node, slots: Sequence[int]) -> None:
    """Make the taker the owner, at the taker alone: the others learn it from the taker, with its new epoch.

    Redis 7.0 marks a slot whose owner says that it is not its own, and SETSLOT at other nodes does not clear that
    mark (https://github.com/redis/redis/pull/12564, in 7.2.4). A later ping with an older epoch then takes the
    slot away from its owner, which deletes the keys.
    """
    send(taker, [("CLUSTER", "BUMPEPOCH")])
    taker_id = node_id(taker)
    pipeline = taker.admin.pipeline(transaction=True)
    for slot in slots:
        # The end of an import, which the last one is, is told to every node at once.
        if slot != slots[-1]:
            pipeline.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")
        pipeline.execute_command("CLUSTER", "SETSLOT", slot, "NODE", taker_id)
    pipeline.execute()
    taker.keys_in_transit = 0


def _wait_until_known(nodes: Sequence[Node], taker: Node, slots: Sequence[int]) -> None:
    taker_id, moved = node_id(taker), set(slots)
    for node in nodes:
        wait_until(
            lambda node=node: moved <= slots_by_owner(node).get(taker_id, set()),
            f"the arrival of {len(slots)} slots at {taker}, as {node} sees it,",
            alive=nodes,
        )


def _ask_to_move(giver: Node, taker: Node, slots: Sequence[int]) -> None:
    # Valkey waits for its replicas at each SETSLOT: slot by slot, this would take minutes.
    ranges = [word for first, last in _ranges(slots) for word in (first, last)]
    send(giver, [("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *ranges, "NODE", node_id(taker))])

    def moved() -> bool:
        newest = next((told for told in _migrations(giver) if told["operation"] == "EXPORT"), {})
        if newest.get("state") in _ENDED[1:]:
            raise EngineError(f"{giver} could not move slots to {taker}: {newest.get('message') or newest['state']}")
        return set(slots) <= set(owned_slots(taker))

    wait_until(moved, f"the moving of {len(slots)} slots from {giver} to {taker}", seconds=60, alive=(giver, taker))


def _migrations(node: Node) -> list[dict[str, str]]:
    """What a Valkey that moves slots itself tells of its moves, the newest first."""
    moves = node.admin.execute_command("CLUSTER", "GETSLOTMIGRATIONS")
    return [{str(name): str(value) for name, value in zip(told[::2], told[1::2], strict=True)} for told in moves]


def _ranges(slots: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and slot == found[-1][1] + 1:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return found


def _bring_back(holder: Node, owner: Node, slot: int) -> None:
    """Give the owner of a slot the keys that another node has."""
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
