"""A failover under load, measured by the drill and by an observer that asks the engines directly.

As a program it runs in its own network namespaces, cuts a primary off from the network, and prints the result as JSON.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import pytest
from redis.crc import key_slot
from redis.credentials import UsernamePasswordCredentialProvider
from redis.exceptions import RedisError

from cdk_redis_local import AclUser, EngineSet, Node, RoutedNetwork
from cdk_redis_runtime import Connection
from cdk_redis_runtime._smoke_test.drill import Drill
from cdk_redis_runtime._smoke_test.drill_report import Outage

PASSWORD = "correct-horse-battery-staple"
PREFIX = "cdk-redis-drill:"
NODE_TIMEOUT = 3.0
USERS = (
    AclUser(
        "drill",
        f"on ~{PREFIX}* resetchannels -@all +cluster|slots +command +info +readonly +get +set +del",
        passwords=(PASSWORD,),
    ),
    AclUser("load", "on ~load:* resetchannels -@all +set +config|get", passwords=(PASSWORD,)),
)
_WELL_SECONDS = 1.0
_AFTERWARDS_SECONDS = 1.5


@dataclass(frozen=True)
class Seen:
    """The longest gap of one kind of operation: its seconds, how many after the observer's it ended, and its errors."""

    gap: float
    late: float
    errors: int


@dataclass(frozen=True)
class Failover:
    """The drill's report of a failover, and the measurements of the observer and the engines.

    ``handshake`` is what connecting and signing in took right after the failover, under the same load.
    """

    observed: float
    writes: Seen
    reads: Seen
    others_failed: float
    failed_over: list[bool | None]
    acknowledged: int
    lost: list[int] | None
    gone: list[int]
    left: int
    load_per_second: float
    handshake: float


