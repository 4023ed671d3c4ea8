"""The API actions that change passwords of users and AUTH tokens, in the running engines too.

As on AWS, they return at once, with the status of a change that is being applied; the status changes when the engines
have it.
"""

from __future__ import annotations

import contextvars
import datetime as dt
import threading
from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.permissions import named_resource
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.handlers.access import PASSWORD_LENGTH, AccessLists
from cdk_redis_local._emulator.handlers.auth_tokens import AuthTokens
from cdk_redis_local._emulator.ministack import (
    elasticache_user,
    elasticache_user_groups,
    name_resources_with,
    scope,
)
from cdk_redis_local._emulator.stores import StoreKey, Stores

_MOST_PASSWORDS = 2


class PasswordCalls:
    """ModifyUser, UpdateUser and the AUTH tokens of ModifyReplicationGroup, with the actions that describe them."""

    def __init__(
        self,
        stores: Stores,
        elasticache: AccessLists,
        memorydb: AccessLists,
        tokens: AuthTokens,
        say: Callable[[str], object],
    ) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator.

        Args:
            stores: The running stores.
            elasticache: Users of ElastiCache.
            memorydb: Users of MemoryDB.
            tokens: AUTH tokens of replication groups.
            say: Called with a message for the user when the engines refuse a change.
        """
        self._stores = stores
        self._elasticache = elasticache
        self._memorydb = memorydb
        self._tokens = tokens
        self._say = say
        self._updating: set[tuple[tuple[str, str], str]] = set()

    def register(self) -> None:
        """Add the actions to the emulator."""
        name_resources_with(named_resource)
        ELASTICACHE.add(
            {
                "ModifyUser": self._modify_user,
                "ModifyReplicationGroup": self._modify_group,
                "DescribeReplicationGroups": self._describe_groups,
            }
        )
        MEMORYDB.add({"UpdateUser": self._update_user, "DescribeUsers": self._describe_users})

    def _modify_user(self, parameters: Parameters) -> Answer:
        user_id = parameters["UserId"]
        record = elasticache_user(user_id)
        if record is None or self._elasticache.user(user_id) is None:
            raise ApiError("UserNotFoundFault", f"User {user_id} not found.")
        if record["Status"] != "active":
            raise ApiError("InvalidUserStateFault", f"User {user_id} is not in active state")
        passwords = parameters.get("Passwords") or (parameters.get("AuthenticationMode") or {}).get("Passwords") or []
        _check_passwords(passwords)
        changed = [record, *elasticache_user_groups(user_id)]
        for entry in changed:
            entry["Status"] = "modifying"

        def apply() -> None:
            access_string = parameters.get("AccessString")
            self._elasticache.change_user(user_id, passwords, access_string)
            record["AccessString"] = access_string or record["AccessString"]
            if passwords:
                record["Authentication"] = {"Type": "password", "PasswordCount": len(passwords)}

        def end() -> None:
            for entry in changed:
                entry["Status"] = "active"

        answer = dict(record)
        self._in_background(f"user {user_id}", apply, end)
        return answer

    def _update_user(self, parameters: Parameters) -> Answer:
        name = parameters["UserName"]
        if self._memorydb.user(name) is None:
            raise ApiError("UserNotFoundFault", f"User {name} not found.")
        if (scope(), name) in self._updating:
            raise ApiError("InvalidUserStateFault", f"User {name} is not in active state.")
        passwords = (parameters.get("AuthenticationMode") or {}).get("Passwords") or []
        _check_passwords(passwords)
        updating = (scope(), name)
        self._updating.add(updating)
        answer = {"User": self._memorydb_user(name)}
        self._in_background(
            f"user {name}",
            lambda: self._memorydb.change_user(name, passwords, parameters.get("AccessString")),
            lambda: self._updating.discard(updating),
        )
        return answer

    def _describe_users(self, parameters: Parameters) -> Answer:
        asked = parameters.get("UserName")
        names = self._memorydb.user_names() if asked is None else [str(asked)]
        if any(self._memorydb.user(name) is None for name in names):
            raise ApiError("UserNotFoundFault", f"User {asked} not found.")
        return {"Users": [self._memorydb_user(name) for name in names]}

    def _memorydb_user(self, name: str) -> dict[str, Any]:
        user = self._memorydb.user(name)
        assert user is not None
        kind = "iam" if user.iam else "no-password" if user.no_password else "password"
        account, region = scope()
        return {
            "Name": name,
            "Status": "modifying" if (scope(), name) in self._updating else "active",
            "AccessString": user.access_string,
            "ACLNames": self._memorydb.groups_of(name),
            "Authentication": {"Type": kind, "PasswordCount": len(user.passwords)},
            "ARN": f"arn:aws:memorydb:{region}:{account}:user/{name}",
        }

    def _modify_group(self, parameters: Parameters) -> Answer:
        name = parameters["ReplicationGroupId"].lower()
        key = StoreKey("elasticache", scope(), name)
        if key not in self._stores:
            raise ApiError("ReplicationGroupNotFoundFault", f"Replication group {name} not found")
        token, strategy = parameters.get("AuthToken"), parameters.get("AuthTokenUpdateStrategy", "ROTATE")
        if token is None:
            raise ApiError("InvalidParameterValueException", "the local cloud changes AUTH tokens only")
        if self._tokens.changing(key):
            raise ApiError("InvalidReplicationGroupStateFault", f"Replication group {name} is not available")
        try:
            users = self._tokens.change(key, token, strategy)
        except LocalCloudError as error:
            raise ApiError("InvalidParameterValueException", str(error)) from error
        self._tokens.begin(key, strategy)
        answer = {"ReplicationGroup": self._group(key)}
        self._in_background(
            f"replication group {name}", lambda: self._stores.set_users(key, users), lambda: self._tokens.end(key)
        )
        return answer

    def _describe_groups(self, parameters: Parameters) -> Answer:
        asked = parameters.get("ReplicationGroupId")
        keys = [key for key in self._stores.running() if (key.service, key.scope) == ("elasticache", scope())]
        if asked is not None:
            keys = [key for key in keys if key.name == asked.lower()]
            if not keys:
                raise ApiError("ReplicationGroupNotFoundFault", f"Replication group {asked} not found")
        return {"ReplicationGroups": [self._group(key) for key in keys]}

    def _group(self, key: StoreKey) -> dict[str, Any]:
        engines, changing = self._stores[key].engines, self._tokens.changing(key)
        changed = self._tokens.changed(key)
        return {
            "ReplicationGroupId": key.name,
            "Status": "modifying" if changing else "available",
            "PendingModifiedValues": {"AuthTokenStatus": changing or None},
            "AuthTokenLastModifiedDate": changed and dt.datetime.fromtimestamp(changed, dt.timezone.utc),
            "AuthTokenEnabled": self._tokens.has(key),
            "ClusterEnabled": engines.cluster_mode,
            "TransitEncryptionEnabled": engines.tls,
        }

    def _in_background(self, what: str, apply: Callable[[], object], end: Callable[[], object]) -> None:
        """Apply a change in a thread, because it waits for the engines."""
        # The thread needs the account and the Region of the request.
        context = contextvars.copy_context()

        def work() -> None:
            try:
                apply()
            except (LocalCloudError, RedisError) as error:
                self._say(f"{what} was not changed: {error}")
            finally:
                end()

        threading.Thread(target=context.run, args=(work,), name=f"change of {what}", daemon=True).start()


def _check_passwords(passwords: Sequence[str]) -> None:
    if len(passwords) > _MOST_PASSWORDS:
        raise ApiError("InvalidParameterValueException", f"a user has one or two passwords, not {len(passwords)}")
    if any(len(password) not in PASSWORD_LENGTH for password in passwords):
        raise ApiError("InvalidParameterValueException", "a password must have 16 to 128 characters")
