"""Warnings that the stores of both services have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from constructs import IConstruct

    from cdk_redis._store.store import Store

_OPENED = "@cdk-redis:openAccess"
_PLAINTEXT = "@cdk-redis:plaintext"
_UNENCRYPTED = "@cdk-redis:unencryptedAtRest"
_QUOTA = "@cdk-redis:nodeQuota"
# "Nodes per cluster per instance type", of both services. Read on 2026-11-21:
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/quota-limits.html
# https://docs.aws.amazon.com/memorydb/latest/devguide/quota-limits.html
_DEFAULT_NODES = 90


def warn_of_unsafe(store: Store, *, unencrypted: bool = False) -> None:
    """Add warnings to a store with open access, without TLS, or without encryption at rest."""
    annotations = cdk.Annotations.of(store)
    if store.open_access:
        annotations.add_warning_v2(_OPENED, "unsafe_open_access: anyone on the network can read and write all data")
    if not store.topology.tls:
        annotations.add_warning_v2(_PLAINTEXT, "unsafe_plaintext: anyone on the network can read all traffic")
    if unencrypted:
        annotations.add_warning_v2(
            _UNENCRYPTED,
            "unsafe_unencrypted_at_rest: the data is not encrypted on disk and in snapshots; restore a snapshot into a "
            "new store to have it encrypted",
        )


def inform_of_quota(store: Store) -> None:
    """Add an info to a store with more nodes than an account has by default."""
    shards, replicas = store.topology.shards, store.topology.replicas
    if is_token(shards) or is_token(replicas) or (shards or 0) * (1 + (replicas or 0)) <= _DEFAULT_NODES:
        return
    cdk.Annotations.of(store).add_info_v2(
        _QUOTA,
        f"{shards} shards of {1 + (replicas or 0)} nodes exceed the default quota of {_DEFAULT_NODES} nodes per "
        "cluster; AWS raises it on request",
    )


def warn_of_name(store: IConstruct, parameter: str, id: str) -> None:
    """Add a warning to a store with a name from the user, which CloudFormation cannot replace.

    Args:
        store: The store.
        parameter: The parameter with the name.
        id: Id of the warning, with which it can be acknowledged.
    """
    cdk.Annotations.of(store).add_warning_v2(
        id,
        f"{parameter} is given: a change that replaces the store will fail, because the new store cannot have the name "
        "of the old one; leave it out unless something outside of CloudFormation needs it",
    )
