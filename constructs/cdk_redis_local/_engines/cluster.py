"""Forms a cluster of running nodes: slots, replicas, and the wait until it is available."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence

import redis

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.node import Node, wait_until

SLOTS = 16384
# Nodes exchange gossip twice in a node timeout.
_SHORT_TIMEOUT = 1.0
_MEET_AGAIN_AFTER = 2 * _SHORT_TIMEOUT


def cluster_settings(node: Node, *, behind_tls: bool = False) -> list[tuple[str, str]]:
    """The settings of a cluster node that announces its host to clients.

    ``behind_tls``: clients connect with TLS to a gate, and the gate without TLS to the node.
    """
    return [
        ("cluster-enabled", "yes"),
        ("cluster-config-file", "nodes.conf"),
        ("cluster-port", str(node.bus_port)),
        ("cluster-announce-ip", node.address),
        ("cluster-announce-bus-port", str(node.bus_port)),
        # Clients verify the host name in the certificate, so announce a host name.
        ("cluster-announce-hostname", node.host),
        ("cluster-preferred-endpoint-type", "hostname"),
        # The default of ElastiCache: covered slots are served even if other slots are not covered.
        ("cluster-require-full-coverage", "no"),
        # Nodes stay in their shard: a primary without slots must not become a replica of another shard.
        ("cluster-allow-replica-migration", "no"),
        # A replica may take over after any time without its primary, because no other copy exists.
        ("cluster-replica-validity-factor", "0"),
        *([("tls-cluster", "yes")] if node.security.certificate else []),
        (_announced_port(node, behind_tls=behind_tls), str(node.port)),
    ]


def announce(node: Node, port: int, *, behind_tls: bool = False) -> None:
    """Let a running node announce another port to clients, which must lead to it."""
    node.port = port
    node.admin.config_set(_announced_port(node, behind_tls=behind_tls), port)


def _announced_port(node: Node, *, behind_tls: bool) -> str:
    if node.security.certificate:
        return "cluster-announce-tls-port"
    # Valkey 9.1 and newer announces the gate's port to clients, and the node's port to other nodes.
    return "cluster-announce-client-port" if behind_tls else "cluster-announce-port"


def slot_ranges(shards: int) -> list[tuple[int, int]]:
    """The first and last slot of each shard, distributed evenly."""
    bounds = [round(SLOTS * shard / shards) for shard in range(shards + 1)]
    return [(first, last - 1) for first, last in itertools.pairwise(bounds)]


def node_id(node: Node) -> str:
    """The cluster's id of this node."""
    return str(node.admin.execute_command("CLUSTER", "MYID"))


def form_cluster(nodes: Sequence[Node], node_timeout: float, slots: Sequence[tuple[int, int]] = ()) -> None:
    """Form a cluster of nodes that just started.

    Args:
        nodes: The nodes.
        node_timeout: Seconds without an answer after which the cluster marks a node as failed.
        slots: First and last slot of each shard. Default: - distributed evenly.
    """
    # A primary refuses writes for two seconds after its start; short timeouts form the cluster within that time.
    shorten_timeouts(nodes)
    primaries = [node for node in nodes if node.started_as == "primary"]
    ranges = zip(primaries, slots or slot_ranges(len(primaries)), strict=True)
    for epoch, (node, (first, last)) in enumerate(ranges, start=1):
        # Set different epochs, so that gossip does not have to resolve conflicts later.
        node.admin.execute_command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        node.admin.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
    meet(nodes[0], nodes[1:])
    for node in nodes:
        if node.started_as == "replica":
            primary = next(other for other in primaries if other.shard == node.shard)
            replicate(node, primary)
    wait_until_available(nodes)
    restore_timeouts(nodes, node_timeout)


def shorten_timeouts(nodes: Sequence[Node]) -> None:
    """Shorten the node timeout, so that gossip is faster, and disable failover, so that slow nodes are not replaced."""
    for node in nodes:
        node.admin.config_set("cluster-replica-no-failover", "yes", "cluster-node-timeout", int(_SHORT_TIMEOUT * 1000))


def restore_timeouts(nodes: Sequence[Node], node_timeout: float, *, replace: bool = True) -> None:
    """Restore the node timeout in seconds, and let replicas take over from failed primaries if ``replace`` is true."""
    for node in nodes:
        no_failover = "no" if replace else "yes"
        node.admin.config_set(
            "cluster-node-timeout", int(node_timeout * 1000), "cluster-replica-no-failover", no_failover
        )


def meet(member: Node, new_nodes: Sequence[Node]) -> None:
    """Add nodes to the cluster of a member with CLUSTER MEET, and wait until the member knows them.

    Repeats CLUSTER MEET, because an engine drops a handshake that is not answered within the node timeout, for example
    on a busy machine.
    """
    last: dict[Node, float] = {}

    def known(new_node: Node) -> bool:
        if node_id(new_node) in known_ids(member):
            return True
        if time.monotonic() - last.get(new_node, -math.inf) > _MEET_AGAIN_AFTER:
            last[new_node] = time.monotonic()
            # The engine connects to the bus port only, and replaces the other port when it receives gossip.
            member.admin.execute_command("CLUSTER", "MEET", new_node.address, new_node.port, new_node.bus_port)
        return False

    for new_node in new_nodes:
        known(new_node)
    for new_node in new_nodes:
        wait_until(lambda new_node=new_node: known(new_node), "the handshake of a new node with the cluster")


