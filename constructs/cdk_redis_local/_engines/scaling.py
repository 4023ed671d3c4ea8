"""Changes the numbers of shards and replicas of a running set, and repairs a set whose nodes ended."""

from __future__ import annotations

import abc
import contextlib
import threading
from collections.abc import Iterable, Mapping, Sequence

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines import cluster, members, resharding
from cdk_redis_local._engines.node import Node


class ScalableSet(abc.ABC):
    """Nodes whose number can change while clients use them; how nodes start is up to the subclass."""

    parameters: dict[str, str]

    def __init__(self, shards: int, replicas: int, *, cluster_mode: bool, node_timeout: float) -> None:
        """Begin without nodes."""
        self.nodes: list[Node] = []
        self.cluster_mode = cluster_mode
        self._node_timeout = node_timeout
        self._lock = threading.RLock()
        self._described = (shards, replicas)
        self._incomplete = False
        self._lost_keys = 0
        self._new_nodes: list[Node] = []

    @abc.abstractmethod
    def set_parameters(self, parameters: Mapping[str, str]) -> None:
        """Change engine settings on every running node."""

    @abc.abstractmethod
    def _new_node(self, shard: int, role: str) -> Node:
        """Add a node that is not started to the nodes."""

    @abc.abstractmethod
    def _launch(self, nodes: Sequence[Node]) -> None:
        """Start nodes, and wait until they answer."""

    @abc.abstractmethod
    def _promote(self, primary: Node, successor: Node) -> None:
        """Promote a replica in place of a primary that has ended."""

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

    def _have_all_nodes(self) -> None:
        """Repair the set if a node ended or the last scaling failed."""
        if self._incomplete or not all(node.running for node in self.nodes):
            self.resize(self.shards, self.replicas)
