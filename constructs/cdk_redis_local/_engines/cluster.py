"""Forming a cluster of running nodes: slots, replicas, and when it may be called available."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.node import Node, wait_until

SLOTS = 16384
# Members tell each other twice in a node timeout.
_HURRIED_TIMEOUT = 1.0
_INTRODUCED_AGAIN_AFTER = 2 * _HURRIED_TIMEOUT


def cluster_settings(node: Node, *, behind_tls: bool = False) -> list[tuple[str, str]]:
    """The settings that make a node a member of a cluster reached through its host.

    ``behind_tls`` says that the node speaks no TLS, but the gate that clients are sent to does.
    """
    if node.security.certificate:
        announced = "cluster-announce-tls-port"
    else:
        # Valkey 9.1 and newer: clients are sent to the gate, while the other nodes, which speak no TLS, are not.
        announced = "cluster-announce-client-port" if behind_tls else "cluster-announce-port"
    return [
        ("cluster-enabled", "yes"),
        ("cluster-config-file", "nodes.conf"),
        ("cluster-port", str(node.bus_port)),
        ("cluster-announce-ip", node.address),
        ("cluster-announce-bus-port", str(node.bus_port)),
        # Clients check the certificate's name, so they are sent to a name.
        ("cluster-announce-hostname", node.host),
        ("cluster-preferred-endpoint-type", "hostname"),
        # What ElastiCache does unless a parameter group says otherwise: slots that are covered are served.
        ("cluster-require-full-coverage", "no"),
        # Shards keep their nodes: a primary that gave its slots away stays one until it is told to leave.
        ("cluster-allow-replica-migration", "no"),
        # A replica takes over however long it was apart from its primary: there is no other copy here.
        ("cluster-replica-validity-factor", "0"),
        *([("tls-cluster", "yes")] if node.security.certificate else []),
        (announced, str(node.port)),
    ]


def slot_ranges(shards: int) -> list[tuple[int, int]]:
    """The first and last slot of each shard, shared out evenly."""
    bounds = [round(SLOTS * shard / shards) for shard in range(shards + 1)]
    return [(first, last - 1) for first, last in itertools.pairwise(bounds)]


def node_id(node: Node) -> str:
    """The id by which the members of the cluster know this node."""
    return str(node.admin.execute_command("CLUSTER", "MYID"))


def form_cluster(nodes: Sequence[Node], node_timeout: float) -> None:
    """Make one cluster of nodes that just started, each primary with an even share of the slots."""
    # A primary takes writes two seconds after its start in any case: the rest is to be done by then.
    hurry(nodes)
    primaries = [node for node in nodes if node.started_as == "primary"]
    for epoch, (node, (first, last)) in enumerate(zip(primaries, slot_ranges(len(primaries)), strict=True), start=1):
        # Epochs that differ from the start need not be settled by gossip later.
        node.admin.execute_command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        node.admin.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
    introduce(nodes[0], nodes[1:])
    for node in nodes:
        if node.started_as == "replica":
            primary = next(other for other in primaries if other.shard == node.shard)
            replicate(node, primary)
    wait_until_available(nodes)
    calm(nodes, node_timeout)


def hurry(nodes: Sequence[Node]) -> None:
    """Make the news of a change travel faster, without anybody being replaced for a slow answer."""
    for node in nodes:
        node.admin.config_set(
            "cluster-replica-no-failover", "yes", "cluster-node-timeout", int(_HURRIED_TIMEOUT * 1000)
        )


def calm(nodes: Sequence[Node], node_timeout: float, *, replace: bool = True) -> None:
    """End a hurry: a primary that does not answer for that many seconds has failed.

    A replica then takes over from it, unless ``replace`` is false.
    """
    for node in nodes:
        no_failover = "no" if replace else "yes"
        node.admin.config_set(
            "cluster-node-timeout", int(node_timeout * 1000), "cluster-replica-no-failover", no_failover
        )


def introduce(member: Node, newcomers: Sequence[Node]) -> None:
    """Introduce nodes to a member of a cluster, each until the member knows it.

    An engine forgets an introduction that is not answered within the node timeout, as happens on a busy machine.
    """
    last: dict[Node, float] = {}

    def known(newcomer: Node) -> bool:
        if node_id(newcomer) in known_ids(member):
            return True
        if time.monotonic() - last.get(newcomer, -math.inf) > _INTRODUCED_AGAIN_AFTER:
            last[newcomer] = time.monotonic()
            # Only the bus port is connected to; the other is stored until gossip tells better.
            member.admin.execute_command("CLUSTER", "MEET", newcomer.address, newcomer.port, newcomer.bus_port)
        return False

    for newcomer in newcomers:
        known(newcomer)
    for newcomer in newcomers:
        wait_until(lambda newcomer=newcomer: known(newcomer), "a new node's introduction to the cluster")


def replicate(replica: Node, primary: Node) -> None:
    """Make an empty node a replica, as soon as it knows the primary."""
    primary_id = node_id(primary)

    def done() -> bool:
        return replica.admin.execute_command("CLUSTER", "REPLICATE", primary_id) == "OK"

    wait_until(done, "a replica's knowledge of its primary")


def take_over(replica: Node) -> None:
    """Make a replica the primary of its shard, without the votes of the other shards: there may be none."""
    replica.admin.execute_command("CLUSTER", "FAILOVER", "TAKEOVER")
    wait_until(lambda: replica.role == "primary", "a replica's taking over")


def wait_until_available(nodes: Sequence[Node], slots: int = SLOTS) -> None:
    """Wait until every node sees the whole cluster, and every replica is in sync.

    Before that a killed primary would never be replaced, and clients would be sent to nodes without a name.

    Raises:
        EngineError: It did not come to that; the message says what is missing.
    """
    addresses = {(node.host, node.port) for node in nodes}
    for node in nodes:
        missing = ["an answer"]

        def sees_all(node: Node = node, missing: list[str] = missing) -> bool:
            missing[:] = _missing(node, addresses, slots)
            return not missing

        try:
            wait_until(sees_all, f"the cluster as {node} sees it", seconds=40, alive=nodes)
        except EngineError as error:
            raise EngineError(f"{error}: missing is {', '.join(missing)}") from error


def _missing(node: Node, addresses: set[tuple[str, int]], slots: int) -> list[str]:
    found: list[str] = []
    state = _fields(node.admin.execute_command("CLUSTER", "INFO"))
    if int(state["cluster_slots_assigned"]) != slots:
        found.append(f"an owner for each slot ({state['cluster_slots_assigned']} of {slots} have one)")
    if state["cluster_state"] != "ok":
        found.append(f"a state that is ok (it is {state['cluster_state']})")
    seen: set[tuple[str, int]] = set()
    for _, _, *members in node.admin.execute_command("CLUSTER", "SLOTS"):
        seen.update((host, port) for host, port, *_ in members)
    found += [f"the node at {host}:{port}" for host, port in sorted(addresses - seen)]
    found += [f"the end of {host}:{port}" for host, port in sorted(seen - addresses)]
    replication = node.admin.info("replication")
    if replication["role"] != "master" and replication["master_link_status"] != "up":
        found.append("its sync with its primary")
    return found


def delete_slots(nodes: Sequence[Node], shard: int) -> int:
    """Take a shard's slots away without giving them to another; returns how many those were."""
    owner = next(node for node in nodes if node.shard == shard and node.role == "primary")
    ranges = owned_ranges(owner)
    # Gossip spreads who owns a slot, not that nobody does: every node is told, the owner first.
    for node in [owner, *(node for node in nodes if node is not owner and node.running)]:
        for first, last in ranges:
            node.admin.execute_command("CLUSTER", "DELSLOTSRANGE", first, last)
    return sum(last - first + 1 for first, last in ranges)