def replicate(replica: Node, primary: Node) -> None:
    """Make an empty node a replica of the primary, after it knows the primary."""
    primary_id = node_id(primary)

    def done() -> bool:
        return replica.admin.execute_command("CLUSTER", "REPLICATE", primary_id) == "OK"

    wait_until(done, "CLUSTER REPLICATE on a new replica")


def take_over(replica: Node) -> None:
    """Promote a replica without the votes of other shards, because there may be no other shards."""
    replica.admin.execute_command("CLUSTER", "FAILOVER", "TAKEOVER")
    wait_until(lambda: replica.role == "primary", "the promotion of a replica")


def wait_until_available(nodes: Sequence[Node], slots: int = SLOTS) -> None:
    """Wait until every node knows the whole cluster, and every replica is in sync.

    Before that, the cluster would not replace a failed primary, and would announce nodes without a host name.

    Raises:
        EngineError: The cluster did not become available; the message lists what is missing.
    """
    addresses = {(node.host, node.port) for node in nodes}
    for node in nodes:
        missing = ["an answer"]

        def sees_all(node: Node = node, missing: list[str] = missing) -> bool:
            missing[:] = _missing(node, addresses, slots)
            return not missing

        try:
            wait_until(sees_all, f"an available cluster in the view of {node}", seconds=40, alive=nodes)
        except EngineError as error:
            raise EngineError(f"{error}; missing: {', '.join(missing)}") from error


def wait_until_accepted(nodes: Sequence[Node]) -> None:
    """Wait until nodes that were started again accept commands: a primary refuses them for its first two seconds."""
    for node in nodes:
        wait_until(
            lambda node=node: _fields(node.admin.execute_command("CLUSTER", "INFO"))["cluster_state"] == "ok",
            f"the return of {node}",
            alive=[node],
        )


def _missing(node: Node, addresses: set[tuple[str, int]], slots: int) -> list[str]:
    found: list[str] = []
    state = _fields(node.admin.execute_command("CLUSTER", "INFO"))
    if int(state["cluster_slots_assigned"]) != slots:
        found.append(f"owners of all slots ({state['cluster_slots_assigned']} of {slots} have an owner)")
    if state["cluster_state"] != "ok":
        found.append(f"cluster_state ok (it is {state['cluster_state']})")
    seen: set[tuple[str, int]] = set()
    for _, _, *members in node.admin.execute_command("CLUSTER", "SLOTS"):
        seen.update((host, port) for host, port, *_ in members)
    found += [f"the node at {host}:{port}" for host, port in sorted(addresses - seen)]
    found += [f"the removal of {host}:{port}" for host, port in sorted(seen - addresses)]
    replication = node.admin.info("replication")
    if replication["role"] != "master" and replication["master_link_status"] != "up":
        found.append("the sync with its primary")
    return found


def delete_slots(nodes: Sequence[Node], shard: int) -> int:
    """Remove a shard's slots without assigning them to another shard; returns their number."""
    owner = next(node for node in nodes if node.shard == shard and node.role == "primary")
    ranges = owned_ranges(owner)
    # Gossip spreads owners of slots, but not slots without an owner. So send the command to each node, owner first.
    for node in [owner, *(node for node in nodes if node is not owner and node.running)]:
        for first, last in ranges:
            node.admin.execute_command("CLUSTER", "DELSLOTSRANGE", first, last)
    return sum(last - first + 1 for first, last in ranges)


def owned_ranges(node: Node, client: redis.Redis | None = None) -> list[tuple[int, int]]:
    """The slot ranges of a node, in its own view. Default: - asked with the client that manages the node."""
    return next(_ranges_in(line) for line in _lines(node, client) if _is_myself(line))


def owned_slots(node: Node) -> list[int]:
    """The slots of a node, in its own view."""
    return [slot for first, last in owned_ranges(node) for slot in range(first, last + 1)]


def slots_by_owner(node: Node) -> dict[str, set[int]]:
    """The slots of each owner (a node id), in the view of this node."""
    slots = {
        line[0]: {slot for first, last in _ranges_in(line) for slot in range(first, last + 1)} for line in _lines(node)
    }
    return {owner: owned for owner, owned in slots.items() if owned}


def open_slots(node: Node) -> dict[int, str]:
    """The slots that this node is importing or migrating, and the id of the other node."""
    own = next(line for line in _lines(node) if _is_myself(line))
    # For example [93-<-292f8b365bb7edb5e285caf0b7e6ddc7265d2f4f].
    moves = [part.strip("[]").split("-", 2) for part in own[8:] if part.startswith("[")]
    return {int(slot): other for slot, _, other in moves}


def known_ids(node: Node) -> set[str]:
    """The ids of all nodes that this node knows, including its own."""
    return {line[0] for line in _lines(node) if "handshake" not in line[2]}


def _lines(node: Node, client: redis.Redis | None = None) -> list[list[str]]:
    return [line.split() for line in str((client or node.admin).execute_command("CLUSTER", "NODES")).splitlines()]


def _is_myself(line: Sequence[str]) -> bool:
    return "myself" in line[2]


def _ranges_in(line: Sequence[str]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for part in line[8:]:
        if not part.startswith("["):  # in brackets: a slot that is being moved
            first, _, last = part.partition("-")
            ranges.append((int(first), int(last or first)))
    return ranges


def _fields(text: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)
