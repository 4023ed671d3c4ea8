"""Users and user groups (ElastiCache) or ACLs (MemoryDB) of one service, and the stores that use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.store import Scope, StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.acl import OPEN_DEFAULT, AclUser

_PREDEFINED = {OPEN_DEFAULT.name: OPEN_DEFAULT}
PASSWORD_LENGTH = range(16, 129)
"""Characters of a password or an AUTH token."""


def acl_user(name: str, properties: Mapping[str, Any]) -> AclUser:
    """The user that an ``AWS::ElastiCache::User`` or ``AWS::MemoryDB::User`` describes.

    Raises:
        LocalCloudError: AWS would refuse the user: no authentication mode, or a password of a wrong length.
    """
    mode = properties.get("AuthenticationMode") or {}
    kind = str(mode.get("Type", "")).lower()
    passwords = tuple(str(password) for password in mode.get("Passwords") or properties.get("Passwords") or ())
    open_to_all = kind == "no-password-required" or str(properties.get("NoPasswordRequired", "")).lower() == "true"
    if kind != "iam" and not open_to_all and not passwords:
        raise LocalCloudError(f"user {name} has no authentication mode: set AuthenticationMode to iam or password")
    if any(len(password) not in PASSWORD_LENGTH for password in passwords):
        raise LocalCloudError(f"user {name}: a password must have 16 to 128 characters")
    return AclUser(
        name,
        str(properties.get("AccessString") or "off -@all"),
        passwords,
        iam=kind == "iam",
        no_password=open_to_all,
    )


class AccessLists:
    """The users and groups of one service, and the stores that use them.

    As on AWS, each account and Region has a predefined user ``default``, who may do everything without a password.
    """

    def __init__(self, stores: Stores) -> None:
        """Begin without users and groups."""
        self._stores = stores
        self._users: dict[tuple[Scope, str], AclUser] = {}
        self._groups: dict[tuple[Scope, str], list[str]] = {}
        self._in_use: dict[StoreKey, list[str]] = {}

    def put_user(self, identifier: str, user: AclUser) -> None:
        """Add or change a user, also in running stores."""
        self._users[scope(), identifier] = user
        self._refresh()

    def drop_user(self, identifier: str) -> None:
        """Remove a user, also from running stores."""
        self._users.pop((scope(), identifier), None)
        self._refresh()

    def change_user(self, identifier: str, passwords: Sequence[str], access_string: str | None) -> None:
        """Change a user, also in running stores.

        Args:
            identifier: Id of an ElastiCache user, name of a MemoryDB user.
            passwords: All its passwords; empty if they stay.
            access_string: Its access string; None if it stays.
        """
        user = self.members([identifier])[0]
        if passwords:
            user = replace(user, passwords=tuple(passwords), iam=False, no_password=False)
        self.put_user(identifier, user if access_string is None else replace(user, access_string=access_string))

    def user(self, identifier: str) -> AclUser | None:
        """The user with this id; None if it does not exist."""
        return self._users.get((scope(), identifier), _PREDEFINED.get(identifier))

    def user_names(self) -> list[str]:
        """The ids of all users of the account and Region."""
        return sorted({*_PREDEFINED, *(name for place, name in self._users if place == scope())})

    def group_names(self) -> list[str]:
        """The ids of all groups of the account and Region."""
        return sorted(name for place, name in self._groups if place == scope())

    def group(self, identifier: str) -> list[str] | None:
        """The ids of the users of a group; None if it does not exist."""
        return self._groups.get((scope(), identifier))

    def stores_of(self, group: str) -> list[StoreKey]:
        """The stores that use a group."""
        return [key for key, groups in list(self._in_use.items()) if key.scope == scope() and group in groups]

    def groups_of(self, identifier: str) -> list[str]:
        """The groups with a user."""
        return [name for (place, name), members in self._groups.items() if place == scope() and identifier in members]

    def put_group(self, identifier: str, members: Iterable[str]) -> None:
        """Add or change a group, also for running stores."""
        self._groups[scope(), identifier] = list(members)
        self._refresh()

    def drop_group(self, identifier: str) -> None:
        """Remove a group."""
        self._groups.pop((scope(), identifier), None)

    def members(self, identifiers: Iterable[str]) -> list[AclUser]:
        """The users with these ids.

        Raises:
            LocalCloudError: A user does not exist.
        """
        found: list[AclUser] = []
        for identifier in identifiers:
            user = self.user(identifier)
            if user is None:
                raise LocalCloudError(f"user {identifier} does not exist")
            found.append(user)
        return found

    def users_of(self, groups: Iterable[str]) -> list[AclUser]:
        """All users in these groups.

        Raises:
            LocalCloudError: A group does not exist.
        """
        found: list[AclUser] = []
        for group in groups:
            if (scope(), group) not in self._groups:
                raise LocalCloudError(f"user group or ACL {group} does not exist")
            # CloudFormation may delete a user before it removes the user from the group.
            present = [name for name in self._groups[scope(), group] if self.user(name)]
            found += self.members(present)
        return found

    def use(self, key: StoreKey, groups: Iterable[str]) -> list[AclUser]:
        """Record the groups of a store; returns its users. A store without groups has an open default user."""
        names = list(groups)
        users = self.users_of(names) if names else [OPEN_DEFAULT]
        self._in_use[key] = names
        return users

    def release(self, key: StoreKey) -> None:
        """Remove the record of a store's groups."""
        self._in_use.pop(key, None)

    def _refresh(self) -> None:
        for key, groups in list(self._in_use.items()):
            if key.scope == scope() and groups and key in self._stores:
                self._stores.set_users(key, self.users_of(groups))
