"""Fails over many times in a row while a client reads and writes, and counts lost writes and failed failovers.

Run: python -m benchmarks.failing_over --engine redis --times 20 [--busy] [--no-cluster-mode]

The set has a replica for each primary. Each time, the primary of the next shard is killed, its replica is promoted, and
the killed node returns as a replica. After each failover, every shard must have one primary and one replica in sync,
and a client must get some writes through. The client increments counters all the time, and counts an increment as
acknowledged when WAIT has confirmed that the replica has it: those must be kept. The last line is the summary; the exit
status is 1 if an acknowledged write was lost or a failover failed.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import sys
import time

from redis.crc import key_slot
from redis.exceptions import RedisError

from benchmarks.scaling import COUNTERS, PASSWORD, Counters, Tally, all_cores_busy
from cdk_redis_local import AclUser, EngineError, EngineProgram, EngineSet, find_engines

SHARDS = 2
_CONFIRM_MILLISECONDS = 500
# After each failover, so many writes must be confirmed in so many seconds.
_WRITES, _SECONDS = 100, 30.0


class ConfirmedCounters(Counters):
    """Counters whose increments are acknowledged when the replica has them."""

    def _count(self) -> None:
        for key in itertools.cycle(COUNTERS):
            if self._end.is_set():
                return
            slot = key_slot(key.encode())
            try:
                value = self._call("INCR", key)
                confirmed = self._client(self._owners[slot]).wait(1, _CONFIRM_MILLISECONDS) >= 1
            except RedisError:
                self._tally.refused += 1
                self._unsure[key] += 1
                # Without cluster mode, no answer tells where the primary is.
                self._owners.pop(slot, None)
            else:
                if confirmed:
                    self._least[key] += 1
                    self._tally.writes += 1
                else:
                    self._unsure[key] += 1
                self._compare(key, value)
            time.sleep(0.001)


def check(engines: EngineSet, tally: Tally) -> None:
    """Count shards without one primary and one replica in sync."""
    for shard in range(engines.shards):
        states: list[str] = []
        for node in [node for node in engines.nodes if node.shard == shard]:
            seen = node.admin.info("replication")
            states.append("primary" if seen["role"] == "master" else f"replica {seen['master_link_status']}")
        if sorted(states) != ["primary", "replica up"]:
            tally.failures.append(f"shard {shard} has {' and '.join(sorted(states))}")


def fail_over(program: EngineProgram, times: int, tally: Tally, *, cluster_mode: bool) -> None:
    """Fail over this many times, or until a failover fails."""
    user = AclUser("bench", passwords=(PASSWORD,))
    shards = SHARDS if cluster_mode else 1
    described = EngineSet(
        shards=shards, replicas=1, cluster_mode=cluster_mode, users=[user], tls=program.tls, program=program
    )
    with described as engines, ConfirmedCounters(engines, tally):
        for time_number in range(times):
            started = time.perf_counter()
            try:
                engines.fail_over(time_number % shards)
            except EngineError as error:
                tally.failures.append(str(error))
                return
            tally.out_seconds.append(time.perf_counter() - started)
            check(engines, tally)
            before, deadline = tally.writes, time.monotonic() + _SECONDS
            while tally.writes < before + _WRITES:
                if time.monotonic() > deadline:
                    tally.failures.append(f"only {tally.writes - before} writes in {_SECONDS:g} s after a failover")
                    return
                time.sleep(0.01)


def main() -> int:
    """Fail over, and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("redis", "valkey"), required=True)
    parser.add_argument("--times", type=int, default=20, help="how often to fail over (default: %(default)s)")
    parser.add_argument("--busy", action="store_true", help="keep every core busy with other processes")
    parser.add_argument("--no-cluster-mode", action="store_true", help="one shard without cluster mode")
    arguments = parser.parse_args()
    program = next((program for program in find_engines() if program.name == arguments.engine), None)
    if program is None:
        raise SystemExit(f"this machine has only {' and '.join(map(str, find_engines()))}, not {arguments.engine}")
    tally = Tally()
    with all_cores_busy() if arguments.busy else contextlib.nullcontext():
        # After a failure, continue with a new set.
        while (left := arguments.times - len(tally.out_seconds) - len(tally.failures)) > 0:
            fail_over(program, left, tally, cluster_mode=not arguments.no_cluster_mode)
    print("".join(f"{failure}\n" for failure in tally.failures), end="")
    where = f"{'busy' if arguments.busy else 'idle'}, {'no ' if arguments.no_cluster_mode else ''}cluster mode"
    median, longest = statistics.median(tally.out_seconds or [0]), max([0.0, *tally.out_seconds])
    print(
        f"{program}, {where}: {len(tally.out_seconds)} failovers, {len(tally.failures)} failed; lost: "
        f"{tally.writes_lost} of {tally.writes} confirmed writes ({tally.refused} refused); median {median:.1f} s, "
        f"longest {longest:.1f} s"
    )
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main())
