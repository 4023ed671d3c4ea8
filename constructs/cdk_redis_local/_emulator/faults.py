"""The faults of a running store: what each one breaks, and how it is repaired."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.store_gates import StoreGates
from cdk_redis_local._engines import cluster
from cdk_redis_local._engines.certificates import Certificate
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.node import Node
from cdk_redis_local._gates.node_gate import Gatekeeper, GateRules

FAULTS: dict[str, str] = {
    "engine-stopped": "the engines of every store stop as soon as it is available",
    "wrong-ca": "every store has a certificate of a certificate authority that clients do not trust",
    "acl-without-prefix": "every user may access all keys, whatever its access string allows",
    "managed-commands-allowed": "every MemoryDB user may run the commands that MemoryDB reserves for itself",
    "slots-missing": "the last shard of every cluster has lost its slots",
}
"""The faults that the local cloud can inject into every store, by name."""

STORE_FAULTS: dict[str, str] = {
    "engine-stopped": "all nodes of the store are killed, and connections are refused",
    "wrong-ca": "the store has a certificate of a certificate authority that clients do not trust",
    "acl-without-prefix": "every user may access all keys, whatever its access string allows",
    "managed-commands-allowed": "every user may run the commands that MemoryDB reserves for itself; MemoryDB only",
    "slots-missing": "the last shard has lost its slots; cluster mode only",
    "node-hangs": "the primary of the first shard keeps its connections open and does not answer",
    "out-of-memory": "the store is full: commands that need memory fail with OOM",
    "slow-answers": "each answer comes a second late",
}
"""The faults that can be injected into one store while it runs, by name."""

_SLOW_SECONDS = 1.0


@dataclass
class Parts:
    """The parts of a running store that faults change; ``engines`` change with the engine of the store.

    ``untrusted_certificate`` issues a certificate of another certificate authority. ``set_users`` sets the declared
    users again, with the faults in :attr:`StoreFaults.active`.
    """

    service: str
    engines: EngineSet
    gates: StoreGates
    gatekeeper: Gatekeeper
    untrusted_certificate: Callable[[], Certificate]
    set_users: Callable[[], None]

    @property
    def rules(self) -> GateRules:
        """The rules of the gates."""
        return self.gates.rules


class StoreFaults:
    """Injects faults into one running store, and repairs them. Safe to use from several threads."""

    def __init__(self, parts: Parts) -> None:
        """Begin without a fault."""
        self.active: set[str] = set()
        self._parts = parts
        self._injected: dict[str, _Fault] = {}
        self._lock = threading.Lock()

    def use(self, engines: EngineSet) -> None:
        """Inject later faults into these engines."""
        self._parts.engines = engines

    def why_not(self, fault: str) -> str | None:
        """Why this store cannot have a fault; None if it can."""
        return _KINDS[fault](self._parts).why_not()

    def inject(self, fault: str) -> None:
        """Inject a fault: one of :data:`STORE_FAULTS`.

        Raises:
            LocalCloudError: The fault does not exist, this store cannot have it, or has it already.
        """
        if fault not in _KINDS:
            raise LocalCloudError(f"unknown fault {fault}; the faults are {', '.join(STORE_FAULTS)}")
        with self._lock:
            made = _KINDS[fault](self._parts)
            reason = "the store has it already" if fault in self.active else made.why_not()
            if reason:
                raise LocalCloudError(f"cannot inject the fault {fault}: {reason}")
            self._injected[fault] = made
            self.active.add(fault)
            made.inject()

    def repair(self, fault: str) -> None:
        """Take a fault back; returns when the store is available. Does nothing if the store does not have the fault."""
        with self._lock:
            made = self._injected.pop(fault, None)
            self.active.discard(fault)
            if made is not None:
                made.repair()


class _Fault:
    """One fault of one store."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def why_not(self) -> str | None:
        """Why the store cannot have it."""
        return None

    def inject(self) -> None:
        raise NotImplementedError

    def repair(self) -> None:
        raise NotImplementedError

    def running(self) -> list[Node]:
        return [node for node in self.parts.engines.nodes if node.running]


