"""The texts of events in DescribeEvents of both services.

Sources: TestFailover in ElastiCache's API reference; "Viewing ElastiCache events"; "Event Notifications and Amazon SNS"
of both services.
"""

from __future__ import annotations

from typing import NamedTuple

from cdk_redis_local._emulator.observe.events import Event, EventKind


class Described(NamedTuple):
    """An event as DescribeEvents returns it.

    Attributes:
        source_type: ``cache-cluster`` or ``replication-group`` of ElastiCache, ``node`` or ``cluster`` of MemoryDB. A
            node of ElastiCache is a cache cluster.
        source: Name of the node or of the store.
        message: AWS's text.
    """

    source_type: str
    source: str
    message: str


# The texts of the store and of each node of the event. {last} is the last node; {node} is each node.
_STORE, _NODES, _LAST = "store", "each node", "the last node"
_Text = tuple[str, str]
_SNAPSHOT = "Snapshot succeeded for snapshot with ID '{text}' of"
_FAILOVER = "Failover from primary node {first} to replica node {last} completed"
# A cache cluster of a replication group has one cache node: 0001.
_ELASTICACHE: dict[EventKind, tuple[_Text, ...]] = {
    "created": ((_NODES, "Cache cluster created"), (_STORE, "Replication group {store} created")),
    "parameter-changed": ((_NODES, "Updated parameter {text}"),),
    "failover-started": ((_STORE, "Test Failover API called for node group {shard}"),),
    "failover-complete": ((_LAST, _FAILOVER), (_STORE, _FAILOVER)),
    "recovery-started": ((_NODES, "Recovering cache nodes 0001"),),
    "recovered": ((_NODES, "Finished recovery for cache nodes 0001"),),
    "nodes-added": ((_NODES, "Cache cluster created"),),
    "nodes-removed": ((_NODES, "Cache cluster deleted"),),
    "snapshot-complete": ((_NODES, f"{_SNAPSHOT} cache cluster with ID '{{node}}'"),),
    "deleted": ((_NODES, "Cache cluster deleted"), (_STORE, "Replication group {store} deleted")),
}
_MEMORYDB: dict[EventKind, tuple[_Text, ...]] = {
    "created": ((_STORE, "Cluster created."),),
    "parameter-changed": ((_STORE, "Updated parameter group for the cluster"),),
    "failover-started": ((_STORE, "Test Failover API called for shard {shard}"),),
    "failover-complete": ((_STORE, "Failover to replica node {last} completed"),),
    "recovery-started": ((_NODES, "Recovering node {node}"),),
    "recovered": ((_NODES, "Finished recovery for node {node}"),),
    "nodes-added": ((_STORE, "Modified number of nodes from {text}"),),
    "nodes-removed": ((_NODES, "Removed node {node}"),),
    "snapshot-complete": ((_STORE, f"{_SNAPSHOT} cluster with ID '{{store}}'"),),
    "deleted": ((_STORE, "Cluster deleted."),),
}
# AWS does not document the texts of serverless caches.
_SERVICES: dict[str, tuple[dict[EventKind, tuple[_Text, ...]], str, str]] = {
    "elasticache": (_ELASTICACHE, "cache-cluster", "replication-group"),
    "memorydb": (_MEMORYDB, "node", "cluster"),
    "serverless": ({}, "", "serverless-cache"),
}


def describe(service: str, store: str, event: Event) -> list[Described]:
    """What DescribeEvents of a service returns for an event of a store; some events have several texts, or none."""
    texts, node_type, store_type = _SERVICES[service]
    words = {"store": store, "shard": event.shard, "text": event.text}
    if event.nodes:
        words |= {"first": event.nodes[0], "last": event.nodes[-1]}
    described: list[Described] = []
    for about, text in texts.get(event.kind, ()):
        nodes = {_STORE: (), _LAST: event.nodes[-1:], _NODES: event.nodes}[about]
        described += [Described(node_type, node, text.format(node=node, **words)) for node in nodes]
        if about == _STORE:
            described.append(Described(store_type, store, text.format(**words)))
    return described
