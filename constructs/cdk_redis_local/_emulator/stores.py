"""The stores of the local cloud: each is an `EngineSet` behind gates."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._emulator.changes import Changes, recorded_as
from cdk_redis_local._emulator.engine_users import SERVERLESS, engine_users, without_commands
from cdk_redis_local._emulator.faults import STORE_FAULTS, Parts, StoreFaults
from cdk_redis_local._emulator.observe.events import Event, EventLog
from cdk_redis_local._emulator.store import CACHE_CLUSTER, Store, StoreKey, StoreShape, change_engines
from cdk_redis_local._emulator.store_gates import StoreGates
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.certificates import Certificate, CertificateAuthority
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.node import HOST, Node
from cdk_redis_local._engines.program import EngineProgram, find_engines
from cdk_redis_local._gates.node_gate import Gatekeeper, GateRules
from cdk_redis_local._gates.token_check import TokenTarget


class Stores:
    """Creates, changes and deletes stores. Safe to use from several threads."""

    def __init__(
        self,
        workspace: Workspace,
        authority: CertificateAuthority,
        *,
        authorize: Callable[[str, str, TokenTarget], object],
        say: Callable[[str], object],
        faults: Iterable[str] = (),
        stand_in: bool = False,
    ) -> None:
        """Prepare to run stores.

        Args:
            workspace: The workspace for the engines' processes and files.
            authority: The certificate authority of the engines' certificates.
            authorize: Checks a token for a user of a store; raises TokenRefusedError.
            say: Called with each message for the user.
            faults: Names from :data:`FAULTS`: every store gets those that it can have when it is available.
            stand_in: Whether another engine may run in place of one that this machine does not have.
        """
        self.programs: list[EngineProgram] = find_engines()
        self._workspace = workspace
        self._authorize = authorize
        self._say = say
        self._faults = tuple(faults)
        self._stand_in = stand_in
        self._stand_ins: set[str] = set()
        self._authority = authority
        self._gatekeeper = Gatekeeper()
        self._stores: dict[StoreKey, Store] = {}
        self.declared: dict[StoreKey, Mapping[str, Any]] = {}
        """The properties of each running store in its template, as of its last successful create or update."""
        self.events: EventLog[StoreKey] = EventLog(say)
        self.changes: Changes[StoreKey] = Changes()
        self._lock = threading.RLock()

    def choose_engine(self, name: str, version: str | None) -> EngineProgram:
        """The engine on this machine that a template declares, or that stands in for it.

        Args:
            name: ``valkey`` or ``redis``.
            version: The version in the template, such as ``7``, ``7.0`` or ``7.0.15``. Only the major version, and the
                minor version if it is given, must match. Default: - any version.

        Raises:
            LocalCloudError: This machine does not have that engine in that version, and no other may stand in.
        """
        declared = version.split(".")[:2] if version else []
        for program in self.programs:
            if program.name == name.lower() and program.major_minor.split(".")[: len(declared)] == declared:
                return program
        if self._stand_in:
            return self._stand_in_for(name, version)
        have = " and ".join(map(str, self.programs))
        options = " or ".join(f"-c engine={program.name}:{program.major_minor}" for program in self.programs)
        raise LocalCloudError(
            f"the template declares {name} {version or 'of any version'}, but this machine has only {have}: deploy "
            f"with {options}, or let another engine stand in: LocalCloud(stand_in=True)"
        )

    def _stand_in_for(self, name: str, version: str | None) -> EngineProgram:
        """The newest engine with this name, or the preferred one."""
        same = [program for program in self.programs if program.name == name.lower()]
        chosen = max(same, key=lambda one: [int(part) for part in one.version.split(".")], default=self.programs[0])
        sentence = f"{chosen} stands in for {name.lower()} {version or ''}".rstrip()
        if sentence not in self._stand_ins:
            self._stand_ins.add(sentence)
            self._say(f"{sentence}, which this machine does not have")
        return chosen

    def __contains__(self, key: StoreKey) -> bool:
        """Whether this store runs."""
        return key in self._stores

    def running(self) -> list[StoreKey]:
        """The running stores."""
        return list(self._stores)

    def __getitem__(self, key: StoreKey) -> Store:
        """The running store."""
        return self._stores[key]

    def find(self, key: StoreKey) -> Store | None:
        """The running store; None if it does not run."""
        return self._stores.get(key)

    @recorded_as("creating")
    def create(
        self, key: StoreKey, shape: StoreShape, users: Sequence[AclUser], *, restore: Sequence[Path] = ()
    ) -> Store:
        """Start a store, with the keys of these RDB files; returns when it is available.

        Raises:
            LocalCloudError: The store exists already, or an engine refuses a user, a parameter or a file.
        """
        with self._lock:
            if key in self._stores:
                raise LocalCloudError(f"{key.name} exists already")
        serverless = key.service == SERVERLESS
        service = "memorydb" if key.service == "memorydb" else "elasticache"
        target = TokenTarget(service, key.name, key.scope[1], key.scope[0], serverless)
        rules = GateRules(
            check=lambda token, user: self._authorize(token, user, target),
            on_refusal=lambda user, reason: self._say(f"{key.name} refused to sign user {user} in: {reason}"),
            certificate=None,
            ca_file=self._authority.ca_file if shape.tls and shape.program.tls else None,
        )
        gates = StoreGates(self._gatekeeper, rules)
        engines = EngineSet(
            shards=shape.shards,
            replicas=shape.replicas,
            cluster_mode=shape.cluster_mode,
            users=engine_users(key.service, users, rules, ()),
            parameters=shape.parameters,
            tls=shape.tls,
            authority=self._authority,
            workspace=self._workspace,
            program=shape.program,
            open_gate=gates.open_node,
            closed=True,
            durable=shape.durable,
            slots=shape.slots,
            restore=restore,
        )
        rules.certificate, rules.own = engines.certificate, engines.security.certificate
        rules.plaintext = shape.plaintext
        prefix = f"{key.name}-{{shard}}" if shape.cluster_mode else key.name
        try:
            engines.start()
            if serverless:
                # As on AWS, CLUSTER SLOTS lists the endpoint as primary, and its reader port as replica.
                gates.use_nodes(engines)
            else:
                gates.open_endpoints(engines, compatible=shape.compatible)
            faults = StoreFaults(self._parts(key, engines, gates))
        except BaseException:
            self._stop(engines, gates)
            raise
        alone = key.service == CACHE_CLUSTER
        store = Store(engines, gates, users, faults, prefix, shape.compatible, alone=alone)
        with self._lock:
            self._stores[key] = store
        self._tell(key, store)
        for fault in self._faults:
            if store.faults.why_not(fault) is None:
                store.faults.inject(fault)
        return store

    def declare(self, key: StoreKey, properties: Mapping[str, Any]) -> None:
        """Record the template properties of a running store, after it was created or updated."""
        created = key not in self.declared
        self.declared[key] = properties
        self.events.add(key, Event("created" if created else "modified", nodes=self._stores[key].node_names))

    def set_users(self, key: StoreKey, users: Sequence[AclUser]) -> None:
        """Replace the users of a running store."""
        store = self._stores[key]

        def apply(engines: EngineSet) -> None:
            made = engine_users(key.service, users, store.rules, store.faults.active)
            engines.set_users(without_commands(made, store.refused))

        store.apply(apply)
        store.users = users

    def refuse(self, key: StoreKey, commands: Sequence[str]) -> None:
        """Refuse commands or categories of all users of a running store, whatever their access strings allow."""
        self._stores[key].refused = tuple(commands)
        self.set_users(key, self._stores[key].users)

    def break_store(self, key: StoreKey, fault: str) -> None:
        """Inject a fault into a running store: one of :data:`STORE_FAULTS`.

        Raises:
            LocalCloudError: The fault does not exist, this store cannot have it, or has it already.
        """
        self._stores[key].faults.inject(fault)
        self._say(f"{key.name}: fault {fault}: {STORE_FAULTS[fault]}")

    def repair_store(self, key: StoreKey, fault: str) -> None:
        """Take a fault of a running store back; returns when the store is available."""
        self._stores[key].faults.repair(fault)
        self._say(f"{key.name}: the fault {fault} is repaired")

    @recorded_as("modifying")
    def set_parameters(self, key: StoreKey, parameters: Mapping[str, str]) -> None:
        """Change the parameters of a running store."""
        store = self._stores[key]
        changed = parameters.items() - store.engines.parameters.items()
        store.apply(lambda engines: engines.set_parameters(parameters))
        for name, value in sorted(changed):
            self.events.add(key, Event("parameter-changed", nodes=store.node_names, text=f"{name} to {value}"))

    @recorded_as("modifying")
    def resize(self, key: StoreKey, shape: StoreShape) -> None:
        """Change a running store in place and keep its keys: engine, cluster mode, TLS, numbers of shards and replicas.

        If an earlier change failed, this completes or reverts it first, even if the shape is unchanged. If this change
        fails, the store has its keys, and the former engine, cluster mode and TLS.

        Raises:
            LocalCloudError: The change failed.
        """
        store = self._stores[key]
        before = store.node_names
        try:
            changed = change_engines(key.service, store, shape)
            if scaled := not store.engines.has_size(shape.shards, shape.replicas):
                store.engines.resize(shape.shards, shape.replicas)
        except LocalCloudError as error:
            self.events.add(key, Event("scaling-failed", nodes=store.node_names, text=str(error)))
            raise
        finally:
            store.gates.close_unused()
        if scaled:
            self._tell_scaled(key, before, store.node_names)
        if scaled or changed:
            self._tell(key, store)

    def _tell_scaled(self, key: StoreKey, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        added, removed = sorted({*after} - {*before}), sorted({*before} - {*after})
        if added:
            self.events.add(key, Event("nodes-added", nodes=tuple(added), text=f"{len(before)} to {len(after)}"))
        if removed:
            self.events.add(key, Event("nodes-removed", nodes=tuple(removed), text=f"{len(before)} to {len(after)}"))
        self.events.add(key, Event("scaled", nodes=after))

    def shard_names(self, key: StoreKey) -> list[str]:
        """The shard names of a running store in the AWS API, in order: ``0001``, ``0002``, ..."""
        return [f"{number:04}" for number in range(1, self._stores[key].engines.shards + 1)]

    def fail_over(self, key: StoreKey, shard: str) -> None:
        """Start a failover of the shard with this name; a message to the user reports its result.

        Raises:
            LocalCloudError: The shard has no replica.
        """
        store, index = self._stores[key], self.shard_names(key).index(shard)
        if not store.engines.replicas:
            raise LocalCloudError(f"{key.name} has no replica to fail over to")

        def tell_promoted(old: Node, new: Node) -> None:
            names = store.node_name(old), store.node_name(new)
            self.events.add(key, Event("failover-complete", nodes=names, shard=shard))
            self.events.add(key, Event("recovery-started", nodes=names[:1], shard=shard))
            recovering.append(names[0])

        recovering: list[str] = []

        def work() -> None:
            try:
                port = store.engines.fail_over(index, on_promoted=tell_promoted).port
                self.events.add(key, Event("recovered", nodes=tuple(recovering), shard=shard))
            except (LocalCloudError, RedisError) as error:
                self.events.add(key, Event("failover-failed", nodes=tuple(recovering), shard=shard, text=str(error)))
                self._say(f"{key.name}: shard {shard} did not fail over: {error}")
            else:
                self._say(f"{key.name}: shard {shard} failed over to the node at {HOST}:{port}")
            finally:
                self.changes.end(key, "modifying")

        self.changes.begin(key, "modifying")
        self.events.add(key, Event("failover-started", shard=shard))
        threading.Thread(target=work, name=f"failover of {key.name}", daemon=True).start()

    @recorded_as("deleting")
    def delete(self, key: StoreKey) -> None:
        """Stop a store. Does nothing if it does not run."""
        with self._lock:
            store = self._stores.pop(key, None)
        if store:
            names = store.node_names
            self._stop(store.engines, store.gates)
            self.events.add(key, Event("deleted", nodes=names))
            self._say(f"{key.name}: engines stopped")
        self.declared.pop(key, None)

    @staticmethod
    def _stop(engines: EngineSet, gates: StoreGates) -> None:
        engines.stop()
        gates.close()

    def _parts(self, key: StoreKey, engines: EngineSet, gates: StoreGates) -> Parts:
        def untrusted_certificate() -> Certificate:
            folder = self._workspace.directory(f"untrusted-{secrets.token_hex(4)}")
            return CertificateAuthority(folder, "an untrusted authority").issue("node")

        return Parts(
            service=key.service,
            engines=engines,
            gates=gates,
            gatekeeper=self._gatekeeper,
            untrusted_certificate=untrusted_certificate,
            set_users=lambda: self.set_users(key, self._stores[key].users),
        )

    def _tell(self, key: StoreKey, store: Store) -> None:
        engines = store.engines
        shape = f"{engines.shards} shards" if engines.cluster_mode else "no cluster mode"
        self._say(
            f"{key.name}: {len(engines.nodes)} nodes of {engines.program} are available "
            f"({shape}, {engines.replicas} replicas each) at {HOST}:{store.endpoint}"
        )
        if engines.ignored_parameters:
            names = ", ".join(sorted(engines.ignored_parameters))
            self._say(f"{key.name}: these parameters have no effect on {engines.program}: {names}")
