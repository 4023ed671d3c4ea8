"""The API actions that change passwords of users and AUTH tokens, in the running engines too.

As on AWS, they return at once, with the status of a change that is being applied; the status changes when the engines
have it.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.replication_groups import ReplicationGroups
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.api.users import Users
from cdk_redis_local._emulator.handlers.access import PASSWORD_LENGTH
from cdk_redis_local._emulator.handlers.auth_tokens import AuthTokens
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.acl import OPEN_DEFAULT

_MOST_PASSWORDS = 2
_GROUP, _TOKEN, _STRATEGY = "ReplicationGroupId", "AuthToken", "AuthTokenUpdateStrategy"


class PasswordCalls:
    """``ModifyUser``, ``UpdateUser`` and the AUTH tokens of ``ModifyReplicationGroup``."""

    def __init__(
        self,
        stores: Stores,
        users: Users,
        groups: ReplicationGroups,
        tokens: AuthTokens,
        say: Callable[[str], object],
    ) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator.

        Args:
            stores: The running stores.
            users: The users of both services.
            groups: The replication groups.
            tokens: AUTH tokens of replication groups.
            say: Called with a message for the user when the engines refuse a change.
        """
        self._stores = stores
        self._users = users
        self._groups = groups
        self._tokens = tokens
        self._say = say

    def register(self) -> None:
        """Add the actions to the emulator."""
        ELASTICACHE.add({"ModifyUser": self._modify_user, "ModifyReplicationGroup": self._modify_group})
        MEMORYDB.add({"UpdateUser": self._update_user})

    def _modify_user(self, parameters: Parameters) -> Answer:
        user_id = parameters["UserId"]
        self._users.user(user_id)
        access_string = parameters.get("AccessString")
        if appended := parameters.get("AppendAccessString"):
            access_string = f"{self._users.user(user_id)['AccessString']} {appended}"
        return self._change("elasticache", user_id, parameters, access_string)

    def _update_user(self, parameters: Parameters) -> Answer:
        name = parameters["UserName"]
        self._users.memorydb_user(name)
        return {"User": self._change("memorydb", name, parameters, parameters.get("AccessString"))}

    def _change(self, service: str, identifier: str, parameters: Parameters, access_string: str | None) -> Answer:
        """Begin to change a user; returns it as it is until then, with the status of the change.

        Raises:
            ApiError: It is being changed already, or the change is not allowed.
        """
        mode = parameters.get("AuthenticationMode") or {}
        passwords = parameters.get("Passwords") or mode.get("Passwords") or []
        _check(identifier, passwords, mode.get("Type", "password"), parameters.get("NoPasswordRequired"))
        is_elasticache = service == "elasticache"
        users = self._users.elasticache if is_elasticache else self._users.memorydb
        end = self._users.begin(service, identifier)
        answer = self._users.user(identifier) if is_elasticache else self._users.memorydb_user(identifier)
        self._in_background(f"user {identifier}", lambda: users.change_user(identifier, passwords, access_string), end)
        return answer

    def _modify_group(self, parameters: Parameters) -> Answer:
        key = self._groups.key(parameters[_GROUP])
        other = sorted(parameters.keys() - {_GROUP, _TOKEN, _STRATEGY, "ApplyImmediately"})
        token, strategy = parameters.get(_TOKEN), parameters.get(_STRATEGY, "ROTATE")
        if other or token is None:
            raise ApiError(
                "InvalidParameterValueException",
                "the local cloud changes only AuthToken with ModifyReplicationGroup: deploy a template to change "
                f"{', '.join(other) or 'other properties'}",
            )
        if self._tokens.changing(key):
            raise ApiError("InvalidReplicationGroupStateFault", f"Replication group {key.name} is not available")
        try:
            users = self._tokens.change(key, token, strategy)
        except LocalCloudError as error:
            raise ApiError("InvalidParameterValueException", str(error)) from error
        self._tokens.begin(key, strategy)
        answer = {"ReplicationGroup": self._groups.describe(key)}
        self._in_background(
            f"replication group {key.name}", lambda: self._stores.set_users(key, users), lambda: self._tokens.end(key)
        )
        return answer

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


def _check(user: str, passwords: Sequence[str], kind: str, open_to_all: bool | None) -> None:
    problem = ""
    if user == OPEN_DEFAULT.name:
        problem = f"The user {user} is predefined: it cannot be modified."
    elif kind != "password" or open_to_all:
        problem = f"the local cloud changes passwords and access strings only: deploy a template to change {user}"
    elif len(passwords) > _MOST_PASSWORDS:
        problem = f"a user has one or two passwords, not {len(passwords)}"
    elif any(len(password) not in PASSWORD_LENGTH for password in passwords):
        problem = "a password must have 16 to 128 characters"
    if problem:
        raise ApiError("InvalidParameterValueException", problem)
