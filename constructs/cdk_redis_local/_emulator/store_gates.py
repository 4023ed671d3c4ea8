"""The gates of one store: one in front of each node, and those of its endpoints."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from cdk_redis_local._engines import cluster
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.node import Node
from cdk_redis_local._gates.node_gate import Gatekeeper, GateRules

Backend = Callable[[], "int | None"]


class StoreGates:
    """The open gates of a store; the endpoints' gates stay when the store gets other engines.

    ``rules`` are those of the gates of the current engines. ``primary``, ``reader`` and ``configuration`` are the ports
    of the endpoints; None for an endpoint that the store does not have.
    """

    def __init__(self, gatekeeper: Gatekeeper, rules: GateRules) -> None:
        """Begin without gates."""
        self._gatekeeper = gatekeeper
        self.rules = rules
        self.primary: int | None = None
        self.reader: int | None = None
        self.configuration: int | None = None
        self._engines: EngineSet | None = None
        self._nodes: dict[int, Node] = {}
        self._turn = itertools.count()
        self._only_nodes = False

    @property
    def ports(self) -> list[int]:
        """The ports of all gates."""
        endpoints = [port for port in (self.primary, self.reader, self.configuration) if port]
        return [*self._nodes, *endpoints]

    def open_node(self, node: Node, rules: GateRules | None = None) -> int:
        """Open the gate of a node; returns its port. Default: - with the current rules."""
        port = self._gatekeeper.open(_to_node(node), rules or self.rules)
        self._nodes[port] = node
        return port

    def open_endpoints(self, engines: EngineSet, *, compatible: bool = False) -> None:
        """Open the endpoints that these engines have, and close those that they do not have.

        Args:
            engines: The engines.
            compatible: Whether clients may use a cluster without the cluster protocol, too.
        """
        self._engines = engines
        single = not engines.cluster_mode or compatible
        self.primary = self._endpoint(self.primary, self._primary if single else None)
        self.reader = self._endpoint(self.reader, self._some_replica if single else None)
        self.configuration = self._endpoint(self.configuration, self._any_node if engines.cluster_mode else None)

    def use_nodes(self, engines: EngineSet) -> None:
        """Let the gates of the first primary and replica be the endpoints."""
        self._engines = engines
        self._only_nodes = True
        self.configuration, self.reader = engines.endpoint[1], engines.reader_endpoint[1]

    def switch(self, engines: EngineSet, rules: GateRules, *, compatible: bool = False) -> None:
        """Lead the later connections of all gates to other engines.

        Clients that know the ports of the former nodes reach the nodes in their place.
        """
        self.rules = rules
        current = {(node.shard, node.number): node for node in engines.nodes}
        for port, node in list(self._nodes.items()):
            if node not in engines.nodes:
                self._nodes[port] = heir = current.get((node.shard, node.number), engines.nodes[0])
                self._gatekeeper.redirect(port, _to_node(heir), rules)
        self._engines = engines
        if self._only_nodes:
            self._keep_ports(engines)
        else:
            self.open_endpoints(engines, compatible=compatible)

    def wait_until_announced(self) -> None:
        """Wait until the nodes of a store whose nodes' gates are its endpoints list these ports.

        Raises:
            EngineError: They did not in time.
        """
        if self._only_nodes and self._engines:
            cluster.wait_until_available(self._engines.nodes)

    def _keep_ports(self, engines: EngineSet) -> None:
        """Let the first primary and replica announce the ports of the nodes in whose place they are."""
        behind_tls = engines.tls and not engines.program.tls
        for port, node in ((self.configuration, engines.primaries[0]), (self.reader, engines.replica_nodes[0])):
            assert port is not None
            own = node.port
            cluster.announce(node, port, behind_tls=behind_tls)
            self._gatekeeper.redirect(port, _to_node(node), self.rules)
            self._nodes[port] = node
            if own != port:
                self._close(own)

    def close_unused(self) -> None:
        """Close the gates of nodes that are gone."""
        assert self._engines is not None
        for port, node in list(self._nodes.items()):
            if node not in self._engines.nodes:
                self._close(port)

    def close(self) -> None:
        """Close all gates."""
        for port in self.ports:
            self._close(port)

    def _close(self, port: int) -> None:
        self._gatekeeper.close(port)
        self._nodes.pop(port, None)

    def _endpoint(self, port: int | None, backend: Backend | None) -> int | None:
        if backend is None:
            if port is not None:
                self._gatekeeper.close(port)
            return None
        if port is None:
            return self._gatekeeper.open(backend, self.rules)
        self._gatekeeper.redirect(port, backend, self.rules)
        return port

    def _primary(self) -> int | None:
        # AWS's primary endpoint is a DNS name that points to the new primary after a failover.
        assert self._engines is not None
        return next((node.engine_port for node in self._engines.primaries if node.running), None)

    def _some_replica(self) -> int | None:
        assert self._engines is not None
        # AWS's reader endpoint distributes connections over the replicas. A replica in cluster mode would answer
        # clients that do not know the cluster protocol with MOVED.
        replicas = [] if self._engines.cluster_mode else self._engines.replica_nodes
        ports = [node.engine_port for node in replicas or self._engines.primaries if node.running]
        return ports[next(self._turn) % len(ports)] if ports else None

    def _any_node(self) -> int | None:
        assert self._engines is not None
        return next((node.engine_port for node in self._engines.nodes if node.running), None)


def _to_node(node: Node) -> Backend:
    return lambda: node.engine_port if node.running else None