def owned_ranges(node: Node) -> list[tuple[int, int]]:
    """The slot ranges of a node, as it sees them itself."""
    return next(_ranges_in(line) for line in _lines(node) if _is_itself(line))


def owned_slots(node: Node) -> list[int]:
    """The slots of a node, as it sees them itself."""
    return [slot for first, last in owned_ranges(node) for slot in range(first, last + 1)]


def slots_by_owner(node: Node) -> dict[str, set[int]]:
    """The slots of each owner, by its id, as this node sees them."""
    slots = {
        line[0]: {slot for first, last in _ranges_in(line) for slot in range(first, last + 1)} for line in _lines(node)
    }
    return {owner: owned for owner, owned in slots.items() if owned}


def open_slots(node: Node) -> dict[int, str]:
    """The slots that this node is moving, in either direction, and the id of the node at the other end."""
    itself = next(line for line in _lines(node) if _is_itself(line))
    # As in [93-<-292f8b365bb7edb5e285caf0b7e6ddc7265d2f4f].
    moves = [part.strip("[]").split("-", 2) for part in itself[8:] if part.startswith("[")]
    return {int(slot): other for slot, _, other in moves}


def known_ids(node: Node) -> set[str]:
    """The ids of all nodes that this node knows, itself included."""
    return {line[0] for line in _lines(node) if "handshake" not in line[2]}


def _lines(node: Node) -> list[list[str]]:
    return [line.split() for line in str(node.admin.execute_command("CLUSTER", "NODES")).splitlines()]


def _is_itself(line: Sequence[str]) -> bool:
    return "myself" in line[2]


def _ranges_in(line: Sequence[str]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for part in line[8:]:
        if not part.startswith("["):  # a slot on its way, not one it owns
            first, _, last = part.partition("-")
            ranges.append((int(first), int(last or first)))
    return ranges


def _fields(text: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)