class Observer:
    """Writes to both nodes of a shard over its own connections, until the replica accepts writes.

    A replica refuses writes and a primary accepts them: its first answer shows that it has taken over.
    """

    def __init__(self, victim: Node, standby: Node, shards: int) -> None:
        # Slots are distributed evenly, in order.
        names = (f"observer:{number}" for number in range(1000))
        self._key = next(key for key in names if key_slot(key.encode()) * shards // 16384 == standby.shard)
        self._done = threading.Event()
        self._last = self._first = 0.0
        self._threads = [
            threading.Thread(target=self._write, args=(node, note), daemon=True)
            for node, note in ((victim, self._note_last), (standby, self._note_first))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait(self) -> tuple[float, float]:
        """The last answer of the old primary, and the first of the new one."""
        assert self._done.wait(40), "no replica took over"
        return self._last, self._first

    def _note_last(self, now: float) -> None:
        self._last = now

    def _note_first(self, now: float) -> None:
        self._first = now
        self._done.set()

    def _write(self, node: Node, note: Callable[[float], None]) -> None:
        manager = node.security.manager
        # Not the node's client, which is closed in the middle of a command when the node is stopped.
        with node.client(manager.name, manager.passwords[0]) as client:
            while not self._done.is_set():
                with contextlib.suppress(RedisError):
                    client.set(self._key, "1", ex=60)
                    # A frozen node answers when it is resumed: that answer does not count.
                    if not self._done.is_set():
                        note(time.monotonic())
                time.sleep(0.01)


@contextlib.contextmanager
def load(engines: EngineSet) -> Generator[None]:
    """Write to every primary as fast as possible, each from its own process, which ends if the primary dies."""
    shards = len(engines.primaries)
    tags = (str(number) for number in range(1000))
    tag_of: dict[int, str] = {}
    for tag in tags:
        tag_of.setdefault(key_slot(tag.encode()) * shards // 16384, tag)
    processes = [
        subprocess.Popen(
            [
                *(_benchmark(), "-h", node.host, "-p", str(node.port), "--tls", "--cacert", engines.ca_file),
                *("--user", "load", "-a", PASSWORD, "-q", "-l", "-c", "4", "-n", "100000", "-r", "10000", "-d", "64"),
                *("SET", f"load:{{{tag_of[node.shard]}}}:__rand_int__", "__data__"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for node in primaries(engines)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _benchmark() -> str:
    program = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    assert program, "no redis-benchmark or valkey-benchmark on PATH: apt-get install redis-tools"
    return program


def primaries(engines: EngineSet) -> list[Node]:
    """The nodes that are primaries at the moment."""
    return [node for node in engines.nodes if node.running and node.role == "primary"]


def fail_over(engines: EngineSet, victim: Node, fault: Callable[[Node], object]) -> Failover:
    """Make a primary fail under load, and wait until its replica has taken over."""
    standby = next(node for node in engines.nodes if node.shard == victim.shard and node is not victim)
    witness = next(node for node in primaries(engines) if node is not victim)
    observer = Observer(victim, standby, len(engines.primaries))
    # Connects first to a node that does not fail, so that only the failover is measured.
    drill = drill_of(engines, witness)
    with load(engines):
        drill.start()
        observer.start()
        time.sleep(_WELL_SECONDS)
        commands, begun = _commands(witness), time.monotonic()
        fault(victim)
        last, answered = observer.wait()
        handshake = handshake_seconds(standby, _AFTERWARDS_SECONDS)
        rate = (_commands(witness) - commands) / (time.monotonic() - begun)
    report = drill.stop()
    hurt = max(report.shards, key=lambda shard: shard.writes.longest_gap_seconds)
    kept = {int(key.rpartition(":")[2]) for key in standby.admin.keys(f"{PREFIX}*")}
    drill.clean_up()
    return Failover(
        observed=answered - last,
        writes=_seen(hurt.writes, answered),
        reads=_seen(hurt.reads, answered),
        others_failed=max(shard.writes.failed_seconds for shard in report.shards if shard is not hurt),
        failed_over=[shard.other_primary for shard in (hurt, *(s for s in report.shards if s is not hurt))],
        acknowledged=len(hurt.acknowledged),
        lost=None if hurt.lost is None else list(hurt.lost),
        gone=sorted(set(hurt.acknowledged) - kept),
        left=len(standby.admin.keys(f"{PREFIX}*")),
        load_per_second=rate,
        handshake=handshake,
    )


def handshake_seconds(node: Node, seconds: float) -> float:
    """How long it takes at the moment to connect to a node and to sign in: the median, measured for some seconds."""
    manager = node.security.manager
    taken: list[float] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        begun = time.monotonic()
        with node.client(manager.name, manager.passwords[0]) as client:
            client.ping()
        taken.append(time.monotonic() - begun)
        time.sleep(0.05)
    return statistics.median(taken)


def drill_of(engines: EngineSet, node: Node) -> Drill:
    """A drill with the default timeouts that connects to this node first. The caller has set ``SSL_CERT_FILE``."""
    connection = Connection("elasticache", "orders", node.host, node.port, authentication="password", user="drill")
    credentials = UsernamePasswordCredentialProvider("drill", PASSWORD)
    return Drill(connection, key_prefix=PREFIX, seconds=60, credentials=credentials)


def _seen(outage: Outage, answered: float) -> Seen:
    ended = outage.longest_gap_ended
    return Seen(
        outage.longest_gap_seconds, float("inf") if ended is None else ended - answered, sum(outage.errors.values())
    )


def _commands(node: Node) -> int:
    return int(node.admin.info("stats")["total_commands_processed"])


def silent(node: Node, established: socket.socket) -> None:
    """Assert that an open connection gets no answer, and that a SYN gets neither an answer nor an error."""
    established.settimeout(0.2)
    with pytest.raises(TimeoutError):
        established.recv(1)
    with pytest.raises(TimeoutError):
        socket.create_connection((node.host, node.port), timeout=0.2)


def main() -> None:
    """Cut one primary off from the network. Run within `cdk_redis_local.own_network`."""
    with (
        RoutedNetwork() as network,
        EngineSet(
            shards=3,
            replicas=1,
            cluster_mode=True,
            users=USERS,
            node_timeout=NODE_TIMEOUT,
            place=lambda shard, role: network.far if (shard, role) == (0, "primary") else network.near,
        ) as engines,
    ):
        os.environ["SSL_CERT_FILE"] = engines.ca_file
        victim = engines.primaries[0]
        with socket.create_connection((victim.host, victim.port)) as established:
            seen = fail_over(engines, victim, lambda _victim: network.lose())
            silent(victim, established)
    json.dump(dataclasses.asdict(seen), sys.stdout)


if __name__ == "__main__":
    main()
