"""The nodes of a store as CloudWatch names them, and how many of them an alarm can watch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cdk_redis._core.service import Service
    from cdk_redis._values.topology import Topology

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
MOST_METRICS_IN_AN_ALARM = 10


class Named(Protocol):
    """A store, as far as the dimensions of its metrics go."""

    @property
    def service(self) -> Service:
        """The service that runs it."""
        ...

    @property
    def store_name(self) -> str:
        """Its name."""
        ...


def has_node_metrics_only(service: Service) -> bool:
    """Whether a service publishes metrics of nodes, and none of the store as a whole."""
    return service.name != "memorydb" and not service.serverless


def node_numbers(topology: Topology, shards: int, replicas: int) -> list[str]:
    """Numbers that ElastiCache gives to the nodes of a new group, by shard.

    Args:
        topology: The topology, for the cluster mode.
        shards: Number of shards.
        replicas: Number of replicas of each shard.
    """
    nodes = [f"{number:03d}" for number in range(1, replicas + 2)]
    if not topology.cluster_mode:
        return nodes
    return [f"{shard:04d}-{node}" for shard in range(1, shards + 1) for node in nodes]


def dimensions_of(store: Named, node: str | None) -> dict[str, str]:
    """Dimensions of the metrics of a node.

    Args:
        store: The store.
        node: Number of the node; None for the store as a whole.
    """
    name = store.store_name
    if store.service.name == "memorydb":
        return {"ClusterName": name} | ({} if node is None else {"NodeName": f"{name}-{node}"})
    return {"clusterId": name} if node is None else {"CacheClusterId": f"{name}-{node}"}


def parts_of(nodes: Sequence[str]) -> dict[str, list[str]]:
    """Divide nodes into parts that one alarm can watch: whole shards, with up to 10 nodes together.

    Args:
        nodes: Numbers of the nodes, by shard.

    Returns:
        The nodes of each part, by an id that names its shards; the id of a single part is empty.
    """
    if len(nodes) <= MOST_METRICS_IN_AN_ALARM:
        return {"": list(nodes)}
    shards = {shard: list(of_shard) for shard, of_shard in groupby(nodes, key=lambda node: node.rpartition("-")[0])}
    names = list(shards)
    each = MOST_METRICS_IN_AN_ALARM // len(shards[names[0]])
    found: dict[str, list[str]] = {}
    for start in range(0, len(names), each):
        part = names[start : start + each]
        last = f"To{part[-1]}" if len(part) > 1 else ""
        found[f"Shard{part[0]}{last}"] = [node for shard in part for node in shards[shard]]
    return found
