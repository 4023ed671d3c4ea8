"""The users of a store as its engines get them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, MutableMapping
from dataclasses import replace

from cdk_redis_local._engines.acl import AclUser
from cdk_redis_runtime._client.environment import MEMORYDB_REFUSED_COMMANDS

SERVERLESS = "serverless"
"""The ``service`` of a serverless cache in `StoreKey`."""


def engine_users(
    service: str, users: Iterable[AclUser], passwords: MutableMapping[str, str], faults: Collection[str]
) -> list[AclUser]:
    """The declared users with what the service and the faults of the store change.

    Args:
        service: The store's ``service`` in `StoreKey`.
        users: The declared users.
        passwords: The internal password of each IAM user, which it gets instead of tokens; is changed.
        faults: The store's faults.
    """
    made: list[AclUser] = []
    for user in users:
        if user.iam:
            user = replace(user, passwords=(passwords.setdefault(user.name, secrets.token_hex(24)),))
        if "acl-without-prefix" in faults and user.name != "default":
            user = replace(user, access_string=f"{user.access_string} allkeys")
        if service in ("memorydb", SERVERLESS):
            # ElastiCache's list is shorter, but none of its users can change users, slots or nodes either.
            # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ClientConfig.RestrictedCommands.html
            user = _with_managed_commands(user, allowed="managed-commands-allowed" in faults)
        made.append(user)
    for name in passwords.keys() - {user.name for user in made if user.iam}:
        del passwords[name]
    return made


def _with_managed_commands(user: AclUser, *, allowed: bool) -> AclUser:
    """The user, who may not run the commands that the service reserves, unless ``allowed``."""
    if not allowed:
        return replace(user, refused=MEMORYDB_REFUSED_COMMANDS)
    commands = " ".join(f"+{command}" for command in MEMORYDB_REFUSED_COMMANDS)
    return replace(user, access_string=f"{user.access_string} {commands}")
