"""What a rotation changes: the passwords of a user, or the AUTH token of a replication group.

Both services allow two passwords at a time, so that the old one stays valid while clients change to the new one:

* A user has a list of one or two passwords, and each change sets the whole list.
  https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html
  https://docs.aws.amazon.com/memorydb/latest/APIReference/API_UpdateUser.html
* ``ROTATE`` adds an AUTH token, and removes the oldest if there are two. ``SET`` removes the older of two.
  https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html

A service cannot be asked which passwords it accepts, only how many a user has and when a token was changed.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from cdk_redis_runtime._rotation.errors import RotationError, code_of
from cdk_redis_runtime._rotation.waiting import FIRST_PAUSE, Waiter

# Another change is not complete yet, for example that of a stack update.
_BUSY = ("InvalidUserState", "InvalidUserStateFault", "InvalidReplicationGroupState")
# ElastiCache's refusals of SET for a replication group that has one token only.
_NOTHING_TO_SET = ("InvalidParameterValue", "InvalidParameterCombination")


class Target(ABC):
    """The owner of a password."""

    @abstractmethod
    def accept_both(self, current: str, pending: str, created: dt.datetime) -> None:
        """Make both passwords valid; returns when the change is complete.

        Args:
            current: The password that clients have now.
            pending: The new password.
            created: When the new password was generated.
        """

    @abstractmethod
    def check(self, *, two: bool) -> None:
        """Check that the last change is complete.

        Args:
            two: Whether there must be two passwords.

        Raises:
            RotationError: If there are not.
        """

    @abstractmethod
    def keep_only(self, password: str, *, again: bool) -> None:
        """Remove the other password; returns when the change is complete.

        Args:
            password: The password that stays valid.
            again: Whether an earlier attempt may have done it.
        """


class _Changed(Target):
    """A target with a status, which is another one while a change is applied."""

    def __init__(self, client: Any, waiter: Waiter, what: str, ready: str) -> None:
        self._client = client
        self._waiter = waiter
        self._what = what
        self._ready = ready

    @abstractmethod
    def _status(self) -> str: ...

    def _wait(self) -> None:
        self._waiter.wait(self._status, self._ready, self._what)

    def _change(self, change: Callable[[], object]) -> None:
        """Change it when no other change is being applied, and wait until this one is."""
        while True:
            self._wait()
            try:
                change()
            except Exception as error:
                if code_of(error) not in _BUSY:
                    raise
                reason = f"{self._what} is {self._ready}, but cannot be changed: {code_of(error)}"
            else:
                break
            self._waiter.pause(FIRST_PAUSE, reason)
        # The status may change only after the answer.
        self._waiter.pause(FIRST_PAUSE)
        self._wait()


class UserPassword(_Changed):
    """The passwords of a user of ElastiCache or MemoryDB."""

    def __init__(self, client: Any, waiter: Waiter, user: str, *, memorydb: bool) -> None:
        """Prepare to change a user.

        Args:
            client: A client of the service.
            waiter: Waits for changes.
            user: Id of the ElastiCache user, or name of the MemoryDB user.
            memorydb: Whether it is a user of MemoryDB.
        """
        super().__init__(client, waiter, f"user {user}", "active")
        self._name = {"UserName" if memorydb else "UserId": user}
        self._modify: Callable[..., object] = client.update_user if memorydb else client.modify_user

    def accept_both(self, current: str, pending: str, created: dt.datetime) -> None:
        """Set the list of passwords; a second call sets the same list."""
        del created
        self._set([current, pending])

    def check(self, *, two: bool) -> None:
        """Count the passwords: a stack update that changes the user sets only the current one."""
        self._wait()
        count = int(self._user().get("Authentication", {}).get("PasswordCount", 0))
        if two and count < 2:
            raise RotationError(
                f"{self._what} has {count} passwords and not two: something else has changed it, such as a stack "
                "update; Secrets Manager tries again"
            )

    def keep_only(self, password: str, *, again: bool) -> None:
        """Set a list of one password; a second call sets the same list."""
        del again
        self._set([password])

    def _set(self, passwords: list[str]) -> None:
        mode = {"Type": "password", "Passwords": passwords}
        self._change(lambda: self._modify(**self._name, AuthenticationMode=mode))

    def _status(self) -> str:
        return str(self._user().get("Status", ""))

    def _user(self) -> dict[str, Any]:
        return dict(self._client.describe_users(**self._name)["Users"][0])


class AuthToken(_Changed):
    """The AUTH token of a replication group."""

    def __init__(self, client: Any, waiter: Waiter, group: str) -> None:
        """Prepare to change a token.

        Args:
            client: A client of ElastiCache.
            waiter: Waits for changes.
            group: Id of the replication group.
        """
        super().__init__(client, waiter, f"replication group {group}", "available")
        self._id = group

    def accept_both(self, current: str, pending: str, created: dt.datetime) -> None:
        """Add the new token, unless an earlier attempt did.

        Added twice, it might take the place of the current one: the group keeps the last two.
        """
        del current

        def rotate() -> None:
            # Looked up each time: a request whose answer was lost may have been carried out, too.
            changed = self._group().get("AuthTokenLastModifiedDate")
            if changed is None or changed < created:
                self._update(pending, "ROTATE")

        self._change(rotate)

    def check(self, *, two: bool) -> None:
        """Check that the group has a token; ElastiCache does not say how many."""
        del two
        self._wait()
        if not self._group().get("AuthTokenEnabled"):
            raise RotationError(f"{self._what} has no AUTH token: remove its rotation")

    def keep_only(self, password: str, *, again: bool) -> None:
        """Remove the older token, unless an earlier attempt did."""
        try:
            self._change(lambda: self._update(password, "SET"))
        except Exception as error:
            if not again or code_of(error) not in _NOTHING_TO_SET:
                raise

    def _update(self, token: str, strategy: str) -> None:
        self._client.modify_replication_group(
            ReplicationGroupId=self._id,
            AuthToken=token,
            AuthTokenUpdateStrategy=strategy,
            ApplyImmediately=True,
        )

    def _status(self) -> str:
        group = self._group()
        pending = group.get("PendingModifiedValues", {}).get("AuthTokenStatus")
        return str(pending or group.get("Status", ""))

    def _group(self) -> dict[str, Any]:
        found = self._client.describe_replication_groups(ReplicationGroupId=self._id)
        return dict(found["ReplicationGroups"][0])
