"""Checks of what the stores of several services have in common: limits that AWS reports only after fifteen minutes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_kms as kms
    from constructs import IConstruct

    from cdk_redis._values.snapshots import Snapshots
    from cdk_redis._values.windows import MaintenanceWindow

MAX_SHARDS = 500

MAX_REPLICAS = 5

# A quota that AWS raises on request from 90; no request raises it further.
MAX_NODES = 500


def check_store(
    scope: IConstruct,
    *,
    node_prefix: str,
    node_type: str,
    shards: int,
    replicas: int,
    port: int,
    kms_key: kms.IKey | None,
    parameters: Mapping[str, str] | None,
    snapshots: Snapshots,
    maintenance_window: MaintenanceWindow | None,
) -> Problems:
    """Check what a replication group and a MemoryDB cluster have in common.

    Args:
        scope: The store under construction.
        node_prefix: How the service's node types begin.
        node_type: As given to the store, like all that follows.
        shards: As given.
        replicas: As given.
        port: As given.
        kms_key: As given.
        parameters: As given.
        snapshots: As given.
        maintenance_window: As given.

    Returns:
        The problems found, for the service's own checks to be added to.
    """
    problems = Problems(scope)
    _check_topology(problems, shards, replicas)
    _check_node_type(problems, node_type, node_prefix)
    check_port(problems, port)
    check_parameters(problems, parameters)
    check_windows(problems, snapshots, maintenance_window)
    check_key_region(problems, scope, kms_key)
    return problems


def _check_topology(problems: Problems, shards: int, replicas: int) -> None:
    """Shards and replicas within what one store can have."""
    problems.check_range("shards", shards, 1, MAX_SHARDS, "a store has {low} to {high} shards")
    problems.check_range(
        "replicas", replicas, 0, MAX_REPLICAS, "a shard has {low} to {high} replicas", "add shards to spread the load"
    )
    if is_token(shards) or is_token(replicas):
        return
    nodes = _count(shards) * (1 + _count(replicas))
    if _count(shards) <= MAX_SHARDS and nodes > MAX_NODES:
        problems.add(
            "shards", shards, f"{shards} shards of {1 + replicas} nodes are {nodes}, and {MAX_NODES} is the most"
        )


def _count(number: object) -> int:
    return number if isinstance(number, int) else 0


def check_port(problems: Problems, port: int) -> None:
    """A port that both services accept: they keep 8005 and all below 1150 for themselves."""
    reason = "the services listen on 1150 to 65535, 8005 excepted"
    problems.check_range("port", port, 1150, 65535, reason)
    if port == 8005:
        problems.add("port", port, reason)


def _check_node_type(problems: Problems, node_type: str, prefix: str) -> None:
    """A node type of the service at hand: ``cache.`` for ElastiCache, ``db.`` for MemoryDB."""
    if is_token(node_type):
        return
    if not isinstance(node_type, str) or not re.fullmatch(rf"{prefix}\.[a-z0-9]+\.[a-z0-9]+", node_type):
        problems.add("node_type", node_type, f"a node type here reads like '{prefix}.r7g.large'")


def check_windows(problems: Problems, snapshots: Snapshots, maintenance_window: MaintenanceWindow | None) -> None:
    """The daily snapshot has a window, and the weekly maintenance must not meet it."""
    if snapshots.at is not None:
        problems.add(
            "snapshots",
            f"daily at {snapshots.at}",
            "only a serverless cache takes its snapshots at a time",
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


def check_key_region(problems: Problems, scope: IConstruct, kms_key: kms.IKey | None) -> None:
    """A key lives in the store's own Region; of another one the service says that it does not exist."""
    if kms_key is None:
        return
    region, key_region = cdk.Stack.of(scope).region, kms_key.env.region
    if is_token(region) or is_token(key_region) or region == key_region:
        return
    problems.add("kms_key", f"a key in {key_region}", f"the store is in {region}", "use a key of that Region")


def check_parameters(problems: Problems, parameters: Mapping[str, str] | None) -> None:
    """Engine parameters are text by name; the one that follows from `shards` is not given by hand."""
    for name, value in (parameters or {}).items():
        if name == "cluster-enabled":
            problems.add("parameters", {name: value}, "cluster mode follows from `shards`", "leave it out")
        elif not isinstance(value, str):
            problems.add("parameters", {name: value}, "values are text", f"write {str(value)!r}")
