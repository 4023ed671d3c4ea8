"""Users, user groups and ACLs of both services."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cdk_redis_local._emulator.api.clusters import OPEN_ACCESS
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.names import arn
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.handlers.access import AccessLists
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.ministack.records import user_group_record, user_record
from cdk_redis_local._emulator.store import Scope
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.acl import OPEN_DEFAULT, AclUser

# The first version of Redis OSS with users, and the first one that authenticates them with IAM.
_MINIMUM, _MINIMUM_WITH_IAM = "6.0", "7.0"


class Users:
    """``DescribeUsers`` of both services, ``DescribeUserGroups`` and ``DescribeACLs``."""

    def __init__(self, stores: Stores, elasticache: AccessLists, memorydb: AccessLists) -> None:
        """Prepare the actions.

        Args:
            stores: The running stores.
            elasticache: Users and user groups of ElastiCache.
            memorydb: Users and ACLs of MemoryDB.
        """
        self._stores = stores
        self.elasticache = elasticache
        self.memorydb = memorydb
        self._modifying: set[tuple[str, Scope, str]] = set()

    def register(self) -> None:
        """Add the actions to the emulator."""
        ELASTICACHE.add({"DescribeUsers": self._describe_users, "DescribeUserGroups": self._describe_groups})
        MEMORYDB.add({"DescribeUsers": self._describe_memorydb_users, "DescribeACLs": self._describe_acls})

    def begin(self, service: str, identifier: str) -> Callable[[], None]:
        """Mark a user as being modified, until the function that this returns is called.

        Raises:
            ApiError: It is being modified already.
        """
        user = (service, scope(), identifier)
        if user in self._modifying:
            raise ApiError("InvalidUserStateFault", f"User {identifier} is not in active state.")
        self._modifying.add(user)
        return lambda: self._modifying.discard(user)

    def user(self, user_id: str) -> dict[str, Any]:
        """A user of ElastiCache as the API describes it.

        Raises:
            ApiError: It does not exist.
        """
        user = _existing(self.elasticache.user(user_id), user_id)
        return {
            "UserId": user_id,
            "UserName": user.name,
            "Status": self._status("elasticache", [user_id]),
            "Engine": str(user_record(user_id).get("Engine", "redis")).lower(),
            "MinimumEngineVersion": _minimum(user),
            "AccessString": user.access_string,
            "UserGroupIds": self.elasticache.groups_of(user_id),
            "Authentication": _authentication(user),
            "ARN": arn("elasticache", "user", user_id),
        }

    def memorydb_user(self, name: str) -> dict[str, Any]:
        """A user of MemoryDB as the API describes it.

        Raises:
            ApiError: It does not exist.
        """
        user = _existing(self.memorydb.user(name), name)
        return {
            "Name": name,
            "Status": self._status("memorydb", [name]),
            "AccessString": user.access_string,
            "ACLNames": [OPEN_ACCESS] if name == OPEN_DEFAULT.name else self.memorydb.groups_of(name),
            "MinimumEngineVersion": _minimum(user),
            "Authentication": _authentication(user),
            "ARN": arn("memorydb", "user", name),
        }

    def _status(self, service: str, users: Iterable[str]) -> str:
        return "modifying" if any((service, scope(), user) in self._modifying for user in users) else "active"

    def _describe_users(self, parameters: Parameters) -> Answer:
        asked, engine = parameters.get("UserId"), parameters.get("Engine")
        names = self.elasticache.user_names() if asked is None else [str(asked)]
        users = [self.user(name) for name in names]
        users = [user for user in users if engine is None or user["Engine"] == engine.lower()]
        return {"Users": _filtered(users, parameters, {"user-id": "UserId", "user-name": "UserName"})}

    def _describe_memorydb_users(self, parameters: Parameters) -> Answer:
        asked = parameters.get("UserName")
        names = self.memorydb.user_names() if asked is None else [str(asked)]
        return {"Users": _filtered(map(self.memorydb_user, names), parameters, {"user-name": "Name"})}

    def _describe_groups(self, parameters: Parameters) -> Answer:
        asked = parameters.get("UserGroupId")
        names = self.elasticache.group_names() if asked is None else [str(asked)]
        return {"UserGroups": [self._group(name) for name in names]}

    def _group(self, name: str) -> dict[str, Any]:
        members = self.elasticache.group(name)
        if members is None:
            raise ApiError("UserGroupNotFoundFault", f"User group {name} not found.")
        stores = self.elasticache.stores_of(name)
        return {
            "UserGroupId": name,
            "Status": self._status("elasticache", members),
            "Engine": str(user_group_record(name).get("Engine", "redis")).lower(),
            "UserIds": members,
            "MinimumEngineVersion": _MINIMUM,
            "PendingChanges": {},
            "ReplicationGroups": [key.name for key in stores if key.service == "elasticache"],
            "ServerlessCaches": [key.name for key in stores if key.service != "elasticache"],
            "ARN": arn("elasticache", "usergroup", name),
        }

    def _describe_acls(self, parameters: Parameters) -> Answer:
        asked = parameters.get("ACLName")
        names = [*self.memorydb.group_names(), OPEN_ACCESS] if asked is None else [str(asked)]
        return {"ACLs": [self._acl(name) for name in names]}

    def _acl(self, name: str) -> dict[str, Any]:
        members = [OPEN_DEFAULT.name] if name == OPEN_ACCESS else self.memorydb.group(name)
        if members is None:
            raise ApiError("ACLNotFoundFault", f"ACL {name} not found.")
        clusters = [
            key.name
            for key, properties in list(self._stores.declared.items())
            if (key.service, key.scope) == ("memorydb", scope()) and properties.get("ACLName") == name
        ]
        return {
            "Name": name,
            "Status": self._status("memorydb", members),
            "UserNames": members,
            "MinimumEngineVersion": _MINIMUM,
            "PendingChanges": {},
            "Clusters": sorted(clusters),
            "ARN": arn("memorydb", "acl", name),
        }


def _existing(user: AclUser | None, identifier: str) -> AclUser:
    if user is None:
        raise ApiError("UserNotFoundFault", f"User {identifier} not found.")
    return user


def _minimum(user: AclUser) -> str:
    return _MINIMUM_WITH_IAM if user.iam else _MINIMUM


def _authentication(user: AclUser) -> dict[str, Any]:
    if user.iam:
        return {"Type": "iam"}
    return {"Type": "no-password" if user.no_password else "password", "PasswordCount": len(user.passwords)}


def _filtered(users: Iterable[dict[str, Any]], parameters: Parameters, names: dict[str, str]) -> list[dict[str, Any]]:
    """The users that match all filters of a request."""
    found = list(users)
    for one in parameters.get("Filters") or []:
        member = names.get(one["Name"])
        if member is None:
            known = ", ".join(names)
            raise ApiError("InvalidParameterValueException", f"the local cloud knows the filters {known} only")
        found = [user for user in found if user[member] in one["Values"]]
    return found
