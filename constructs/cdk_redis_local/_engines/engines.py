"""Sets of real engines: a store's nodes, over TLS, with replicas, slots and ACL users."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._engines import cluster, node_settings, resharding
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.certificates import CertificateAuthority
from cdk_redis_local._engines.node import HOST, LOOPBACK, Node, Place, Security, wait_until
from cdk_redis_local._engines.node_settings import MANAGER
from cdk_redis_local._engines.program import EngineProgram, find_engine

# Time until a dead primary is noticed; AWS takes longer.
_NOTICE_SECONDS = 1.5


class EngineSet:
    """The nodes of one store, started as real processes on free loopback ports.

    Entering the ``with`` block (or :meth:`start`) returns when all slots are covered and all replicas are in
    sync; leaving it (or :meth:`stop`) leaves no process, port or file behind.

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
        place: Callable[[int, str], Place] | None = None,
    ) -> None:
        """Describe the set; nothing is started yet.

        Args:
            shards: How many primaries share the slots. Always 1 without cluster mode.
            replicas: How many replicas each primary has.
            cluster_mode: Whether the nodes form a cluster.
            users: Who may sign in. The user ``default`` is off unless it is among them.
            parameters: Engine settings, as in a parameter group; those that the engine does not know, or
                cannot change, are left out (:attr:`ignored_parameters`).
            tls: Whether clients speak TLS (and only TLS) to the nodes, or to the gates in front of them.
            authority: Who issues the nodes' certificate. Default: - one of the set's own.
            node_timeout: Seconds without an answer after which a cluster takes a node for failed.
            workspace: Where processes and files live. Default: - one of the set's own.
            program: The engine. One without TLS is reached without it, behind gates that speak TLS if ``tls``.
                Default: - the one that this machine prefers.
            open_gate: Called with each node before it starts; returns the port that the node is announced at.
            place: Called with shard and role of each node, ``primary`` or ``replica``; returns where it is to run.
                Default: - all on loopback.

        Raises:
            EngineError: More than one shard without cluster mode, or TLS without anybody to speak it.
            EngineNotFoundError: This machine has no usable engine.
        """
        if shards != 1 and not cluster_mode:
            raise EngineError(f"{shards} shards need cluster mode")
        self.program: EngineProgram = program or find_engine()
        if tls and not self.program.tls and open_gate is None:
            raise EngineError(f"{self.program} was built without TLS: it needs gates that speak it")
        self._described = (shards, replicas)
        self._half_done = False
        self._lost_keys = 0
        self._newcomers: list[Node] = []
        self.cluster_mode = cluster_mode
        self.users: list[AclUser] = list(users)
        self.parameters: dict[str, str] = dict(parameters or {})
        self.ignored_parameters: dict[str, str] = {}
        self.tls = tls
        self.nodes: list[Node] = []
        self._node_timeout = node_timeout
        self._open_gate = open_gate
        self._place = place or (lambda _shard, _role: LOOPBACK)
        self._owned_workspace = None if workspace else Workspace()
        self._workspace = workspace or self._owned_workspace or Workspace()
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
        """Host and port of the first primary: the configuration or the primary endpoint."""
        return self.primaries[0].host, self.primaries[0].port

    @property
    def reader_endpoint(self) -> tuple[str, int]:
        """Host and port of the first replica; of the primary when there is none."""
        node = (self.replica_nodes or self.primaries)[0]
        return node.host, node.port

    @property
    def shards(self) -> int:
        """How many shards the set has, also while and after its size changes."""
        return len({node.shard for node in self.nodes}) or self._described[0]

    @property
    def replicas(self) -> int:
        """How many replicas each shard has; the fewest where a change of size broke off."""
        sizes = [sum(node.shard == shard for node in self.nodes) for shard in {node.shard for node in self.nodes}]
        return min(sizes) - 1 if sizes else self._described[1]

    @property
    def primaries(self) -> list[Node]:
        """The primaries, also those promoted by :meth:`fail_over`, in the order of the shards."""
        nodes = [node for node in self.nodes if node.started_as == "primary"]
        return sorted(nodes, key=lambda node: node.shard)

    @property
    def replica_nodes(self) -> list[Node]:
        """The replicas, also primaries that :meth:`fail_over` has demoted."""
        return [node for node in self.nodes if node.started_as == "replica"]

    @property
    def ca_file(self) -> str:
        """The PEM file to trust."""
        return str(self.authority.ca_file)

    def start(self) -> None:
        """Start all nodes and wait until the store is available.

        Raises:
            EngineError: A node ended, a setting or a user was refused, or the store did not become available.
        """
        with self._lock:
            shards, replicas = self._described
            roles = ["primary"] + ["replica"] * replicas
            self._launch([self._new_node(shard, role) for shard in range(shards) for role in roles])
            if self.cluster_mode:
                cluster.form_cluster(self.nodes, self._node_timeout)
            else:
                self._wait_for_replicas()
            self.set_parameters(self.parameters)

    def stop(self) -> None:
        """Stop all nodes and remove their files. A second call does nothing."""
        with self._lock:
            for node in self.nodes:
                node.stop()
            self.nodes.clear()
            # A shared workspace outlives the set and would keep its files.
            shutil.rmtree(self._directory, ignore_errors=True)
            if self._owned_workspace:
                self._owned_workspace.close()

    def set_users(self, users: Sequence[AclUser]) -> None:
        """Make these, and no others, the users of every node, while it runs.

        Raises:
            EngineError: The engine refuses an access string; the message has its reason.
        """
        with self._lock:
            for node in self._running():
                node_settings.set_users(node, users)
            self.users = list(users)

    def set_user(self, user: AclUser) -> None:
        """Add a user on every node, or change the one of that name."""
        self.set_users([*(other for other in self.users if other.name != user.name), user])

    def set_parameters(self, parameters: Mapping[str, str]) -> None:
        """Change engine settings on every node, while it runs.

        Raises:
            EngineError: The engine knows the setting and refuses the value.
        """
        with self._lock:
            self.parameters = dict(parameters)
            self.ignored_parameters = {}
            for node in self._running():
                self.ignored_parameters |= node_settings.set_parameters(node, parameters)

    def stop_node(self, index: int) -> None:
        """End one node's process, as a crash would; it is not started again."""
        self.nodes[index].stop()

    def fail_over(self, shard: int) -> Node:
        """Let a shard's primary die and a replica take over, as the services do when they are asked to.

        Who watches over the nodes notices after a moment, promotes the replica, and starts the dead node again as a
        replica of it. Returns the new primary when all that is done.

        Raises:
            EngineError: The shard has no replica that could take over.
        """
        with self._lock:
            primary, successor = self._pair(shard)
            primary.crash()
            time.sleep(_NOTICE_SECONDS)
            self._promote(primary, successor)
            self._launch([primary])
            if self.cluster_mode:
                cluster.calm([primary], self._node_timeout)
            self._wait_for_replicas()
            self.set_parameters(self.parameters)
            return successor

    def delete_slots(self, shard: int) -> int:
        """Leave a shard's slots without an owner; returns how many they were."""
        return cluster.delete_slots(self.nodes, shard)

    def has_size(self, shards: int, replicas: int) -> bool:
        """Whether the set has these numbers of shards and replicas, with no change of size left half done."""
        return not self._half_done and (self.shards, self.replicas) == (shards, replicas)

    def resize(self, shards: int, replicas: int) -> list[Node]:
        """Give the running set other numbers of shards and replicas; returns the nodes that are gone.

        Keys stay: slots move with them, while clients read and write. If it fails, each slot still has one owner,
        clients find every key, and :attr:`nodes` are what is left. A later call, for the old size or any other, begins
        by mending that: nodes that ended are replaced, and keys that were on their way go back.

        Raises:
            EngineError: More than one shard without cluster mode; or a node ended or did not answer, a key could not be
                moved, or slots or keys are lost with the only node that had them.
        """
        if shards != 1 and not self.cluster_mode:
            raise EngineError(f"{shards} shards need cluster mode")
        with self._lock:
            before = list(self.nodes)
            half_done, self._half_done = self._half_done, True
            try:
                self._replace_ended(half_done=half_done)
                self._grow(shards, replicas)
                self._shrink(shards, replicas)
            except (EngineError, RedisError, OSError) as error:
                ended = "".join(f"; {node} has ended" for node in self.nodes if not node.running)
                self._drop_newcomers()
                raise EngineError(f"the change of size broke off: {error}{ended}") from error
            finally:
                self._calm()
            self._half_done = False
            lost, self._lost_keys = self._lost_keys, 0
            if lost:
                raise EngineError(f"the size is right now, but up to {lost} keys are lost with a node that ended")
            return [node for node in before if node not in self.nodes]

    def _replace_ended(self, *, half_done: bool) -> None:
        """Remove nodes that ended, after a replica took over from those that were primaries."""
        ended = [node for node in self.nodes if not node.running]
        if self.cluster_mode:
            resharding.mend(self.nodes, half_done=half_done)
        else:
            for primary in ended:
                if primary.started_as == "primary":
                    self._promote(primary, resharding.most_advanced(self._running()))
        self._remove(ended)
        left = {node.shard for node in self.nodes}
        self._lost_keys += sum(node.keys_in_transit for node in ended if node.shard not in left)

    def _grow(self, shards: int, replicas: int) -> None:
        """Add the nodes that are missing, and share the slots out."""
        members = list(self.nodes)
        self._newcomers = added = self._add_nodes(shards, replicas)
        self._launch(added)
        self.set_parameters(self.parameters)
        if self.cluster_mode:
            cluster.hurry(self.nodes)
            resharding.join(members, added)
        else:
            self._wait_for_replicas(alive=added)
        self._newcomers = []
        if self.cluster_mode:
            # A node that moves many keys may answer slowly: do not let the cluster mark it as failed and replace it.
            cluster.calm(self.nodes, self._node_timeout, replace=False)
            resharding.share_slots(self.nodes, range(shards))

    def _drop_newcomers(self) -> None:
        """Remove the nodes whose joining failed: they have no slots yet."""
        newcomers, self._newcomers = self._newcomers, []
        if newcomers:
            # A node that does not answer now is asked to forget them at the next change of size.
            with contextlib.suppress(EngineError, RedisError):
                self._leave(newcomers)

    def _shrink(self, shards: int, replicas: int) -> None:
        """Remove the nodes that are too many: they have no slots any more."""
        self._leave(self._surplus_nodes(shards, replicas))
        if self.cluster_mode:
            cluster.wait_until_available(self.nodes)

    def _leave(self, leavers: Sequence[Node]) -> None:
        self._remove(leavers)
        if self.cluster_mode:
            resharding.forget_strangers(self._running())

    def _remove(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            node.stop()
            self.nodes.remove(node)
            node.remove_files()

    def _calm(self) -> None:
        if self.cluster_mode:
            for node in self._running():
                # If a node does not answer, the change of size has failed for that reason and reports it.
                with contextlib.suppress(RedisError):
                    cluster.calm([node], self._node_timeout)

    def _add_nodes(self, shards: int, replicas: int) -> list[Node]:
        added: list[Node] = []
        for shard in range(shards):
            have = sum(node.shard == shard for node in self.nodes)
            roles = ["replica"] * (replicas + 1 - have)
            if not have:
                roles[0] = "primary"
            added += [self._new_node(shard, role) for role in roles]
        return added

    def _surplus_nodes(self, shards: int, replicas: int) -> list[Node]:
        gone = [node for node in self.nodes if node.shard >= shards]
        for shard in range(shards):
            spare = [node for node in self.nodes if node.shard == shard and node.role == "replica"]
            gone += spare[replicas:]
        return gone

    def _new_node(self, shard: int, role: str) -> Node:
        directory = self._directory / f"node-{len(self.nodes)}-{secrets.token_hex(3)}"
        place = self._place(shard, role)
        node = Node(self.program, self._workspace, directory, self.security, shard, role, place)
        self.nodes.append(node)
        if self._open_gate:
            node.port = self._open_gate(node)
        return node

    @property
    def _behind_tls(self) -> bool:
        """Whether gates speak TLS for engines that do not."""
        return self.tls and not self.program.tls

    def _launch(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            settings: list[tuple[str, str]] = []
            if self.cluster_mode:
                settings += cluster.cluster_settings(node, behind_tls=self._behind_tls)
            elif node.started_as == "replica":
                settings.append(("replicaof", " ".join(self._primary_address())))
            node.start(settings, node_settings.with_default(self.users))
        for node in nodes:
            node.wait()

    def _primary_address(self) -> tuple[str, str]:
        """Where the replicas of a set without cluster mode find their primary."""
        primary = self.primaries[0]
        return primary.address, str(primary.engine_port if self._behind_tls else primary.port)

    def _pair(self, shard: int) -> tuple[Node, Node]:
        """The primary of a shard, and the replica that would take over."""
        roles = {node: node.role for node in self._running() if node.shard == shard}
        primary = next((node for node, role in roles.items() if role == "primary"), None)
        successor = next((node for node, role in roles.items() if role == "replica"), None)
        if primary is None or successor is None:
            raise EngineError(f"shard {shard} has nothing to fail over to: {len(roles)} of its nodes run")
        return primary, successor

    def _promote(self, primary: Node, successor: Node) -> None:
        """Let a replica take over from a primary that has ended."""
        primary.started_as, successor.started_as = "replica", "primary"
        if self.cluster_mode:
            cluster.take_over(successor)
        else:
            successor.admin.replicaof("NO", "ONE")
            for node in self.replica_nodes:
                if node.running:
                    node.admin.replicaof(*self._primary_address())

    def _wait_for_replicas(self, *, alive: Iterable[Node] = ()) -> None:
        for node in self.replica_nodes:
            if node.running:
                wait_until(
                    lambda node=node: node.admin.info("replication")["master_link_status"] == "up",
                    f"a full sync of {node}",
                    alive=[*alive, node],
                )

    def _running(self) -> list[Node]:
        return [node for node in self.nodes if node.running]
