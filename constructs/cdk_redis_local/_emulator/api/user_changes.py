"""The API actions that change users, in the running engines too.

As on AWS, they return at once, with the status of a change that is being applied; the status changes when the engines
have it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cdk_redis_local._emulator.api.background import in_background
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.api.users import Users
from cdk_redis_local._emulator.handlers.access import PASSWORD_LENGTH
from cdk_redis_local._engines.acl import OPEN_DEFAULT

_MOST_PASSWORDS = 2


class UserChanges:
    """``ModifyUser`` and ``UpdateUser``."""

    def __init__(self, users: Users, say: Callable[[str], object]) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator.

        Args:
            users: The users of both services.
            say: Called with a message for the user when the engines refuse a change.
        """
        self._users = users
        self._say = say

    def register(self) -> None:
        """Add the actions to the emulator."""
        ELASTICACHE.add({"ModifyUser": self._modify_user})
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
        in_background(
            f"user {identifier}", lambda: users.change_user(identifier, passwords, access_string), end, self._say
        )
        return answer


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
