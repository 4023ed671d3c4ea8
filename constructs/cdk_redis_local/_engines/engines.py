"""`EngineSet`: the nodes of a store as real engine processes, with TLS, replicas, slots and ACL users."""

from __future__ import annotations

import itertools
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._engines import cluster, copying, following, members, node_settings, rdb, recovery
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.certificates import CertificateAuthority
from cdk_redis_local._engines.node import HOST, LOOPBACK, Node, Place, Security
from cdk_redis_local._engines.node_settings import MANAGER
from cdk_redis_local._engines.program import EngineProgram, find_engine
from cdk_redis_local._engines.scaling import ScalableSet

# Time until the failure of a primary is detected; AWS takes longer.
_DETECTION_SECONDS = 1.5


class EngineSet(ScalableSet):
    """The nodes of one store, as real processes on free loopback ports.

    Entering the ``with`` block (or :meth:`start`) returns when all slots are covered and all replicas are in
    sync; leaving it (or :meth:`stop`) ends all processes and removes all files.

    Example:
        >>> user = AclUser("app", "on ~app:* +@all", passwords=("a-password",))
        >>> with EngineSet(shards=3, replicas=1, cluster_mode=True, users=[user]) as engines:
        ...     host, port = engines.endpoint
        ...     redis.RedisCluster(host=host, port=port, username="app", password="a-password", ssl=True,
        ...                        ssl_ca_certs=str(engines.ca_file))
    """

    def __init__(
        self,
        *,
        shards: int = 1,
        replicas: int = 0,
        cluster_mode: bool = False,
        users: Iterable[AclUser] = (),
        parameters: Mapping[str, str] | None = None,
        tls: bool = True,
        authority: CertificateAuthority | None = None,
        node_timeout: float = 5.0,
        workspace: Workspace | None = None,
        program: EngineProgram | None = None,
        open_gate: Callable[[Node], int] | None = None,
        closed: bool = False,
        place: Callable[[int, str], Place] | None = None,
        durable: bool = False,
        slots: Sequence[tuple[int, int]] = (),
        restore: Sequence[Path] = (),
    ) -> None:
        """Describe the set; :meth:`start` starts it.

        Args:
            shards: Number of shards; must be 1 without cluster mode.
            replicas: Number of replicas of each shard.
            cluster_mode: Whether the nodes form a cluster.
            users: The ACL users. The user ``default`` is off unless it is in the list.
            parameters: Engine settings, as in a parameter group. Settings that the engine does not know or cannot
                change are ignored (:attr:`ignored_parameters`).
            tls: Whether clients must use TLS, to the nodes or to the gates in front of them.
            authority: The certificate authority of the nodes' certificate. Default: - a new authority.
            node_timeout: Seconds without an answer after which the cluster marks a node as failed.
            workspace: The workspace for processes and files. Default: - a new workspace.
            program: The engine. With ``tls``, an engine that was built without TLS needs gates. Default: - the result
                of :func:`find_engine`.
            open_gate: Called with each node before it starts; returns the port that the node announces to clients.
            closed: Whether nodes with TLS accept only clients with a certificate of the authority, such as gates: other
                users of the machine can reach a node's port, but cannot read its certificate.
            place: Called with shard and role (``primary`` or ``replica``) of each node; returns where to run it.
                Default: - all on loopback.
            durable: Whether each write is on disk before it is acknowledged, so that it survives the end of all nodes.
            slots: In cluster mode, first and last slot of each shard. Default: - distributed evenly.
            restore: RDB files whose keys the set starts with.

        Raises:
            EngineError: More than one shard without cluster mode, or TLS with an engine that was built without it and
                without gates.
            EngineNotFoundError: This machine has no usable engine.
        """
        if shards != 1 and not cluster_mode:
            raise EngineError(f"{shards} shards need cluster mode")
        self.program: EngineProgram = program or find_engine()
        if tls and not self.program.tls and open_gate is None:
            raise EngineError(f"{self.program} was built without TLS: set tls=False, or open_gate to TLS proxies")
        super().__init__(shards, replicas, cluster_mode=cluster_mode, node_timeout=node_timeout)
        self.users: list[AclUser] = list(users)
        self.parameters: dict[str, str] = dict(parameters or {})
        self.ignored_parameters: dict[str, str] = {}
        self.tls = tls
        self._open_gate = open_gate
        self._durable = durable
        self._slots = tuple(slots)
        self._restore = tuple(restore)
        self._place = place or (lambda _shard, _role: LOOPBACK)
        self._workspace = workspace or Workspace()
        self._owned_workspace = None if workspace else self._workspace
        self._directory = self._workspace.directory(f"engines-{secrets.token_hex(4)}")
        self.authority = authority or CertificateAuthority(self._directory / "ca")
        hosts = {self._place(shard, role).host for shard in range(shards) for role in ("primary", "replica")}
        name = f"node-{secrets.token_hex(4)}"
        self.certificate = self.authority.issue(name, *sorted(hosts - {HOST})) if tls else None
        encrypted = tls and self.program.tls
        self.security = Security(
            manager=AclUser(MANAGER, passwords=(secrets.token_hex(24),)),
            certificate=self.certificate if encrypted else None,
            ca_file=self.authority.ca_file if encrypted else None,
            closed=closed,
        )

    def __enter__(self) -> EngineSet:
        """Start the nodes."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the nodes."""
        self.stop()

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port of the first primary: the configuration endpoint or the primary endpoint."""
        return self.primaries[0].host, self.primaries[0].port

    @property
    def reader_endpoint(self) -> tuple[str, int]:
        """Host and port of the first replica, or of the first primary if the set has no replicas."""
        node = (self.replica_nodes or self.primaries)[0]
        return node.host, node.port

    @property
    def ca_file(self) -> str:
        """The PEM file to trust."""
        return str(self.authority.ca_file)

    def start(self) -> None:
        """Start all nodes and wait until the store is available.

        Raises:
            EngineError: A node ended, a setting or a user was refused, a file could not be restored, or the store did
                not become available.
        """
        into = (self.program, self._workspace, self._directory, self.security)
        with self._lock, rdb.loaded(*into, self._restore, cluster_mode=self.cluster_mode) as sources:
            shards, replicas = self._described
            roles = ["primary"] + ["replica"] * replicas
            self._launch([self._new_node(shard, role) for shard in range(shards) for role in roles])
            if self.cluster_mode:
                cluster.form_cluster(self.nodes, self._node_timeout, self._slots)
            else:
                members.wait_for_replicas(self.nodes)
            self.set_parameters(self.parameters)
            rdb.copy_keys(sources, self.primaries, cluster_mode=self.cluster_mode)

    def stop(self) -> None:
        """Stop all nodes and remove their files. A second call does nothing."""
        with self._lock:
            for node in self.nodes:
                node.stop()
            self.nodes.clear()
            # The files would stay in a workspace that outlives the set.
            shutil.rmtree(self._directory, ignore_errors=True)
            if self._owned_workspace:
                self._owned_workspace.close()

    def set_users(self, users: Sequence[AclUser]) -> None:
        """Replace the users of every running node.

        Raises:
            EngineError: The engine rejects an access string; the message has the engine's error.
        """
        with self._lock:
            for node in members.running(self.nodes):
                node_settings.set_users(node, users)
            self.users = list(users)

    def set_user(self, user: AclUser) -> None:
        """Add a user on every node, or change the user with that name."""
        self.set_users([*(other for other in self.users if other.name != user.name), user])

    def set_parameters(self, parameters: Mapping[str, str]) -> None:
        """Change engine settings on every running node.

        Raises:
            EngineError: The engine knows a setting, but rejects its value.
        """
        with self._lock:
            self.parameters = dict(parameters)
            self.ignored_parameters = {}
            for node in members.running(self.nodes):
                self.ignored_parameters |= node_settings.set_parameters(node, parameters)

    def stop_node(self, index: int) -> None:
        """Kill one node's process, to simulate a crash; it is not started again."""
        self.nodes[index].stop()

    def fail_over(self, shard: int, *, on_promoted: Callable[[Node, Node], object] | None = None) -> Node:
        """Kill a shard's primary and promote a replica, as TestFailover and FailoverShard do on AWS.

        Promotes the replica after a short detection time, starts the killed node again as its replica, and then
        returns the new primary. In a durable set, the replica has every acknowledged write.

        Args:
            shard: Counts from 0.
            on_promoted: Called with the old and the new primary, before the old one starts again.

        Raises:
            EngineError: The shard has no running primary or no running replica.
        """
        with self._lock:
            primary, successor = members.failover_pair(self.nodes, shard)
            if self._durable:
                recovery.catch_up(primary, successor)
            primary.crash()
            time.sleep(_DETECTION_SECONDS)
            self._promote(primary, successor)
            if on_promoted:
                on_promoted(primary, successor)
            self._launch([primary])
            self._settle([primary])
            return successor

    def save(self, directory: Path) -> list[rdb.SavedShard]:
        """Save each shard as an RDB file in this directory, while clients read and write.

        Raises:
            EngineError: A shard has no running primary, or an engine could not save.
        """
        with self._lock:
            return rdb.save(self.nodes, directory)

    def recover(self) -> list[Node]:
        """Start the nodes again whose processes ended, except those that :meth:`stop_node` stopped; returns them.

        A replica takes over from a primary. In a durable set, the primary itself returns, with all its keys. Without
        both, the keys are lost. Does nothing after a scaling that failed: the next one repairs the set.

        Raises:
            EngineError: A node did not start again.
        """
        with self._lock:
            ended = [] if self._incomplete else recovery.crashed(self.nodes)
            for primary, successor in recovery.promotions(self.nodes, ended, durable=self._durable):
                self._promote(primary, successor)
            # Primaries first, because replicas connect to them.
            for node in sorted(ended, key=lambda node: node.started_as == "replica"):
                self._launch([node])
            if ended:
                self._settle(ended)
            return ended

    def delete_slots(self, shard: int) -> int:
        """Remove a shard's slots, so that they have no owner; returns their number."""
        return cluster.delete_slots(self.nodes, shard)

    def successor(
        self,
        *,
        program: EngineProgram,
        cluster_mode: bool,
        tls: bool,
        users: Iterable[AclUser],
        open_gate: Callable[[Node], int] | None = None,
    ) -> EngineSet:
        """Describe a set of the same size with the same settings; :meth:`hand_over` gives it the keys.

        Args:
            program: Its engine.
            cluster_mode: Whether its nodes form a cluster.
            tls: Whether its clients use TLS.
            users: Its users.
            open_gate: As for :class:`EngineSet`. Default: - no gates.
        """
        shards, replicas = self._size
        return EngineSet(
            shards=shards,
            replicas=replicas,
            cluster_mode=cluster_mode,
            users=users,
            parameters=self.parameters,
            tls=tls,
            authority=self.authority,
            node_timeout=self._node_timeout,
            workspace=self._workspace,
            program=program,
            open_gate=open_gate,
            place=self._place,
            durable=self._durable,
            closed=self.security.closed,
        )

    def hand_over(self, heir: EngineSet, switch: Callable[[], object]) -> None:
        """Start another set with the keys of this one, and stop this one; reads are served all the time.

        Writes wait while the keys are copied. If the change fails, the other set is stopped, and this one goes on with
        all its keys.

        Args:
            heir: The set from :meth:`successor`, not started.
            switch: Called when the other set has all keys, and before this one stops: clients must reach the other set
                from then on.

        Raises:
            EngineError: A node of either set ended or did not answer, or the other set refuses a key.
        """
        with self._lock:
            try:
                self._have_all_nodes()
                heir.start()
                primaries = members.current_primaries(self.nodes) if self.cluster_mode else self.primaries
                with copying.writes_paused(primaries):
                    copying.copy_all(primaries, heir.primaries, cluster_mode=heir.cluster_mode)
                    members.check_all_run([*self.nodes, *heir.nodes])
                    switch()
                    self._retire(heir)
            except (EngineError, RedisError, OSError) as error:
                ended = "".join(f"; {node} has ended" for node in members.ended([*self.nodes, *heir.nodes]))
                # The next `resize` repairs the set, also if it has the same size.
                self._incomplete = self._incomplete or not all(node.running for node in self.nodes)
                heir.stop()
                raise EngineError(f"the change failed: {error}{ended}") from error
            except BaseException:
                heir.stop()
                raise

    def _retire(self, heir: EngineSet) -> None:
        for node in self.nodes:
            node.stop()
            node.remove_files()
        self.nodes.clear()
        self._owned_workspace, heir._owned_workspace = None, self._owned_workspace
        if not self.authority.ca_file.is_relative_to(self._directory):
            shutil.rmtree(self._directory, ignore_errors=True)

    def _new_node(self, shard: int, role: str) -> Node:
        directory = self._directory / f"node-{len(self.nodes)}-{secrets.token_hex(3)}"
        place = self._place(shard, role)
        taken = {node.number for node in self.nodes if node.shard == shard}
        number = next(number for number in itertools.count(1) if number not in taken)
        node = Node(self.program, self._workspace, directory, self.security, shard, role, place, number)
        self.nodes.append(node)
        if self._open_gate:
            node.port = self._open_gate(node)
        return node

    def _settle(self, returned: Sequence[Node]) -> None:
        """Wait until nodes that were started again have their keys, and give them the settings of the others."""
        if self.cluster_mode:
            cluster.restore_timeouts(returned, self._node_timeout)
            cluster.wait_until_accepted(returned)
        members.wait_for_replicas(self.nodes)
        self.set_parameters(self.parameters)

    @property
    def _behind_tls(self) -> bool:
        """Whether gates terminate TLS for engines that were built without it."""
        return self.tls and not self.program.tls

    def _launch(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            settings = node_settings.DURABLE if self._durable else []
            if self.cluster_mode:
                settings = [*settings, *cluster.cluster_settings(node, behind_tls=self._behind_tls)]
            elif node.started_as == "replica":
                settings = [*settings, ("replicaof", " ".join(self._primary_address()))]
            node.start(settings, node_settings.with_default(self.users))
        for node in nodes:
            node.wait()

    def _primary_address(self) -> tuple[str, str]:
        """Address and port of the primary for its replicas, without cluster mode."""
        primary = self.primaries[0]
        return primary.address, str(primary.engine_port if self._behind_tls else primary.port)

    def _promote(self, primary: Node, successor: Node) -> None:
        """Promote a replica in place of a primary that has ended."""
        primary.started_as, successor.started_as = "replica", "primary"
        if self.cluster_mode:
            cluster.take_over(successor)
        else:
            following.take_over(primary, successor)
            for node in self.replica_nodes:
                if node.running:
                    node.admin.replicaof(*self._primary_address())
