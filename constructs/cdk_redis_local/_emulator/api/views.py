"""A running store as the APIs describe it: its nodes with their names, roles and slots, its status and its template."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdk_redis_local._emulator.changes import Change
from cdk_redis_local._emulator.store import Store, StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.node import HOST
from cdk_redis_local._engines.observed import NodeState, observe

ASSIGNED_MAINTENANCE_WINDOW = "sun:05:00-sun:06:00"
"""What a store without a window in its template has; the services assign one."""
ASSIGNED_SNAPSHOT_WINDOW = "03:00-04:00"
"""What a store without a window in its template has; the services assign one."""


@dataclass(frozen=True)
class NodeView:
    """A node.

    Attributes:
        name: Its name in the API, such as ``app-0001-002``.
        state: What its engine reports.
        zone: Availability Zone of one of the store's subnets; None if the local cloud does not know the subnets. All
            nodes run on this machine.
        created: When it was created; None if that was not recorded.
    """

    name: str
    state: NodeState
    zone: str | None
    created: dt.datetime | None

    @property
    def status(self) -> str:
        """``available``, or ``modifying`` if its engine does not answer."""
        return "available" if self.state.answers else "modifying"

    @property
    def endpoint(self) -> dict[str, Any]:
        """Its own address."""
        return endpoint(self.state.node.port)


@dataclass(frozen=True)
class StoreView:
    """A store.

    Attributes:
        key: Its key.
        store: The running store.
        properties: Its properties in the template.
        nodes: Its nodes, in the order of their names.
        change: The change that is not complete; None without one.
        created: When it was created; None if that was not recorded.
    """

    key: StoreKey
    store: Store
    properties: Mapping[str, Any]
    nodes: Sequence[NodeView]
    change: Change | None
    created: dt.datetime | None

    @property
    def status(self) -> str:
        """The status of the store, in ElastiCache's words; ``modifying`` if a node does not answer."""
        return self.change or status_of(self.nodes)

    @property
    def shards(self) -> dict[str, list[NodeView]]:
        """The nodes of each shard, by the shard's name."""
        found: dict[str, list[NodeView]] = {}
        for node in sorted(self.nodes, key=lambda one: (one.state.node.shard, one.name)):
            found.setdefault(f"{node.state.node.shard + 1:04}", []).append(node)
        return found

    def flag(self, name: str, default: bool) -> bool:
        """A property that is a flag; templates have texts and flags."""
        value = self.properties.get(name)
        return default if value is None else str(value).lower() == "true"

    def number(self, name: str, default: int) -> int:
        """A property that is a number."""
        value = self.properties.get(name)
        return default if value is None else int(value)


def view(stores: Stores, key: StoreKey, zones: Sequence[str]) -> StoreView | None:
    """Ask the nodes of a store for their state; returns None if it does not run.

    Args:
        stores: All stores.
        key: The store.
        zones: The Availability Zones of its subnets. Its nodes get one after the other.
    """
    store = stores.find(key)
    if store is None:
        return None
    store_created, created = _creations(stores, key)
    nodes: list[NodeView] = []
    for state in observe(list(store.engines.nodes), cluster_mode=store.engines.cluster_mode):
        name, node = store.node_name(state.node), state.node
        zone = zones[(node.shard + node.number - 1) % len(zones)] if zones else None
        nodes.append(NodeView(name, state, zone, created.get(name, store_created)))
    nodes.sort(key=lambda one: one.name)
    return StoreView(key, store, stores.declared.get(key, {}), nodes, stores.changes.of(key), store_created)


def status_of(nodes: Sequence[NodeView]) -> str:
    """``available``, or ``modifying`` if one of these nodes does not answer."""
    return "available" if all(node.state.answers for node in nodes) else "modifying"


def slots_of(nodes: Sequence[NodeView]) -> str | None:
    """The slots of a shard, such as ``0-5460,16000``; None if none of its nodes has any."""
    ranges = sorted(one for node in nodes if node.state.role == "primary" for one in node.state.slots)
    return ",".join(f"{first}-{last}" if first != last else str(first) for first, last in ranges) or None


def endpoint(port: int) -> dict[str, Any]:
    """An address of the local cloud, in the API's shape."""
    return {"Address": HOST, "Port": port}


def _creations(stores: Stores, key: StoreKey) -> tuple[dt.datetime | None, dict[str, dt.datetime]]:
    """When a store and its nodes were created; a node that was removed and added again counts from the last time."""
    store: dt.datetime | None = None
    nodes: dict[str, dt.datetime] = {}
    for of, event in stores.events.history():
        if of == key and event.kind in ("created", "nodes-added"):
            nodes.update(dict.fromkeys(event.nodes, event.time))
            store = event.time if event.kind == "created" else store
    return store, nodes
