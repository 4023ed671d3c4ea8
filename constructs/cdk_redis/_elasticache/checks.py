"""Checks of ElastiCache stores only: access and cluster mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._access.engine_rules import check_rules_of
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from cdk_redis._access.authentication import Authentication
    from cdk_redis._core.errors import Problems
    from cdk_redis._elasticache.user_group import IUserGroup
    from cdk_redis._values.engine import Engine
    from cdk_redis._values.restore import Restore


def check_unsafe(problems: Problems, open_access: bool, plaintext: bool) -> None:
    """Check that a store without TLS has open access: ElastiCache has no users without TLS."""
    if plaintext and not open_access:
        reason = "ElastiCache has neither users nor an AUTH token without TLS: everyone can connect"
        problems.add("unsafe_plaintext", True, reason, "set `unsafe_open_access` as well")


def check_access(
    problems: Problems,
    authentication: Authentication | None,
    user_group: IUserGroup | None,
    open_access: bool,
    engine: Engine,
) -> None:
    """Check that a store has either users, an AUTH token, or open access.

    Args:
        problems: Where to add problems.
        authentication: An AUTH token, in place of users.
        user_group: An existing user group.
        open_access: Whether anyone on the network can connect.
        engine: Engine of the store.
    """
    if authentication is not None:
        _check_authentication(problems, authentication, user_group, open_access)
    elif not open_access and not engine.supports_user_groups:
        hint = "choose a newer version, or authentication=Authentication.auth_token()"
        problems.add("engine", str(engine), "users need Redis OSS 6.0 or newer, or Valkey", hint)
    check_user_group(problems, user_group, open_access, engine)


def check_user_group(problems: Problems, user_group: IUserGroup | None, open_access: bool, engine: Engine) -> None:
    """Check that an existing user group can be used by the store.

    Args:
        problems: Where to add problems.
        user_group: An existing user group.
        open_access: Whether anyone on the network can connect.
        engine: Engine of the store.
    """
    if user_group is None:
        return
    given = user_group.user_group_id
    if open_access:
        problems.add("user_group", given, "a store with open access has no users", "leave out one of the two")
    if user_group.engine is not None and user_group.engine.name == "valkey" and engine.name == "redis":
        reason = "a store of Redis OSS cannot use a user group of Valkey"
        problems.add("user_group", given, reason, f"give the group the engine {engine}")
    check_rules_of(problems, user_group.users, engine)


def _check_authentication(
    problems: Problems, authentication: Authentication, user_group: IUserGroup | None, open_access: bool
) -> None:
    if authentication.kind != "auth-token":
        hint = "leave it out and add users, or use Authentication.auth_token()"
        problems.add("authentication", authentication.kind, "a store has users, or an AUTH token", hint)
    if open_access:
        reason = "a store with unsafe_open_access has no AUTH token"
        problems.add("authentication", authentication.kind, reason, "leave out one of the two")
    if user_group is not None:
        reason = "a store has users, or an AUTH token"
        problems.add("user_group", user_group.user_group_id, reason, "leave out `authentication`, or the user group")


def can_move_to_cluster_mode(engine: Engine) -> bool:
    """Whether the engine can turn cluster mode on in a store that has data."""
    return engine.is_at_least(valkey="7.2", redis="7.0")


def check_cluster_mode_compatible(
    problems: Problems, compatible: bool, cluster_mode: bool, replicas: int, engine: Engine
) -> None:
    """Check that cluster mode "compatible", the first step of the move to cluster mode, is possible.

    Args:
        problems: Where to add problems.
        compatible: Whether the cluster mode is "compatible".
        cluster_mode: Whether cluster mode is on already.
        replicas: Replicas of each shard.
        engine: Engine of the store.
    """
    if not compatible:
        return
    parameter = "cluster_mode_compatible"
    if cluster_mode:
        problems.add(parameter, True, "cluster mode is on when `shards` is given", "leave out one of the two")
    if replicas == 0:
        problems.add(parameter, True, "the move to cluster mode needs automatic failover", "add a replica")
    if not can_move_to_cluster_mode(engine):
        hint = "upgrade it to Valkey, or to Redis OSS 7.0 or newer, in a separate deployment"
        problems.add(parameter, True, f"{engine} cannot move to cluster mode", hint)


def check_restore(problems: Problems, restore: Restore | None, shards: int | None) -> None:
    """Check that the number of shards is known if the files of a restore are divided among them.

    Args:
        problems: Where to add problems.
        restore: The data that the store is created with.
        shards: Number of shards; None if cluster mode is off.
    """
    if restore is not None and restore.object_arns and is_token(shards):
        reason = "the slots are divided among the shards at synth, when a token is not known"
        problems.add("shards", shards, reason, "give a number")
