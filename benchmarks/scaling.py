"""Scales a cluster out and in many times while a client reads and writes, and counts lost slots, keys and writes.

Run: python benchmarks/scaling.py --engine redis --times 50 [--busy]

Each time scales from two shards to four and back. The cluster has small keys, keys that expire tomorrow, a key with a
binary name, a key of 4 MB, and a function. After each change, every node must know an owner of every slot, and every
key must have its value and its expiry. A client increments counters all the time, and checks that acknowledged writes
are kept. The last line is the summary; the exit status is 1 if anything was lost or a change failed.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import statistics
import sys
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import redis
from redis.cluster import RedisCluster
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, RedisError

from cdk_redis_local import AclUser, EngineError, EngineProgram, EngineSet, Workspace, find_engines

PASSWORD = "a-password-of-the-benchmark"
FEW, MANY = 2, 4
SLOTS = 16384
COUNTERS = [f"counter:{number}" for number in range(200)]
_REDIRECTIONS = 16
SMALL_KEYS = 2_000
TOMORROW = 24 * 3600
LIBRARY = "#!lua name=scaling\nredis.register_function('answer', function() return 42 end)"
KEYS: dict[bytes, bytes] = {
    **{f"small:{number}".encode(): f"value {number}".encode() for number in range(SMALL_KEYS)},
    b"no \xff\x00 text": bytes(range(256)),
    b"large": os.urandom(4 * 1024 * 1024),
}
EXPIRING = [key for number, key in enumerate(KEYS) if number % 20 == 0]


@dataclass
class Tally:
    """The results of all changes."""

    out_seconds: list[float] = field(default_factory=list)
    in_seconds: list[float] = field(default_factory=list)
    slots_lost: int = 0
    keys_lost: int = 0
    writes: int = 0
    writes_lost: int = 0
    refused: int = 0
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was lost and nothing failed."""
        return not (self.slots_lost or self.keys_lost or self.writes_lost or self.failures)


class Counters:
    """A client that increments counters until it is closed, follows every redirection, and checks every value.

    It does not retry increments that were not acknowledged, because a retry could increment twice. redis-py's cluster
    client is not used: it fails when ASK redirects it to a node that had no slot at the last update of its slot map
    (https://github.com/redis/redis-py/issues/2432).
    """

    def __init__(self, engines: EngineSet, tally: Tally) -> None:
        self._engines = engines
        self._tally = tally
        self._clients: dict[tuple[str, int], redis.Redis] = {}
        self._owners: dict[int, tuple[str, int]] = {}
        self._least = dict.fromkeys(COUNTERS, 0)
        self._unsure = dict.fromkeys(COUNTERS, 0)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._count, name="counters", daemon=True)

    def __enter__(self) -> Counters:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._owners.clear()
        for key in COUNTERS:
            self._compare(key, int(self._call("GET", key) or 0))
        for client in self._clients.values():
            client.close()

    def _count(self) -> None:
        for key in itertools.cycle(COUNTERS):
            if self._end.is_set():
                return
            try:
                value = self._call("INCR", key)
            except RedisError:
                self._tally.refused += 1
                self._unsure[key] += 1
            else:
                self._least[key] += 1
                self._compare(key, value)
                self._tally.writes += 1
            # Without a pause, this client would use a core that the measured processes need.
            time.sleep(0.001)

    def _compare(self, key: str, value: int) -> None:
        if not self._least[key] <= value <= self._least[key] + self._unsure[key]:
            self._tally.writes_lost += 1
            self._least[key], self._unsure[key] = value, 0

    def _call(self, name: str, key: str) -> int:
        slot = key_slot(key.encode())
        asked: tuple[str, int] | None = None
        for _ in range(_REDIRECTIONS):
            place = asked or self._owners.setdefault(slot, self._engines.endpoint)
            pipeline = self._client(place).pipeline(transaction=False)
            if asked:
                pipeline.execute_command("ASKING")
            pipeline.execute_command(name, key)
            asked = None
            try:
                answer = pipeline.execute(raise_on_error=False)[-1]
            except RedisError:
                # The node has ended: the next call starts at another node.
                del self._owners[slot]
                raise
            if isinstance(answer, MovedError):
                self._owners[slot] = (answer.host, answer.port)
            elif isinstance(answer, AskError):
                asked = (answer.host, answer.port)
                self._tally.asked += 1
            elif isinstance(answer, RedisError):
                raise answer
            else:
                return answer
        raise RedisError(f"{_REDIRECTIONS} redirections for one {name}")

    def _client(self, place: tuple[str, int]) -> redis.Redis:
        if place not in self._clients:
            node = next((node for node in self._engines.nodes if (node.host, node.port) == place), None)
            if node is None:
                raise RedisError(f"redirected to {place[0]}:{place[1]}, which is not a node")
            self._clients[place] = node.client("bench", PASSWORD)
        return self._clients[place]


