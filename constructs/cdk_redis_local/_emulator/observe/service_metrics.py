"""The metrics of each service: namespaces, names and dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cdk_redis_local._emulator.observe.engine_metrics import COUNT, Value

ELASTICACHE, MEMORYDB = "AWS/ElastiCache", "AWS/MemoryDB"

# MemoryDB's names of metrics that ElastiCache names otherwise.
_MEMORYDB_NAMES = {
    "BytesUsedForCache": "BytesUsedForMemoryDB",
    "CacheHits": "KeyspaceHits",
    "CacheMisses": "KeyspaceMisses",
    "CacheHitRate": "KeyspaceHitRate",
    "IsMaster": "IsPrimary",
    "MasterLinkHealthStatus": "PrimaryLinkHealthStatus",
}
# A serverless cache has these, as a whole. Those in the second set are sums over the primaries: replicas have the same.
_SERVERLESS = {
    "AuthenticationFailures",
    "ChannelAuthorizationFailures",
    "CommandAuthorizationFailures",
    "CurrConnections",
    "KeyAuthorizationFailures",
    "NetworkBytesIn",
    "NetworkBytesOut",
    "NewConnections",
    "TotalCmdsCount",
    "SuccessfulReadRequestLatency",
    "SuccessfulWriteRequestLatency",
    "CacheHits",
    "CacheMisses",
}
_SERVERLESS_PRIMARIES = {"BytesUsedForCache", "CurrItems", "CurrVolatileItems", "Evictions", "Reclaimed"}
# AWS does not publish these for nodes.
_SERVERLESS_ONLY = {"TotalCmdsCount"}
# Metrics of a replication group by the role of its nodes, which scaling policies track.
_BY_ROLE = {"CPUUtilization", "EngineCPUUtilization", "DatabaseMemoryUsageCountedForEvictPercentage"}
_KIB = 1024


class Point(NamedTuple):
    """A data point of one metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: Value


class NodeMetrics(NamedTuple):
    """The metrics of one node, with its name in the AWS API; ``seconds`` is the time that they are about."""

    node: str
    primary: bool
    seconds: float
    values: Mapping[str, Value]


def points_of(service: str, store: str, nodes: Sequence[NodeMetrics]) -> Iterator[Point]:
    """The data points of a store.

    Args:
        service: ``elasticache``, ``memorydb`` or ``serverless``.
        store: Name of the store.
        nodes: Its nodes, as far as they answer.
    """
    if service == "serverless":
        yield from _serverless(store, nodes)
        return
    make = _memorydb if service == "memorydb" else _elasticache
    for node in nodes:
        kept = {name: value for name, value in node.values.items() if name not in _SERVERLESS_ONLY}
        yield from make(store, node._replace(values=kept))


def _elasticache(store: str, node: NodeMetrics) -> Iterator[Point]:
    cluster = ("CacheClusterId", node.node)
    for name, value in node.values.items():
        yield Point(ELASTICACHE, name, (cluster,), value)
        yield Point(ELASTICACHE, name, (cluster, ("CacheNodeId", "0001")), value)
        if name in _BY_ROLE:
            role = ("Role", "Primary" if node.primary else "Replica")
            yield Point(ELASTICACHE, name, (("ReplicationGroupId", store), role), value)


def _memorydb(store: str, node: NodeMetrics) -> Iterator[Point]:
    values = {_MEMORYDB_NAMES.get(name, name): value for name, value in node.values.items()}
    values["ReplicationDelayedWriteCommands"] = Value(0, COUNT)
    if node.primary and node.seconds > 0:
        written = values["ReplicationBytes"].total
        values["MaxReplicationThroughput"] = Value(written / node.seconds, "Bytes/Second")
    cluster = ("ClusterName", store)
    for name, value in values.items():
        yield Point(MEMORYDB, name, (cluster,), value)
        yield Point(MEMORYDB, name, (cluster, ("NodeName", node.node)), value)


def _serverless(store: str, nodes: Sequence[NodeMetrics]) -> Iterator[Point]:
    totals: dict[str, Value] = {}
    for node in nodes:
        for name, value in node.values.items():
            if name in _SERVERLESS or (node.primary and name in _SERVERLESS_PRIMARIES):
                before = totals.get(name, Value(0, value.unit, 0))
                # Times of commands keep their number of commands; others are one sample of the whole cache.
                count = before.count + value.count if name.endswith("Latency") else 1
                totals[name] = Value(before.total + value.total, value.unit, count)
    if not totals:
        return
    hits, misses = totals.pop("CacheHits").total, totals.pop("CacheMisses").total
    if hits + misses > 0:
        totals["CacheHitRate"] = Value(100 * hits / (hits + misses), "Percent")
    totals["ThrottledCmds"] = Value(0, COUNT)
    # AWS: one unit for each KB that a simple command transfers. The engine does not tell the size of each command.
    transferred = totals["NetworkBytesIn"].total + totals["NetworkBytesOut"].total
    totals["ElastiCacheProcessingUnits"] = Value(max(totals["TotalCmdsCount"].total, transferred / _KIB), COUNT)
    for name, value in totals.items():
        yield Point(ELASTICACHE, name, (("clusterId", store),), value)