class _EngineStopped(_Fault):
    def inject(self) -> None:
        self._gates = list(self.parts.gates.ports)
        for port in self._gates:
            self.parts.gatekeeper.suspend(port)
        self._nodes = list(self.parts.engines.nodes)
        for node in self._nodes:
            node.stopped = True  # so that it is not started again before the repair
            node.crash()

    def repair(self) -> None:
        # The gates first, because replicas reach their primary through its gate.
        for port in self._gates:
            self.parts.gatekeeper.resume(port)
        for node in self._nodes:
            node.stopped = False
        self.parts.engines.recover()


class _WrongCa(_Fault):
    def why_not(self) -> str | None:
        return None if self.parts.rules.certificate else "it has no TLS"

    def inject(self) -> None:
        self._right, self._wrong = self.parts.rules.certificate, self.parts.untrusted_certificate()
        self._set(self._wrong)

    def repair(self) -> None:
        # An update of the store may have set another certificate.
        if self.parts.rules.certificate is self._wrong:
            self._set(self._right)

    def _set(self, certificate: Certificate | None) -> None:
        self.parts.rules.certificate = certificate
        for port in list(self.parts.gates.ports):
            self.parts.gatekeeper.reopen(port)


class _OtherUsers(_Fault):
    """`Stores` gives the users more permissions while the fault is active."""

    def inject(self) -> None:
        self.parts.set_users()

    def repair(self) -> None:
        self.parts.set_users()


class _ManagedCommandsAllowed(_OtherUsers):
    def why_not(self) -> str | None:
        return None if self.parts.service == "memorydb" else "only MemoryDB reserves commands"


class _SlotsMissing(_Fault):
    def why_not(self) -> str | None:
        return None if self.parts.engines.cluster_mode else "it has no cluster mode"

    def inject(self) -> None:
        self._shard = self.parts.engines.shards - 1
        self._slots = set(cluster.owned_slots(self._owner()))
        self.parts.engines.delete_slots(self._shard)

    def repair(self) -> None:
        owner = self._owner()
        # Scaling may have given them to other shards.
        assigned = {slot for slots in cluster.slots_by_owner(owner).values() for slot in slots}
        if missing := self._slots - assigned:
            owner.admin.execute_command("CLUSTER", "ADDSLOTS", *sorted(missing))
        cluster.wait_until_available(self.running())

    def _owner(self) -> Node:
        return next(node for node in self.running() if node.shard == self._shard and node.role == "primary")


class _NodeHangs(_Fault):
    def inject(self) -> None:
        self._node = next(node for node in self.running() if node.shard == 0 and node.role == "primary")
        self._node.freeze()

    def repair(self) -> None:
        if self._node.running:
            self._node.resume()
            self._node.wait()
        if self.parts.engines.cluster_mode:
            # The cluster may have replaced the node.
            cluster.wait_until_available(self.running())
            for node in self.running():
                node.started_as = node.role


class _OutOfMemory(_Fault):
    _FULL: ClassVar[dict[str, str]] = {"maxmemory": "1", "maxmemory-policy": "noeviction"}

    def inject(self) -> None:
        self._before = {node: node.admin.config_get(*self._FULL) for node in self.running()}
        for node in self._before:
            _configure(node, self._FULL)

    def repair(self) -> None:
        for node in self.running():
            if node in self._before:
                _configure(node, self._before[node])


class _SlowAnswers(_Fault):
    def inject(self) -> None:
        self.parts.rules.delay_seconds = _SLOW_SECONDS

    def repair(self) -> None:
        self.parts.rules.delay_seconds = 0.0


def _configure(node: Node, settings: dict[str, str]) -> None:
    node.admin.execute_command("CONFIG", "SET", *(word for setting in settings.items() for word in setting))


_KINDS: dict[str, type[_Fault]] = {
    "engine-stopped": _EngineStopped,
    "wrong-ca": _WrongCa,
    "acl-without-prefix": _OtherUsers,
    "managed-commands-allowed": _ManagedCommandsAllowed,
    "slots-missing": _SlotsMissing,
    "node-hangs": _NodeHangs,
    "out-of-memory": _OutOfMemory,
    "slow-answers": _SlowAnswers,
}
