"""The users of a store as its engines get them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import replace

from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._gates.node_gate import GateRules
from cdk_redis_runtime._client.environment import MEMORYDB_REFUSED_COMMANDS

SERVERLESS = "serverless"
"""The ``service`` of a serverless cache in `StoreKey`."""


def engine_users(service: str, users: Iterable[AclUser], rules: GateRules, faults: Collection[str]) -> list[AclUser]:
    """The declared users with what the service and the faults of the store change.

    Args:
        service: The store's ``service`` in `StoreKey`.
        users: The declared users.
        rules: The rules of the store's gates. They get the internal passwords: of IAM users, in place of tokens, and of
            users without a password if the engine has no TLS.
        faults: The store's faults.
    """
    users = list(users)
    made: list[AclUser] = []
    for user in users:
        if user.iam:
            user = replace(user, passwords=(rules.passwords.setdefault(user.name, secrets.token_hex(24)),))
        if user.no_password and rules.ca_file is None:
            hidden = rules.open_users.setdefault(user.name, secrets.token_hex(24))
            user = replace(user, passwords=(hidden,), no_password=False)
        if "acl-without-prefix" in faults and user.name != "default":
            user = replace(user, access_string=f"{user.access_string} allkeys")
        if service in ("memorydb", SERVERLESS):
            # ElastiCache's list is shorter, but none of its users can change users, slots or nodes either.
            # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ClientConfig.RestrictedCommands.html
            user = _with_managed_commands(user, allowed="managed-commands-allowed" in faults)
        made.append(user)
    declared = {user.name: user for user in users}
    for name in [name for name in rules.passwords if name not in declared or not declared[name].iam]:
        del rules.passwords[name]
    for name in [name for name in rules.open_users if name not in declared or not declared[name].no_password]:
        del rules.open_users[name]
    return made


def without_commands(users: Iterable[AclUser], commands: Iterable[str]) -> list[AclUser]:
    """The users, who may not run these commands and categories."""
    return [replace(user, refused=(*user.refused, *commands)) for user in users]


def _with_managed_commands(user: AclUser, *, allowed: bool) -> AclUser:
    """The user, who may not run the commands that the service reserves, unless ``allowed``."""
    if not allowed:
        return replace(user, refused=MEMORYDB_REFUSED_COMMANDS)
    commands = " ".join(f"+{command}" for command in MEMORYDB_REFUSED_COMMANDS)
    return replace(user, access_string=f"{user.access_string} {commands}")
