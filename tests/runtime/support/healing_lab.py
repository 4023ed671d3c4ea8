"""Faults of real engines that begin or heal during the smoke test."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator

from redis.exceptions import RedisError

from cdk_redis_local import EngineSet
from cdk_redis_local._engines.cluster import node_id, owned_ranges, restore_timeouts
from cdk_redis_local._engines.node import Node, wait_until
from tests.runtime.support.battery import PREFIX
from tests.runtime.support.failovers import primaries

LONGEST_LIFE = 60
NODE_TIMEOUT = 1.0
_VICTIM = 1
# Longer than the smoke test waits for one answer.
_HANGS_SECONDS = 4.0

Disturbance = Callable[[EngineSet], contextlib.AbstractContextManager[None]]
"""Disturbs engines during the ``with`` block; they are healthy again after it."""


@contextlib.contextmanager
def in_background(work: Callable[[], object]) -> Generator[None, None, None]:
    """Do something in another thread during the ``with`` block; its error is raised at the end."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="disturbance", daemon=True)
    thread.start()
    yield
    thread.join(30)
    assert not thread.is_alive(), "the disturbance did not end"
    if errors:
        raise errors[0]


def settle(engines: EngineSet) -> None:
    """Wait until each node knows of every shard with its replicas, and all slots are served.

    The endpoint then leads to the primary of the first shard again, as the services' endpoints follow failovers.
    """
    running = [node for node in engines.nodes if node.running]
    wait_until(lambda: all(_serves(engines, node) for node in running), "the recovery of the cluster")
    for node in running:
        node.started_as = node.role


def _serves(engines: EngineSet, node: Node) -> bool:
    ranges = node.admin.execute_command("CLUSTER SLOTS")
    link = node.admin.info("replication")
    return (
        sum(int(last) - int(first) + 1 for first, last, *_ in ranges) == 16384
        and all(len(members) == 1 + engines.replicas for _, _, *members in ranges)
        and "cluster_state:ok" in node.admin.execute_command("CLUSTER", "INFO")
        and (link["role"] == "master" or link["master_link_status"] == "up")
    )


def drop_short_lived_keys(engines: EngineSet) -> None:
    """Assert that the keys that were not deleted because a node was lost expire soon, and delete them."""
    for node in primaries(engines):
        for key in node.admin.scan_iter(count=1000):
            assert key.startswith(PREFIX)
            assert 0 < node.admin.ttl(key) <= LONGEST_LIFE
            node.admin.delete(key)


def pair(engines: EngineSet, shard: int = _VICTIM) -> tuple[Node, Node]:
    """The primary and the replica of a shard at the moment."""
    nodes = [node for node in engines.nodes if node.shard == shard]
    return tuple(sorted(nodes, key=lambda node: node.role != "primary"))  # type: ignore[return-value]


def taken_over(replica: Node) -> None:
    wait_until(lambda: replica.role == "primary", "the failover to the replica", seconds=20)


def start_again(engines: EngineSet, node: Node) -> None:
    engines._launch([node])
    restore_timeouts([node], NODE_TIMEOUT)


def killed_primary(shard: int = _VICTIM, *, after: float = 0.0, stays: bool = False) -> Disturbance:
    """The primary dies and its replica takes over; a new node joins as its replica, as in the services."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        primary, replica = pair(engines, shard)

        def fail_over() -> None:
            if after:
                time.sleep(after)
                primary.crash()
            taken_over(replica)
            if not stays:
                start_again(engines, primary)

        if not after:
            primary.crash()
        with in_background(fail_over):
            yield
        if stays:
            start_again(engines, primary)

    return disturb


def hung_primary(shard: int = _VICTIM, *, after: float = 0.0) -> Disturbance:
    """The primary hangs and its replica takes over; later the old primary continues as a replica."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        primary, replica = pair(engines, shard)

        def hang() -> None:
            if after:
                time.sleep(after)
                primary.freeze()
            try:
                time.sleep(_HANGS_SECONDS)
                taken_over(replica)
            finally:
                primary.resume()

        if not after:
            primary.freeze()
        with in_background(hang):
            yield

    return disturb


@contextlib.contextmanager
def graceful_failovers(engines: EngineSet) -> Generator[None, None, None]:
    """Each shard fails over, one after the other, without lost writes."""

    def fail_over() -> None:
        for shard in range(engines.shards):
            _, replica = pair(engines, shard)
            replica.admin.execute_command("CLUSTER", "FAILOVER")
            taken_over(replica)

    with in_background(fail_over):
        yield


@contextlib.contextmanager
def moving_slots(engines: EngineSet) -> Generator[None, None, None]:
    """Slots move between two shards, one after the other, during the smoke test; then they are moved back."""
    giver, taker = pair(engines, 0)[0], pair(engines, 2)[0]
    ends = threading.Event()
    moved: list[int] = []

    def move_on() -> None:
        slots = [slot for first, last in owned_ranges(giver) for slot in range(first, last + 1)]
        for slot in slots:
            if ends.is_set():
                return
            move_slot(engines, slot, giver, taker)
            moved.append(slot)

    with in_background(move_on):
        try:
            yield
        finally:
            ends.set()
    for slot in moved:
        move_slot(engines, slot, taker, giver)