def connect(engines: EngineSet) -> RedisCluster:
    """A cluster client with the current slot map."""
    host, port = engines.endpoint
    tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": engines.ca_file} if engines.tls else {}
    return RedisCluster(host=host, port=port, username="bench", password=PASSWORD, **tls)


def fill(engines: EngineSet, client: RedisCluster) -> None:
    """Write the keys and the function."""
    pipeline = client.pipeline()
    for key, value in KEYS.items():
        pipeline.set(key, value, ex=TOMORROW if key in EXPIRING else None)
    pipeline.execute()
    for node in engines.primaries:
        node.admin.function_load(LIBRARY)


def check(engines: EngineSet, client: RedisCluster, tally: Tally) -> None:
    """Count lost slots and keys."""
    for node in engines.nodes:
        lines = str(node.admin.execute_command("CLUSTER", "NODES")).splitlines()
        ranges = [part.split("-") for line in lines for part in line.split()[8:]]
        known = sum(int(ends[-1]) - int(ends[0]) + 1 for ends in ranges)
        tally.slots_lost = max(tally.slots_lost, SLOTS - known)
    pipeline = client.pipeline()
    for key in KEYS:
        pipeline.get(key)
        pipeline.ttl(key)
    answers = pipeline.execute()
    for key, value, seconds in zip(KEYS, answers[::2], answers[1::2], strict=True):
        expires = 0 < seconds <= TOMORROW if key in EXPIRING else seconds == -1
        tally.keys_lost += value != KEYS[key] or not expires
    for node in engines.primaries:
        with node.client("bench", PASSWORD) as one:
            if one.fcall("answer", 0) != 42:
                tally.failures.append(f"{node} lacks the function")


def scale(program: EngineProgram, times: int, tally: Tally) -> None:
    """Scale a cluster out and in this many times, or until a change fails."""
    user = AclUser("bench", passwords=(PASSWORD,))
    with EngineSet(shards=FEW, cluster_mode=True, users=[user], tls=program.tls, program=program) as engines:
        with contextlib.closing(connect(engines)) as client:
            fill(engines, client)
        with Counters(engines, tally):
            for _ in range(times):
                for shards, seconds in ((MANY, tally.out_seconds), (FEW, tally.in_seconds)):
                    started = time.perf_counter()
                    try:
                        engines.resize(shards, 0)
                    except EngineError as error:
                        tally.failures.append(str(error))
                        return
                    seconds.append(time.perf_counter() - started)
                    with contextlib.closing(connect(engines)) as client:
                        check(engines, client, tally)


@contextlib.contextmanager
def all_cores_busy() -> Generator[None, None, None]:
    """Keep every core busy with processes that end with this one."""
    with Workspace() as workspace:
        for _ in range(os.cpu_count() or 1):
            workspace.spawn([sys.executable, "-c", "while True: pass"])
        yield


def main() -> int:
    """Scale the cluster, and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("redis", "valkey"), required=True)
    parser.add_argument("--times", type=int, default=10, help="how often to scale out and in (default: %(default)s)")
    parser.add_argument("--busy", action="store_true", help="keep every core busy with other processes")
    arguments = parser.parse_args()
    program = next((program for program in find_engines() if program.name == arguments.engine), None)
    if program is None:
        raise SystemExit(f"this machine has only {' and '.join(map(str, find_engines()))}, not {arguments.engine}")
    tally = Tally()
    with all_cores_busy() if arguments.busy else contextlib.nullcontext():
        # After a failed change, continue with a new cluster.
        while (left := arguments.times - len(tally.in_seconds) - len(tally.failures)) > 0:
            scale(program, left, tally)
    print("".join(f"{failure}\n" for failure in tally.failures), end="")
    out_median, in_median = (statistics.median(each or [0]) for each in (tally.out_seconds, tally.in_seconds))
    longest = max([0.0, *tally.out_seconds, *tally.in_seconds])
    print(
        f"{program}, {'busy' if arguments.busy else 'idle'}: {FEW} -> {MANY} -> {FEW} shards {len(tally.in_seconds)} "
        f"times, {len(tally.failures)} failed; lost: {tally.slots_lost} slots, {tally.keys_lost} keys, "
        f"{tally.writes_lost} of {tally.writes} acknowledged writes ({tally.refused} refused, {tally.asked} redirected "
        f"by ASK); out {out_median:.1f} s, in {in_median:.1f} s (medians), longest {longest:.1f} s"
    )
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main())
