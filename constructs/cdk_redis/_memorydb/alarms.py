"""Alarms of MemoryDB clusters, whose metrics are also published for the cluster as a whole.

So an alarm has one metric, whatever the number of nodes: its maximum is that of the busiest node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._core.tokens import is_token
from cdk_redis._store.alarm_table import (
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
    from cdk_redis._values.node_type import NodeType
    from cdk_redis._values.topology import Topology

_GUIDE = "https://docs.aws.amazon.com/memorydb/latest/devguide"
_MONITOR, _ENGINE = f"{_GUIDE}/metrics.whichshouldimonitor.html", f"{_GUIDE}/metrics.memorydb.html"
_HOST = f"{_GUIDE}/metrics.HostLevel.html"
_LATENCIES = ("SuccessfulReadRequestLatency", "SuccessfulWriteRequestLatency")


def cluster_rows(topology: Topology, node_type: NodeType | None) -> list[AlarmRow]:
    """The alarms of a cluster.

    Args:
        topology: Its declared engine, shards and replicas.
        node_type: Type of its nodes; None if it is not known.
    """
    # Nodes have two vCPUs in the sizes small, medium and large: https://aws.amazon.com/memorydb/pricing/
    is_small = node_type is not None and node_type.size in ("small", "medium", "large")
    alone = "" if is_token(topology.replicas) or topology.replicas else "it has no replicas"
    redis = "" if topology.engine.name == "valkey" else "MemoryDB publishes latencies from Valkey 7.2 on"
    return [
        cpu_row(_MONITOR, 2 if is_small else None, "Maximum"),
        engine_cpu_row("Maximum"),
        memory_row(_ENGINE, "Maximum", data_tiering=node_type is not None and node_type.data_tiering),
        evictions_row(_MONITOR, "Maximum"),
        connections_row(f"{_GUIDE}/parametergroups.html", "Maximum"),
        replication_lag_row(_ENGINE, "Maximum", alone),
        AlarmRow(
            "log_throughput",
            "MaxReplicationThroughput",
            "Maximum",
            80_000_000,
            "bytes a second",
            "the writes of a shard come near to what the transaction log of several zones takes",
            "add shards",
            "80 percent of the 100 MB a second from which on AWS delays writes",
            _ENGINE,
            datapoints=3,
            counts=True,
        ),
        AlarmRow(
            "log_delays",
            "ReplicationDelayedWriteCommands",
            "Maximum",
            0,
            "commands a minute",
            "writes wait for the transaction log of several zones",
            "add shards",
            "any delayed write is one too many; five minutes in a row are no short burst",
            _MONITOR,
            counts=True,
        ),
        *network_rows(_HOST, "Maximum"),
        *failure_rows(_ENGINE, "Maximum"),
        *latency_rows(_ENGINE, _LATENCIES, write_ms=10, objection=redis),
    ]
