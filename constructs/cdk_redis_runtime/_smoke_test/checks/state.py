"""Parameters, memory and latency of the engines."""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Sequence
from typing import Any

from cdk_redis_runtime._client.wire import pack
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, any_heals, count, failed, passed
from cdk_redis_runtime._smoke_test.checks.memory import FULL, Memory
from cdk_redis_runtime._smoke_test.checks.nodes import Node, held_connection
from cdk_redis_runtime._smoke_test.checks.store import PrerequisiteError
from cdk_redis_runtime._smoke_test.clock import side_by_side
from cdk_redis_runtime._smoke_test.report import Outcome

_PARAMETERS_PROVES = "the nodes run with the declared parameters"
_MEMORY_EXPECTED = "free memory, or a maxmemory-policy that evicts keys"
_MEMORY_PROVES = "the store can take more data"
_LATENCY_PROVES = "the store answers quickly"

# Enough for the 99th percentile of a shard not to be one of its two slowest.
_ROUND_TRIPS = 300
_FEWEST_ROUND_TRIPS = 3


def _check_parameters(context: Context) -> Outcome:
    declared = context.declared.maxmemory_policy
    infos, unsettled = _infos(context)
    expected = f"maxmemory-policy {declared}"
    problems = [
        f"{node}: runs with maxmemory-policy {info.get('maxmemory_policy')} (declared: {declared}): "
        "the store has another parameter group, or a change of it was not applied"
        for node, info in infos
        if info.get("maxmemory_policy") != declared
    ]
    if problems:
        return failed(problems, expected)
    return passed(_PARAMETERS_PROVES, expected, f"{expected} at {count(len(infos), 'node')}", unsettled=unsettled)


def _no_policy_declared(context: Context) -> str | None:
    if context.declared.maxmemory_policy is None:
        return "no maxmemory-policy is declared, and other parameters cannot be read without CONFIG"
    return None


def _check_memory_headroom(context: Context) -> Outcome:
    primaries = {shard.primary for shard in context.store.shards()}
    known, unsettled = _infos(context)
    infos = [(node, info) for node, info in known if node in primaries]
    problems: list[str] = []
    fullest = 0.0
    for node, info in infos:
        memory = Memory.of(info)
        fullest = max(fullest, memory.share)
        # A cache that evicts keys is full in normal operation.
        if memory.lasting_share < FULL:
            continue
        # Policies whose names begin with "volatile" evict only keys with a time to live.
        kept = "" if memory.policy == "noeviction" else f", which can evict {memory.expires:,} of {memory.keys:,} keys"
        problems.append(
            f"{node}: {memory}{kept}: writes will be refused (OOM); use a larger node type or more shards, or "
            "delete data"
        )
    if problems:
        return failed(problems, _MEMORY_EXPECTED)
    observed = f"the fullest of {count(len(infos), 'shard')} uses {fullest:.0%}"
    return passed(_MEMORY_PROVES, _MEMORY_EXPECTED, observed, unsettled=unsettled)


def _infos(context: Context) -> tuple[list[tuple[Node, dict[str, Any]]], bool]:
    """INFO of the nodes that answer, and whether more nodes may answer soon; topology reports the others."""
    results = context.store.infos()
    infos = [(result.item, result.value) for result in results if result.value]
    if not infos:
        raise PrerequisiteError("topology", "no node answers INFO", heals=any_heals(results))
    return infos, any_heals(results)


def _check_latency(context: Context) -> Outcome:
    limit = context.declared.latency_limit_ms
    expected = f"a median round trip of at most {limit:g} ms"
    pairs = [(shard.primary, key) for shard, key in context.shards_and_keys("latency")]
    results = side_by_side(lambda pair: _round_trips(context, *pair), pairs, context.clock.remaining_for_checks)
    times = {result.item[0]: result.value for result in results if result.value}
    unanswered = [context.problem(result.item[0], result.error) for result in results if result.error]
    if not times:
        return failed(unanswered, expected)
    by_shard = [{"primary": str(node), **_percentiles(taken)} for node, taken in times.items()]
    everything = _percentiles([each for taken in times.values() for each in taken])
    observed = "p50 {p50_ms:g} ms, p99 {p99_ms:g} ms, max {max_ms:g} ms".format_map(everything)
    observed += f" over {count(sum(map(len, times.values())), 'round trip')}"
    # The median: the slowest of a few round trips show more about this machine than about the store.
    slow = [
        f"{shard['primary']}: the median round trip takes {shard['p50_ms']:g} ms (limit: {limit:g} ms): the node is "
        "overloaded or too small, or the network is slow"
        for shard in by_shard
        if float(shard["p50_ms"]) > limit
    ]
    if unanswered or slow:
        verdict = failed([*unanswered, *slow], expected, observed)
    else:
        verdict = passed(_LATENCY_PROVES, expected, observed)
    return dataclasses.replace(verdict, measurements={**everything, "shards": by_shard})


def _round_trips(context: Context, node: Node, key: str) -> list[float]:
    """Milliseconds of each round trip: a limited number of them, within a limited time."""
    # Reads of a key that does not exist: they take as long as an application's, and leave nothing behind. The first one
    # may have to connect.
    node.client.get(key)
    give_up = time.monotonic() + context.clock.step_seconds
    taken: list[float] = []
    command = [pack("GET", key)]
    # Without the client, whose own work would be a good part of the time.
    with held_connection(node) as connection:
        while len(taken) < _ROUND_TRIPS and (len(taken) < _FEWEST_ROUND_TRIPS or time.monotonic() < give_up):
            started = time.perf_counter()
            connection.send_packed_command(command)
            connection.read_response()
            taken.append((time.perf_counter() - started) * 1000)
    return taken


def _percentiles(taken: Sequence[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[math.ceil(len(ordered) * 0.99) - 1], 2),
        "max_ms": round(ordered[-1], 2),
    }


PARAMETERS = Check("parameters", _PARAMETERS_PROVES, _check_parameters, not_applicable=_no_policy_declared)
MEMORY_HEADROOM = Check("memory-headroom", _MEMORY_PROVES, _check_memory_headroom)
LATENCY = Check("latency", _LATENCY_PROVES, _check_latency, runs_alone=True)
