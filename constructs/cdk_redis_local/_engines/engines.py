"""`EngineSet`: the nodes of a store as real engine processes, with TLS, replicas, slots and ACL users."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._engines import cluster, following, members, node_settings, rdb, recovery, resharding
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.certificates import CertificateAuthority
from cdk_redis_local._engines.node import HOST, LOOPBACK, Node, Place, Security
from cdk_redis_local._engines.node_settings import MANAGER
from cdk_redis_local._engines.program import EngineProgram, find_engine

# Time until the failure of a primary is detected; AWS takes longer.
_DETECTION_SECONDS = 1.5


class EngineSet:
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
        self._described = (shards, replicas)
        self._incomplete = False
        self._lost_keys = 0
        self._new_nodes: list[Node] = []
        self.cluster_mode = cluster_mode
        self.users: list[AclUser] = list(users)
        self.parameters: dict[str, str] = dict(parameters or {})
        self.ignored_parameters: dict[str, str] = {}
        self.tls = tls
        self.nodes: list[Node] = []
        self._node_timeout = node_timeout
        self._open_gate = open_gate
        self._durable = durable
        self._slots = tuple(slots)
        self._restore = tuple(restore)
        self._place = place or (lambda _shard, _role: LOOPBACK)
        self._workspace = workspace or Workspace()
        self._owned_workspace = None if workspace else self._workspace
        self._directory = self._workspace.directory(f"engines-{secrets.token_hex(4)}")
        self._lock = threading.RLock()
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
    def shards(self) -> int:
        """The current number of shards."""
        return self._size[0]

    @property
    def replicas(self) -> int:
        """The current number of replicas of each shard; the smallest number if scaling failed."""
        return self._size[1]

    @property
    def _size(self) -> tuple[int, int]:
        nodes = list(self.nodes)
        return members.size(nodes) if nodes else self._described

    @property
    def primaries(self) -> list[Node]:
        """The primaries, including those that :meth:`fail_over` promoted, in the order of the shards."""
        return sorted(members.with_role(self.nodes, "primary"), key=lambda node: node.shard)

    @property
    def replica_nodes(self) -> list[Node]:
        """The replicas, including primaries that :meth:`fail_over` demoted."""
        return members.with_role(self.nodes, "replica")

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
        returns the new primary.

        Args:
            shard: Counts from 0.
            on_promoted: Called with the old and the new primary, before the old one starts again.

        Raises:
            EngineError: The shard has no running primary or no running replica.
        """
        with self._lock:
            primary, successor = members.failover_pair(self.nodes, shard)
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

    def has_size(self, shards: int, replicas: int) -> bool:
        """Whether the set has these numbers of shards and replicas, and the last scaling is complete."""
        return not self._incomplete and (self.shards, self.replicas) == (shards, replicas)

    def resize(self, shards: int, replicas: int) -> list[Node]:
        """Scale the running set to these numbers of shards and replicas; returns the removed nodes.

        Slots move with their keys, while clients read and write. If scaling fails, each slot still has one owner,
        clients find every key, and :attr:`nodes` has the remaining nodes. The next call, for the old or another size,
        first repairs the set: it replaces nodes that ended, and returns keys of slots whose move is incomplete.

        Raises:
            EngineError: More than one shard without cluster mode; a node ended or did not answer; a key could not be
                moved; or slots or keys are lost with the only node that had them.
        """
        if shards != 1 and not self.cluster_mode:
            raise EngineError(f"{shards} shards need cluster mode")
        with self._lock:
            before = list(self.nodes)
            incomplete, self._incomplete = self._incomplete, True
            try:
                self._replace_ended(incomplete=incomplete)
                self._grow(shards, replicas)
                self._shrink(shards, replicas)
            except (EngineError, RedisError, OSError) as error:
                ended = "".join(f"; {node} has ended" for node in members.ended(self.nodes))
                self._remove_new_nodes()
                raise EngineError(f"scaling failed: {error}{ended}") from error
            finally:
                self._restore_timeouts()
            self._incomplete = False
            lost, self._lost_keys = self._lost_keys, 0
            if lost:
                raise EngineError(f"scaling is complete, but up to {lost} keys are lost with a node that ended")
            return [node for node in before if node not in self.nodes]

    def _replace_ended(self, *, incomplete: bool) -> None:
        """Remove the nodes that ended, after a replica took over from each primary among them."""
        ended = [node for node in self.nodes if not node.running]
        if self.cluster_mode:
            resharding.repair(self.nodes, incomplete=incomplete)
        else:
            for primary in ended:
                if primary.started_as == "primary":
                    self._promote(primary, resharding.most_advanced(members.running(self.nodes)))
        self._remove(ended)
        left = {node.shard for node in self.nodes}
        self._lost_keys += sum(node.keys_in_transit for node in ended if node.shard not in left)

    def _grow(self, shards: int, replicas: int) -> None:
        """Add the missing nodes, and distribute the slots evenly."""
        before = list(self.nodes)
        missing = members.missing_roles(self.nodes, shards, replicas)
        self._new_nodes = added = [self._new_node(shard, role) for shard, role in missing]
        self._launch(added)
        self.set_parameters(self.parameters)
        if self.cluster_mode:
            cluster.shorten_timeouts(self.nodes)
            resharding.join(before, added)
        else:
            members.wait_for_replicas(self.nodes, alive=added)
        self._new_nodes = []
        if self.cluster_mode:
            # A node that moves many keys may answer slowly: do not let the cluster mark it as failed and replace it.
            cluster.restore_timeouts(self.nodes, self._node_timeout, replace=False)
            resharding.share_slots(self.nodes, range(shards))

    def _remove_new_nodes(self) -> None:
        """Remove new nodes that failed to join; they have no slots yet."""
        new_nodes, self._new_nodes = self._new_nodes, []
        if new_nodes:
            # If a node does not answer, the next scaling makes it forget the removed nodes.
            with contextlib.suppress(EngineError, RedisError):
                self._leave(new_nodes)

    def _shrink(self, shards: int, replicas: int) -> None:
        """Remove the surplus nodes; they have no slots any more."""
        self._leave(members.surplus_nodes(self.nodes, shards, replicas))
        if self.cluster_mode:
            cluster.wait_until_available(self.nodes)

    def _leave(self, leavers: Sequence[Node]) -> None:
        self._remove(leavers)
        if self.cluster_mode:
            resharding.forget_other_nodes(members.running(self.nodes))

    def _remove(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            node.stop()
            self.nodes.remove(node)
            node.remove_files()

    def _restore_timeouts(self) -> None:
        if self.cluster_mode:
            for node in members.running(self.nodes):
                # If a node does not answer, scaling has failed and its error says so.
                with contextlib.suppress(RedisError):
                    cluster.restore_timeouts([node], self._node_timeout)

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