def move_slot(engines: EngineSet, slot: int, giver: Node, taker: Node) -> None:
    """Move a slot as redis-cli does, with its keys."""
    giver_id, taker_id = node_id(giver), node_id(taker)
    taker.admin.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", giver_id)
    giver.admin.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", taker_id)
    manager = giver.security.manager
    while keys := giver.admin.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
        target = (taker.address, taker.engine_port, "", 0, 5000)
        giver.admin.execute_command("MIGRATE", *target, "AUTH2", manager.name, manager.passwords[0], "KEYS", *keys)
    for node in [taker, giver, *(node for node in primaries(engines) if node not in (taker, giver))]:
        node.admin.execute_command("CLUSTER", "SETSLOT", slot, "NODE", taker_id)


def half_moved_slots(seconds: float) -> Disturbance:
    """Every slot of a shard is migrating to another: requests for missing keys are redirected there (ASK)."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        giver, taker = pair(engines, 1)[0], pair(engines, 2)[0]
        slots = [slot for first, last in owned_ranges(giver) for slot in range(first, last + 1)]
        _set_slots(taker, slots, "IMPORTING", node_id(giver))
        _set_slots(giver, slots, "MIGRATING", node_id(taker))

        def cancel() -> None:
            time.sleep(seconds)
            _set_slots(giver, slots, "STABLE")
            # Keys that were written to the other shard meanwhile do not move back.
            for slot in slots:
                for key in taker.admin.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 10):
                    taker.admin.pipeline(transaction=False).execute_command("ASKING").delete(key).execute()
            _set_slots(taker, slots, "STABLE")

        with in_background(cancel):
            yield

    return disturb


def _set_slots(node: Node, slots: list[int], *what: str) -> None:
    pipeline = node.admin.pipeline(transaction=False)
    for slot in slots:
        pipeline.execute_command("CLUSTER", "SETSLOT", slot, *what)
    pipeline.execute()


def slots_missing_for(seconds: float) -> Disturbance:
    """No node serves some slots of a shard, for a while."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        owner = pair(engines, 1)[0]
        first, last = owned_ranges(owner)[0]
        for node in engines.nodes:
            node.admin.execute_command("CLUSTER", "DELSLOTSRANGE", first, last)

        def give_back() -> None:
            time.sleep(seconds)
            owner.admin.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)

        with in_background(give_back):
            yield

    return disturb


def late_replica(seconds: float) -> Disturbance:
    """A replica comes into service so many seconds after the smoke test began."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        primary, replica = pair(engines)
        replica.crash()
        wait_until(lambda: not _is_announced(primary, replica), "the removal of the replica from CLUSTER SLOTS")

        def come_into_service() -> None:
            time.sleep(seconds)
            start_again(engines, replica)

        with in_background(come_into_service):
            yield

    return disturb


def _is_announced(asked: Node, node: Node) -> bool:
    ranges = asked.admin.execute_command("CLUSTER SLOTS")
    return any(int(member[1]) == node.port for _, _, *members in ranges for member in members)


def setting_for(seconds: float, name: str, value: str, healthy: str) -> Disturbance:
    """Every primary runs with a harmful setting, for a while."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        chosen = primaries(engines)
        for node in chosen:
            node.admin.config_set(name, value)

        def set_right() -> None:
            time.sleep(seconds)
            for node in chosen:
                node.admin.config_set(name, healthy)

        with in_background(set_right):
            yield

    return disturb


def busy_script(seconds: float) -> Disturbance:
    """A primary runs a script for a while, and answers BUSY."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        primary = primaries(engines)[-1]
        before = primary.admin.config_get("busy-reply-threshold")["busy-reply-threshold"]
        primary.admin.config_set("busy-reply-threshold", 50)
        script = f"for _ = 1, {int(seconds * 90_000_000)} do end return 1"
        # A connection from before: a busy engine refuses sign-ins.
        manager = primary.security.manager
        with primary.client(manager.name, manager.passwords[0], port=primary.engine_port) as client:
            client.ping()
            with in_background(lambda: client.eval(script, 0)):
                time.sleep(0.2)
                yield
        primary.admin.config_set("busy-reply-threshold", before)

    return disturb


def lost_link(seconds: float) -> Disturbance:
    """The replica of a store without cluster mode loses its primary for a while, and refuses to serve old data."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        [replica] = engines.replica_nodes
        replica.admin.config_set("replica-serve-stale-data", "no")
        replica.admin.execute_command("REPLICAOF", "127.0.0.1", 1)

        def find_it_again() -> None:
            time.sleep(seconds)
            replica.admin.execute_command("REPLICAOF", "127.0.0.1", engines.primaries[0].port)

        with in_background(find_it_again):
            yield
        replica.admin.config_set("replica-serve-stale-data", "yes")
        wait_until(lambda: replica.admin.info("replication")["master_link_status"] == "up", "a full sync")

    return disturb


def cut_connections(seconds: float) -> Disturbance:
    """Every connection of the smoke test's user is closed repeatedly, for a while."""

    @contextlib.contextmanager
    def disturb(engines: EngineSet) -> Generator[None, None, None]:
        def cut() -> None:
            give_up = time.monotonic() + seconds
            while time.monotonic() < give_up:
                for node in engines.nodes:
                    with contextlib.suppress(RedisError):
                        node.admin.execute_command("CLIENT", "KILL", "USER", "smoke")

        with in_background(cut):
            yield

    return disturb
