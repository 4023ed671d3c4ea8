"""The metrics of a node, from two outputs of its engine's ``INFO``.

Names and meanings: "Metrics for Valkey and Redis OSS" and "Host-Level Metrics" in ElastiCache's User Guide, and
"Metrics for MemoryDB" in MemoryDB's Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Info = Mapping[str, Any]
"""The output of ``INFO ALL`` as redis-py returns it."""

COUNT, PERCENT, BYTES, SECONDS, MICROSECONDS, NONE = "Count", "Percent", "Bytes", "Seconds", "Microseconds", "None"

# Name of the metric, and of the counter in INFO.
_COUNTERS = {
    "NewConnections": ("total_connections_received", COUNT),
    "Evictions": ("evicted_keys", COUNT),
    "Reclaimed": ("expired_keys", COUNT),
    "NetworkBytesIn": ("total_net_input_bytes", BYTES),
    "NetworkBytesOut": ("total_net_output_bytes", BYTES),
    "TotalCmdsCount": ("total_commands_processed", COUNT),
}
_GAUGES = {
    "CurrConnections": ("connected_clients", COUNT),
    "MemoryFragmentationRatio": ("mem_fragmentation_ratio", NONE),
    "SaveInProgress": ("rdb_bgsave_in_progress", COUNT),
}
# Nothing limits or delays the network of a loopback, and there is no transaction log.
_NEVER = (
    "NetworkBandwidthInAllowanceExceeded",
    "NetworkBandwidthOutAllowanceExceeded",
    "NetworkConntrackAllowanceExceeded",
    "NetworkPacketsPerSecondAllowanceExceeded",
)
# Metrics that count commands, by the engine's categories of commands.
_CATEGORIES = {
    "@bitmap": "BitmapBasedCmds",
    "@geo": "GeoSpatialBasedCmds",
    "@hash": "HashBasedCmds",
    "@hyperloglog": "HyperLogLogBasedCmds",
    "@keyspace": "KeyBasedCmds",
    "@list": "ListBasedCmds",
    "@pubsub": "PubSubBasedCmds",
    "@scripting": "EvalBasedCmds",
    "@set": "SetBasedCmds",
    "@sortedset": "SortedSetBasedCmds",
    "@stream": "StreamBasedCmds",
    "@string": "StringBasedCmds",
}
_READS, _WRITES = "readonly", "write"


@dataclass(frozen=True)
class Value:
    """One data point: ``total`` over ``count`` samples, whose smallest and largest value is their average."""

    total: float
    unit: str
    count: float = 1.0


@dataclass(frozen=True)
class Command:
    """What an engine says about one of its commands in ``COMMAND``."""

    flags: frozenset[str]
    categories: frozenset[str]


@dataclass(frozen=True)
class Host:
    """Free memory and used swap space of this machine, in bytes."""

    free: int
    swap_used: int


@dataclass(frozen=True)
class Sample:
    """What is known of a node at one moment.

    Attributes:
        time: Seconds since 1970.
        info: The output of INFO; empty before the node started.
        lag: Seconds that a replica is behind; None for a primary.
        other_region: Whether it replicates from the primary of a global datastore in another Region.
    """

    time: float
    info: Info
    lag: float | None = None
    other_region: bool = False

    def since(self, counter: str, before: Sample) -> float:
        """By how much a counter has grown; a node that was started again counts from zero."""
        now = float(self.info.get(counter) or 0)
        return now - (float(before.info.get(counter) or 0) if self.continues(before) else 0.0)

    def continues(self, before: Sample) -> bool:
        """Whether both samples are of the same process."""
        return before.info.get("run_id") == self.info.get("run_id")


@dataclass(frozen=True)
class Surroundings:
    """What INFO does not tell.

    Attributes:
        commands: The engine's commands, by name.
        memory: Bytes of memory of the node type, or of the limit of a serverless cache; None if it is not known.
        processors: Number of this machine's processors.
        host: This machine.
    """

    commands: Mapping[str, Command] = field(default_factory=dict[str, Command])
    memory: int | None = None
    processors: int = 1
    host: Host | None = None


def node_metrics(before: Sample, now: Sample, around: Surroundings) -> dict[str, Value]:
    """The metrics of a node for the time between two samples, with the names of ElastiCache."""
    info = now.info
    found = {name: Value(now.since(counter, before), unit) for name, (counter, unit) in _COUNTERS.items()}
    found |= {name: Value(float(info.get(entry) or 0), unit) for name, (entry, unit) in _GAUGES.items()}
    found |= {name: Value(0, COUNT) for name in _NEVER}
    return {
        **found,
        **_memory(info, around),
        **_processor(before, now, around),
        **_keys(before, now),
        **_refusals(before, now),
        **_commands(before, now, around.commands),
        **_replication(before, now),
    }


def _memory(info: Info, around: Surroundings) -> dict[str, Value]:
    used = float(info.get("used_memory") or 0)
    found = {"BytesUsedForCache": Value(used, BYTES)}
    if around.host:
        found["FreeableMemory"] = Value(around.host.free, BYTES)
        found["SwapUsage"] = Value(around.host.swap_used, BYTES)
    # Some engines have a limit of their own, from a parameter or from the limits of a serverless cache.
    limit = float(info.get("maxmemory") or 0) or around.memory
    if limit:
        counted = used - float(info.get("mem_not_counted_for_evict") or 0)
        found["DatabaseMemoryUsagePercentage"] = Value(100 * used / limit, PERCENT)
        found["DatabaseCapacityUsagePercentage"] = found["DatabaseMemoryUsagePercentage"]
        found["DatabaseMemoryUsageCountedForEvictPercentage"] = Value(100 * counted / limit, PERCENT)
    return found


def _processor(before: Sample, now: Sample, around: Surroundings) -> dict[str, Value]:
    seconds = now.time - before.time
    if seconds <= 0 or not now.continues(before):
        return {}
    whole = now.since("used_cpu_user", before) + now.since("used_cpu_sys", before)
    main = now.since("used_cpu_user_main_thread", before) + now.since("used_cpu_sys_main_thread", before)
    return {
        "CPUUtilization": Value(min(100.0, 100 * whole / seconds / around.processors), PERCENT),
        "EngineCPUUtilization": Value(min(100.0, 100 * main / seconds), PERCENT),
    }


def _keys(before: Sample, now: Sample) -> dict[str, Value]:
    spaces: list[Any] = [value for name, value in now.info.items() if name.startswith("db") and name[2:].isdecimal()]
    hits, misses = now.since("keyspace_hits", before), now.since("keyspace_misses", before)
    found = {
        "CurrItems": Value(sum(space["keys"] for space in spaces), COUNT),
        "CurrVolatileItems": Value(sum(space["expires"] for space in spaces), COUNT),
        "CacheHits": Value(hits, COUNT),
        "CacheMisses": Value(misses, COUNT),
    }
    if hits + misses > 0:
        found["CacheHitRate"] = Value(100 * hits / (hits + misses), PERCENT)
    return found


def _refusals(before: Sample, now: Sample) -> dict[str, Value]:
    if "acl_access_denied_auth" in now.info:  # Redis and Valkey 7.2 and newer
        counters = {
            "AuthenticationFailures": "acl_access_denied_auth",
            "CommandAuthorizationFailures": "acl_access_denied_cmd",
            "KeyAuthorizationFailures": "acl_access_denied_key",
            "ChannelAuthorizationFailures": "acl_access_denied_channel",
        }
        return {name: Value(now.since(counter, before), COUNT) for name, counter in counters.items()}
    # Older engines count errors by their first word only: NOPERM is a command, a key or a channel.
    errors = {"AuthenticationFailures": "WRONGPASS", "CommandAuthorizationFailures": "NOPERM"}
    return {
        name: Value(_entry_since(now, before, f"errorstat_{word}", "count"), COUNT) for name, word in errors.items()
    }


def _commands(before: Sample, now: Sample, commands: Mapping[str, Command]) -> dict[str, Value]:
    calls: dict[str, float] = dict.fromkeys([*_CATEGORIES.values(), _READS, _WRITES], 0.0)
    times = {_READS: 0.0, _WRITES: 0.0}
    for name in now.info:
        # A subcommand such as cmdstat_xgroup|create counts as its command.
        command = commands.get(name.removeprefix("cmdstat_").partition("|")[0]) if name.startswith("cmdstat_") else None
        if command is None:
            continue
        count = _entry_since(now, before, name, "calls")
        for category in command.categories & _CATEGORIES.keys():
            calls[_CATEGORIES[category]] += count
        for kind in command.flags & times.keys():
            calls[kind] += count
            times[kind] += _entry_since(now, before, name, "usec")
    found = {metric: Value(calls[metric], COUNT) for metric in _CATEGORIES.values()}
    for kind, cmds, latency in ((_READS, "GetTypeCmds", "Read"), (_WRITES, "SetTypeCmds", "Write")):
        found[cmds] = Value(calls[kind], COUNT)
        if calls[kind] > 0:
            # Its total and count, so that averages over nodes and minutes are those of all commands.
            time = Value(times[kind], MICROSECONDS, calls[kind])
            found[f"{cmds}Latency"] = found[f"Successful{latency}RequestLatency"] = time
    return found


def _entry_since(now: Sample, before: Sample, name: str, entry: str) -> float:
    """By how much an entry of a line such as ``cmdstat_get:calls=1,usec=8`` has grown."""
    after = float(now.info.get(name, {}).get(entry, 0))
    return after - (float(before.info.get(name, {}).get(entry, 0)) if now.continues(before) else 0.0)


def _replication(before: Sample, now: Sample) -> dict[str, Value]:
    if now.lag is None:
        written = now.since("master_repl_offset", before)
        return {"IsMaster": Value(1, COUNT), "ReplicationBytes": Value(written, BYTES)}
    linked = now.info.get("master_link_status") == "up"
    return {
        "IsMaster": Value(0, COUNT),
        "MasterLinkHealthStatus": Value(int(linked), COUNT),
        "GlobalDatastoreReplicationLag" if now.other_region else "ReplicationLag": Value(now.lag, SECONDS),
    }
