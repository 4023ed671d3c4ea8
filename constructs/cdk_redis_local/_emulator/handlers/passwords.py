"""The API actions that change passwords of users and AUTH tokens, in the running engines too.

As on AWS, they return at once, with the status of a change that is being applied; the status changes when the engines
have it.
"""

from __future__ import annotations

import contextvars
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.handlers.access import PASSWORD_LENGTH, AccessLists
from cdk_redis_local._emulator.handlers.auth_tokens import AuthTokens
from cdk_redis_local._emulator.ministack import (
    Response,
    add_elasticache_action,
    add_memorydb,
    elasticache_answer,
    elasticache_error,
    elasticache_user,
    elasticache_user_groups,
    elasticache_user_xml,
    modify_elasticache_user,
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
        name_resources_with(_resource)
        add_elasticache_action("ModifyUser", self._modify_user)
        add_elasticache_action("ModifyReplicationGroup", self._modify_group)
        add_elasticache_action("DescribeReplicationGroups", self._describe_groups)
        add_memorydb({"UpdateUser": self._update_user, "DescribeUsers": self._describe_users})

    def _modify_user(self, parameters: Mapping[str, str]) -> Response:
        user_id = parameters.get("UserId", "")
        record, known = elasticache_user(user_id), self._elasticache.user(user_id)
        if record is None or known is None:
            return modify_elasticache_user(parameters)
        if record["Status"] != "active":
            return elasticache_error("InvalidUserState", f"User {user_id} is not in active state")
        passwords = _listed(parameters, "Passwords") or _listed(parameters, "AuthenticationMode.Passwords")
        if (objection := _objection_to(passwords)) is not None:
            return elasticache_error("InvalidParameterValue", objection)
        modify_elasticache_user(parameters)
        changed = [record, *elasticache_user_groups(user_id)]
        for entry in changed:
            entry["Status"] = "modifying"

        def apply() -> None:
            self._elasticache.change_user(user_id, passwords, parameters.get("AccessString"))
            if passwords:
                record["Authentication"] = {"Type": "password", "PasswordCount": len(passwords)}

        def end() -> None:
            for entry in changed:
                entry["Status"] = "active"

        self._in_background(f"user {user_id}", apply, end)
        return elasticache_answer("ModifyUser", elasticache_user_xml(record))

    def _update_user(self, parameters: Mapping[str, Any]) -> Response:
        name = str(parameters.get("UserName", ""))
        if self._memorydb.user(name) is None:
            return _json_error("UserNotFoundFault", f"User {name} not found.")
        if (scope(), name) in self._updating:
            return _json_error("InvalidUserStateFault", f"User {name} is not in active state.")
        passwords = [str(one) for one in (parameters.get("AuthenticationMode") or {}).get("Passwords") or ()]
        if (objection := _objection_to(passwords)) is not None:
            return _json_error("InvalidParameterValueException", objection)
        updating = (scope(), name)
        self._updating.add(updating)
        answer = _json({"User": self._memorydb_user(name)})
        self._in_background(
            f"user {name}",
            lambda: self._memorydb.change_user(name, passwords, parameters.get("AccessString")),
            lambda: self._updating.discard(updating),
        )
        return answer

    def _describe_users(self, parameters: Mapping[str, Any]) -> Response:
        asked = parameters.get("UserName")
        names = self._memorydb.user_names() if asked is None else [str(asked)]
        if any(self._memorydb.user(name) is None for name in names):
            return _json_error("UserNotFoundFault", f"User {asked} not found.")
        return _json({"Users": [self._memorydb_user(name) for name in names]})

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

    def _modify_group(self, parameters: Mapping[str, str]) -> Response:
        name = parameters.get("ReplicationGroupId", "").lower()
        key = StoreKey("elasticache", scope(), name)
        if key not in self._stores:
            return elasticache_error("ReplicationGroupNotFoundFault", f"Replication group {name} not found")
        token, strategy = parameters.get("AuthToken"), parameters.get("AuthTokenUpdateStrategy", "ROTATE")
        if token is None:
            return elasticache_error("InvalidParameterValue", "the local cloud changes AUTH tokens only")
        if self._tokens.changing(key):
            return elasticache_error("InvalidReplicationGroupState", f"Replication group {name} is not available")
        try:
            users = self._tokens.change(key, token, strategy)
        except LocalCloudError as error:
            return elasticache_error("InvalidParameterValue", str(error))
        self._tokens.begin(key, strategy)
        answer = elasticache_answer(
            "ModifyReplicationGroup", f"<ReplicationGroup>{self._group(key)}</ReplicationGroup>"
        )
        self._in_background(
            f"replication group {name}", lambda: self._stores.set_users(key, users), lambda: self._tokens.end(key)
        )
        return answer

    def _describe_groups(self, parameters: Mapping[str, str]) -> Response:
        asked = parameters.get("ReplicationGroupId")
        keys = [key for key in self._stores.running() if (key.service, key.scope) == ("elasticache", scope())]
        if asked is not None:
            keys = [key for key in keys if key.name == asked.lower()]
            if not keys:
                return elasticache_error("ReplicationGroupNotFoundFault", f"Replication group {asked} not found")
        found = "".join(f"<ReplicationGroup>{self._group(key)}</ReplicationGroup>" for key in keys)
        return elasticache_answer("DescribeReplicationGroups", f"<ReplicationGroups>{found}</ReplicationGroups>")

    def _group(self, key: StoreKey) -> str:
        engines, changing = self._stores[key].engines, self._tokens.changing(key)
        changed = self._tokens.changed(key)
        pending = f"<AuthTokenStatus>{changing}</AuthTokenStatus>" if changing else ""
        date = "" if changed is None else f"<AuthTokenLastModifiedDate>{_date(changed)}</AuthTokenLastModifiedDate>"
        flags = {
            "AuthTokenEnabled": self._tokens.has(key),
            "ClusterEnabled": engines.cluster_mode,
            "TransitEncryptionEnabled": engines.tls,
        }
        return (
            f"<ReplicationGroupId>{escape(key.name)}</ReplicationGroupId>"
            f"<Status>{'modifying' if changing else 'available'}</Status>"
            f"<PendingModifiedValues>{pending}</PendingModifiedValues>{date}"
            + "".join(f"<{name}>{str(value).lower()}</{name}>" for name, value in flags.items())
        )

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


def _resource(service: str, parameter: Callable[[str], str]) -> str | None:
    """The end of the ARN that the permissions of a caller are checked for."""
    names = {
        "elasticache": (("UserId", "user:"), ("UserGroupId", "usergroup:")),
        "memorydb": (("UserName", "user/"), ("ACLName", "acl/"), ("ClusterName", "cluster/")),
    }
    for name, start in names.get(service, ()):
        if value := parameter(name):
            return f"{start}{value}"
    return None


def _listed(parameters: Mapping[str, str], name: str) -> list[str]:
    found: list[str] = []
    while (value := parameters.get(f"{name}.member.{len(found) + 1}")) is not None:
        found.append(value)
    return found


def _objection_to(passwords: list[str]) -> str | None:
    if len(passwords) > _MOST_PASSWORDS:
        return f"a user has one or two passwords, not {len(passwords)}"
    if any(len(password) not in PASSWORD_LENGTH for password in passwords):
        return "a password must have 16 to 128 characters"
    return None


def _date(moment: float) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{seconds}.{int(moment % 1 * 1000):03}Z"


def _json(answer: object) -> Response:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


def _json_error(code: str, message: str) -> Response:
    return (
        400,
        {"Content-Type": "application/x-amz-json-1.1"},
        json.dumps({"__type": code, "message": message}).encode(),
    )
