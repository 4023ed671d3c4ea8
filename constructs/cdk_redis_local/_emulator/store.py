"""One store: its key, its shape, and its engines behind gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.engine_users import engine_users, without_commands
from cdk_redis_local._emulator.faults import StoreFaults
from cdk_redis_local._emulator.store_gates import StoreGates
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.node import Node
from cdk_redis_local._engines.program import EngineProgram
from cdk_redis_local._gates.node_gate import GateRules

Scope = tuple[str, str]
"""Account and Region."""


CACHE_CLUSTER = "cache-cluster"
"""The ``service`` of a cache cluster that is not a node of a replication group, in `StoreKey`."""


@dataclass(frozen=True)
class StoreKey:
    """Identifies a store: ``service`` is ``elasticache``, ``memorydb``, ``serverless`` or :data:`CACHE_CLUSTER`.

    ``name`` is its id. Stores of several kinds may have the same name.
    """

    service: str
    scope: Scope
    name: str


@dataclass(frozen=True)
class StoreShape:
    """The properties of a store in a template that affect its engines."""

    program: EngineProgram
    cluster_mode: bool
    shards: int
    replicas: int
    tls: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    slots: Sequence[tuple[int, int]] = ()
    durable: bool = False
    compatible: bool = False
    """In cluster mode: whether clients without the cluster protocol may use the store, too."""
    plaintext: bool = False
    """With TLS: whether clients may also connect without it."""


@dataclass
class Store:
    """A running store. ``users`` are the declared users, without the effects of faults."""

    engines: EngineSet
    gates: StoreGates
    users: Sequence[AclUser]
    faults: StoreFaults
    node_prefix: str
    """Of its nodes' names, with ``{shard}`` for the shard's name. As on AWS, it stays when cluster mode changes."""
    compatible: bool = False
    alone: bool = False
    """Whether its only node has the name of the store."""
    refused: tuple[str, ...] = ()
    """Commands that all users are refused, besides those that the service reserves."""

    @property
    def shape(self) -> StoreShape:
        """Its current shape."""
        engines = self.engines
        return StoreShape(
            program=engines.program,
            cluster_mode=engines.cluster_mode,
            shards=engines.shards,
            replicas=engines.replicas,
            tls=engines.tls,
            parameters=dict(engines.parameters),
            compatible=self.compatible,
            plaintext=self.rules.plaintext,
        )

    @property
    def rules(self) -> GateRules:
        """The rules of its gates."""
        return self.gates.rules

    @property
    def endpoint(self) -> int:
        """The localhost port of the configuration endpoint, or of the primary endpoint without cluster mode."""
        port = self.gates.configuration or self.gates.primary
        assert port is not None
        return port

    @property
    def reader_endpoint(self) -> int:
        """The localhost port of the reader endpoint; with cluster mode, of the configuration endpoint."""
        return self.gates.reader or self.endpoint

    def apply(self, change: Callable[[EngineSet], None]) -> None:
        """Apply a change to the engines, and again to others if the store gets them in the meantime."""
        while True:
            engines = self.engines
            change(engines)
            if self.engines is engines:
                return

    def node_name(self, node: Node) -> str:
        """The name of a node in the AWS API, such as ``app-0001-002``; without cluster mode ``app-002``."""
        if self.alone:
            return self.node_prefix
        return f"{self.node_prefix.format(shard=f'{node.shard + 1:04}')}-{node.number:03}"

    @property
    def node_names(self) -> tuple[str, ...]:
        """The names of all nodes, in order."""
        return tuple(sorted(map(self.node_name, list(self.engines.nodes))))


def change_engines(service: str, store: Store, shape: StoreShape) -> bool:
    """Give a store another engine, cluster mode or TLS; returns whether something changed.

    Args:
        service: The store's ``service`` in `StoreKey`.
        store: The store.
        shape: Its shape after the change.

    Raises:
        LocalCloudError: The change failed; the store is as before.
    """
    old, gates = store.engines, store.gates
    engines_change = (old.program, old.cluster_mode, old.tls) != (shape.program, shape.cluster_mode, shape.tls)
    if not engines_change and (store.compatible, store.rules.plaintext) == (shape.compatible, shape.plaintext):
        return False
    if engines_change:
        if store.faults.active:
            faults = ", ".join(sorted(store.faults.active))
            raise LocalCloudError(
                f"the local cloud cannot change the engine, cluster mode or TLS of a store with the fault {faults}: "
                "repair it first"
            )
        encrypted = shape.tls and shape.program.tls
        rules = replace(store.rules, ca_file=old.authority.ca_file if encrypted else None, open_users={})
        users = engine_users(service, store.users, rules, ())
        heir = old.successor(
            program=shape.program,
            cluster_mode=shape.cluster_mode,
            tls=shape.tls,
            users=without_commands(users, store.refused),
            open_gate=lambda node: gates.open_node(node, rules),
        )
        rules.certificate, rules.own = heir.certificate, heir.security.certificate
        rules.plaintext = shape.plaintext

        def switch() -> None:
            gates.switch(heir, rules, compatible=shape.compatible)
            store.engines = heir
            store.faults.use(heir)

        old.hand_over(heir, switch)
        gates.wait_until_announced()
    else:
        store.rules.plaintext = shape.plaintext
        gates.open_endpoints(old, compatible=shape.compatible)
    store.compatible = shape.compatible
    return True
