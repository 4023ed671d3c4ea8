"""Checks that all stores make at synth, for errors that AWS reports only after fifteen minutes of a deployment.

Each check is one function, which adds problems to `problems`. Tokens pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cdk_redis._core.location import check_location
from cdk_redis._core.service import MEMORYDB
from cdk_redis._core.tokens import is_token
from cdk_redis._store.notifications import warn_of_encrypted_topic
from cdk_redis._values.network_type import IpDiscovery, NetworkType

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns
    from constructs import IConstruct

    from cdk_redis._core.errors import Problems
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._store.node_types import NodeTypes
    from cdk_redis._store.store import Store
    from cdk_redis._values.engine import Engine
    from cdk_redis._values.node_type import NodeType
    from cdk_redis._values.snapshots import Snapshots
    from cdk_redis._values.windows import MaintenanceWindow

MAX_SHARDS = 500

MAX_REPLICAS = 5

# The default quota is 90 nodes; AWS raises it on request up to this number.
MAX_NODES = 500

# "For versions below 5.0.6, the limit is 250 per cluster", of shards and of nodes.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html, read on 2026-11-21
_MAX_NODES_BEFORE_5_0_6 = 250


def check_topology(problems: Problems, shards: int, replicas: int, engine: Engine | None = None) -> None:
    """Check the number of shards, of replicas, and of all nodes.

    Args:
        problems: Where to add problems.
        shards: Number of shards, 1 to 500.
        replicas: Replicas of each shard, 0 to 5.
        engine: Engine of the store; Redis OSS before 5.0.6 has up to 250 nodes. Default: - a newer one.
    """
    is_old = engine is not None and not engine.is_at_least(valkey="7.2", redis="5.0.6")
    most, of = (_MAX_NODES_BEFORE_5_0_6, f" of {engine}") if is_old else (MAX_NODES, "")
    problems.check_range("shards", shards, 1, most, f"a store{of} has {{low}} to {{high}} shards")
    problems.check_range(
        "replicas", replicas, 0, MAX_REPLICAS, "a shard has {low} to {high} replicas", "add shards to spread the load"
    )
    if is_token(shards) or is_token(replicas):
        return
    nodes = _count(shards) * (1 + _count(replicas))
    if _count(shards) <= most < nodes:
        reason = f"{shards} shards of {1 + replicas} nodes are {nodes} nodes, and the maximum{of} is {most}"
        problems.add("shards", shards, reason)


def _count(number: object) -> int:
    return number if isinstance(number, int) else 0


def check_port(problems: Problems, port: int) -> None:
    """Check the port: both services reserve 8005 and everything below 1150."""
    reason = "the services listen on 1150 to 65535, 8005 excepted"
    problems.check_range("port", port, 1150, 65535, reason)
    if port == 8005:
        problems.add("port", port, reason)


def check_node_type(problems: Problems, node_type: NodeType, offered: NodeTypes, engine: Engine) -> None:
    """Check that the service has a node type, and that the engine runs on it.

    Args:
        problems: Where to add problems.
        node_type: The node type, such as ``cache.r7g.large``.
        offered: The node types of the service.
        engine: Engine of the store.
    """
    if is_token(node_type.name):
        return
    name = node_type.name_in(offered.prefix)
    if node_type.prefix not in ("", offered.prefix):
        problems.add("node_type", name, f"node types of this service are named like '{offered.prefix}.r7g.large'")
    elif found := offered.problem_with(node_type, engine):
        problems.add("node_type", name, *found)


def check_windows(problems: Problems, snapshots: Snapshots, maintenance_window: MaintenanceWindow | None) -> None:
    """Check that daily snapshots have a window rather than a time, and that maintenance does not overlap it."""
    if snapshots.at is not None:
        problems.add(
            "snapshots",
            f"daily at {snapshots.at}",
            "only a serverless cache takes snapshots at a fixed time",
            "give a window, such as window=SnapshotWindow('03:00-04:00')",
        )
    if snapshots.window is None or maintenance_window is None:
        return
    if snapshots.window.overlaps(maintenance_window):
        problems.add(
            "maintenance_window",
            str(maintenance_window),
            f"it must not overlap the snapshot window {snapshots.window}",
            "move one of the two",
        )


def check_keys(
    problems: Problems,
    scope: IConstruct,
    kms_key: kms.IKey | None,
    create_kms_key: bool,
    secret_kms_key: kms.IKey | None,
) -> None:
    """Check the keys of a store: in its Region, and the key of the data at rest either given or created.

    The service rejects a key of another Region with the message that it does not exist.

    Args:
        problems: Where to add problems.
        scope: The store.
        kms_key: Key of the data at rest.
        create_kms_key: Whether the store creates that key.
        secret_kms_key: Key of the generated secrets.
    """
    if kms_key is not None and create_kms_key:
        problems.add("create_kms_key", True, "`kms_key` is given", "leave out one of the two")
    check_location(problems, "kms_key", kms_key, "a key", scope=scope)
    check_location(problems, "secret_kms_key", secret_kms_key, "a key", scope=scope, user="the secret")


def check_topic(problems: Problems, scope: Store, topic: sns.ITopic | None) -> None:
    """Check the topic for events: a standard topic in the account and Region of the store.

    ElastiCache cannot publish to an encrypted topic. MemoryDB's documentation does not mention them: a warning.

    Args:
        problems: Where to add problems.
        scope: The store.
        topic: The topic.
    """
    if topic is None:
        return
    if topic.fifo:
        reason = "stores do not publish to FIFO topics"
        problems.add("notification_topic", topic.node.path, reason, "use a standard topic")
    if scope.service is MEMORYDB:
        warn_of_encrypted_topic(scope, topic)
    # ElastiCache accepts such a topic, and only its console says that it is "inactive": "The Amazon SNS topic you are
    # publishing to cannot be encrypted" (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ElastiCacheSNS.html).
    elif topic.master_key is not None:
        reason = "ElastiCache cannot publish to an encrypted topic: its messages would be lost"
        problems.add("notification_topic", topic.node.path, reason, "use a topic without `master_key`")
    check_location(problems, "notification_topic", topic, "a topic", scope=scope, account=True)


def check_dual_stack(
    problems: Problems,
    network_type: NetworkType,
    ip_discovery: IpDiscovery | None,
    network: RedisNetwork,
    subnet_group: ISubnetGroup | None,
) -> None:
    """Check that the nodes have the addresses that clients discover, and the subnets those of the nodes.

    Args:
        problems: Where to add problems.
        network_type: Kinds of addresses of the nodes.
        ip_discovery: Kind of address that clients discover.
        network: The network of the store.
        subnet_group: An existing subnet group. Its subnets are unknown here: with one, subnets are not checked.
    """
    if ip_discovery is not None and not network_type.allows(ip_discovery):
        problems.add(
            "ip_discovery",
            ip_discovery.value,
            f"the nodes have no such addresses with network_type {network_type.value}",
            "leave it out, or use NetworkType.DUAL_STACK",
        )
    if network_type is not NetworkType.IPV4 and subnet_group is None and network.ipv6 is False:
        problems.add(
            "network_type",
            network_type.value,
            "the network's subnets have no IPv6 addresses",
            "use RedisNetwork(..., dual_stack=True), or a `vpc` whose subnets have IPv6 addresses",
        )


def check_parameters(problems: Problems, parameters: Mapping[str, str] | None) -> None:
    """Check that engine parameters do not have ``cluster-enabled``, which `shards` decides."""
    for name, value in (parameters or {}).items():
        if name == "cluster-enabled":
            problems.add("parameters", {name: value}, "cluster mode follows from `shards`", "leave it out")
