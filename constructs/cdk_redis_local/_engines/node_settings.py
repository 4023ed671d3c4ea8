"""Changes users and parameters of a running node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from redis.exceptions import ResponseError

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines.acl import CLOSED_DEFAULT, AclUser
from cdk_redis_local._engines.node import Node

# The internal user of the local cloud.
MANAGER = "cdk-redis-local"
# The local cloud sets these itself; a parameter group cannot change them.
_RESERVED = frozenset({"port", "tls-port", "bind", "dir", "aclfile", "save", "appendonly", "masterauth", "masteruser"})

# Parts of the errors about settings that an engine does not have, in lower case. The last one is about activedefrag,
# which the engines of distributions are built without.
_NOT_SETTABLE = ("unknown", "immutable", "unsupported", "cannot be enabled: it requires")

DURABLE = [("appendonly", "yes"), ("appendfsync", "always")]
"""Settings of a node that has each write on disk before it acknowledges it."""


def with_default(users: Iterable[AclUser]) -> list[AclUser]:
    """The users, and a ``default`` user without permissions unless one is among them."""
    return [CLOSED_DEFAULT, *users] if all(user.name != "default" for user in users) else list(users)


def set_users(node: Node, users: Sequence[AclUser]) -> None:
    """Replace the users of a node.

    Raises:
        EngineError: The engine rejects an access string; the message has the engine's error.
    """
    for user in with_default(users):
        _set_user(node, user)
    kept = {user.name for user in users} | {"default", MANAGER}
    gone = [name for name in node.admin.acl_users() if name not in kept]
    if gone:
        node.admin.acl_deluser(*gone)


def _set_user(node: Node, user: AclUser) -> None:
    try:
        node.admin.execute_command("ACL", "SETUSER", user.name, *user.rules)
    except ResponseError as error:
        raise EngineError(f"the engine rejects the access string of user {user.name}: {error}") from error


def set_parameters(node: Node, parameters: Mapping[str, str]) -> dict[str, str]:
    """Change engine settings of a node; returns those that the engine does not know or cannot change while it runs.

    Raises:
        EngineError: The engine knows the setting and rejects the value.
    """
    return {
        name: value for name, value in parameters.items() if name in _RESERVED or not _set_parameter(node, name, value)
    }


def _set_parameter(node: Node, name: str, value: str) -> bool:
    try:
        node.admin.execute_command("CONFIG", "SET", name, value)
    except ResponseError as error:
        text = str(error).lower()
        if any(reason in text for reason in _NOT_SETTABLE):
            return False
        raise EngineError(f"the engine rejects {name}={value}: {error}") from error
    return True
