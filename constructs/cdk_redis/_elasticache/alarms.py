"""Alarms of replication groups, whose metrics are those of nodes, and of serverless caches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cdk_redis._core.tokens import is_token
from cdk_redis._store.alarm_table import (
    RECOMMENDED,
    AlarmRow,
    connections_row,
    cpu_row,
    engine_cpu_row,
    evictions_row,
    failure_rows,
    latency_rows,
    memory_row,
    network_rows,
    replication_lag_row,
)

if TYPE_CHECKING:
    from cdk_redis._elasticache.usage_limits import UsageLimits
    from cdk_redis._values.node_type import NodeType
    from cdk_redis._values.topology import Topology

_GUIDE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg"
_MONITOR = f"{_GUIDE}/CacheMetrics.WhichShouldIMonitor.html"
_ENGINE, _HOST = f"{_GUIDE}/CacheMetrics.Redis.html", f"{_GUIDE}/CacheMetrics.HostLevel.html"
_SERVERLESS = f"{_GUIDE}/serverless-metrics-events-redis.html"
_GLOBAL = f"{_GUIDE}/Redis-Global-Datastore.html"
_LIMITS = f"{_GUIDE}/Scaling.html"
_VALKEY = ("SuccessfulReadRequestLatency", "SuccessfulWriteRequestLatency")
# Of Redis OSS, the time in the engine's command alone.
_REDIS = ("GetTypeCmdsLatency", "SetTypeCmdsLatency")


def node_rows(topology: Topology, node_type: NodeType | None, *, secondary: bool = False) -> list[AlarmRow]:
    """The alarms of a replication group.

    Args:
        topology: Its declared engine, shards and replicas.
        node_type: Type of its nodes; None if it is not known.
        secondary: Whether it is the secondary of a global datastore.
    """
    alone = "" if is_token(topology.replicas) or topology.replicas else "it has no replicas"
    tiering = node_type is not None and node_type.data_tiering
    is_valkey = topology.engine.name == "valkey"
    return [
        cpu_row(_MONITOR, small_vcpus(node_type), "Average"),
        engine_cpu_row("Average"),
        memory_row(RECOMMENDED, "Average", data_tiering=tiering),
        evictions_row(_MONITOR, "Sum"),
        connections_row(RECOMMENDED, "Average"),
        replication_lag_row(RECOMMENDED, "Average", alone),
        *network_rows(_HOST, "Sum"),
        *failure_rows(_ENGINE, "Sum"),
        *latency_rows(_ENGINE, _VALKEY if is_valkey else _REDIS),
        *([_global_lag()] if secondary else []),
    ]


def small_vcpus(node_type: NodeType | None) -> int | None:
    """Number of vCPUs of a node with one or two; None for a larger one, and if it is not known.

    https://aws.amazon.com/elasticache/pricing/, read on 2026-11-21
    """
    if node_type is None or is_token(node_type.name):
        return None
    if node_type.name_in("cache").removeprefix("cache.") in _ONE_VCPU:
        return 1
    return 2 if node_type.size in ("micro", "small", "medium", "large") else None


_ONE_VCPU = ("t1.micro", "t2.micro", "t2.small", "m1.small", "m1.medium", "m3.medium")


def _global_lag() -> AlarmRow:
    return replace(
        replication_lag_row(_GLOBAL, "Average", ""),
        name="global_replication_lag",
        metric="GlobalDatastoreReplicationLag",
        threshold=5,
        meaning="this secondary is behind the primary in the other Region",
        advice="look at the primary's load; do not promote this secondary now",
        why="AWS names less than a second as usual",
    )


# Upper bounds of all serverless caches, https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling.html
_MOST_GIGABYTES, _MOST_UNITS = 5_000, 15_000_000
_SHARE = 0.8


def serverless_rows(limits: UsageLimits | None) -> list[AlarmRow]:
    """The alarms of a serverless cache, whose metrics are those of the cache as a whole.

    Args:
        limits: Its usage limits; None if it has none, or if they are not known.
    """
    gigabytes = _most(limits.data_storage_gb if limits else None, _MOST_GIGABYTES)
    units = _most(limits.ecpu_per_second if limits else None, _MOST_UNITS)
    return [
        AlarmRow(
            "data",
            "BytesUsedForCache",
            "Maximum",
            None if gigabytes is None else _SHARE * gigabytes * 10**9,
            "bytes",
            "the cache is nearly full: at the limit it evicts keys, or rejects writes",
            "raise the limit, or give keys a time to live",
            "80 percent of `usage_limits`, or else of the 5,000 GB that AWS allows",
            _LIMITS,
            objection="" if gigabytes is not None else "the limit is a token",
        ),
        AlarmRow(
            "ecpu",
            "ElastiCacheProcessingUnits",
            "Sum",
            None if units is None else _SHARE * units * 60,
            "units a minute",
            "the cache processes nearly as many requests as its limit allows",
            "raise the limit, or make fewer or smaller requests",
            "80 percent of `usage_limits`, or else of the 15,000,000 a second that AWS allows",
            _LIMITS,
            counts=True,
            objection="" if units is not None else "the limit is a token",
        ),
        AlarmRow(
            "throttled",
            "ThrottledCmds",
            "Sum",
            0,
            "commands a minute",
            "commands are throttled: the load is at the limit, or grows faster than the cache scales",
            "raise the limit, or set a minimum in `usage_limits` before a known peak",
            "any throttled command is one too many; three minutes of five are no short burst",
            _SERVERLESS,
            datapoints=3,
            counts=True,
        ),
        evictions_row(_SERVERLESS, "Sum"),
        connections_row(f"{_GUIDE}/BestPractices.Clients.Redis.Connections.html", "Average"),
        *failure_rows(_SERVERLESS, "Sum"),
        *latency_rows(_SERVERLESS, _VALKEY),
    ]


def _most(bounds: tuple[int | None, int | None] | None, otherwise: int) -> int | None:
    """The upper bound; None if it is a token."""
    most = bounds[1] if bounds else None
    if most is None:
        return otherwise
    return None if is_token(most) else most
