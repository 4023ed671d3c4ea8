"""AUTH tokens of replication groups: one, or two while clients change from one to the other.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.handlers.access import PASSWORD_LENGTH
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._engines.acl import AclUser

_STATUS = {"ROTATE": "ROTATING", "SET": "SETTING"}


@dataclass
class _Tokens:
    """The tokens of a group, the newest last. ``changing`` is the status of a change that is being applied."""

    values: list[str]
    changed: float
    changing: str = ""


class AuthTokens:
    """The AUTH tokens of all replication groups."""

    def __init__(self) -> None:
        """Begin without tokens."""
        self._tokens: dict[StoreKey, _Tokens] = {}

    def declare(self, key: StoreKey, token: str | None) -> list[AclUser] | None:
        """Apply the token of a template; returns the users of the engines, or None without a token.

        CloudFormation names no strategy: a new token is added beside the last one.
        """
        known = self._tokens.get(key)
        if not token:
            self._tokens.pop(key, None)
            return None
        if known is None:
            self._tokens[key] = _Tokens([token], time.time())
        elif token != known.values[-1]:
            return self.change(key, token, "ROTATE")
        return self._users(key)

    def change(self, key: StoreKey, token: str, strategy: str) -> list[AclUser]:
        """Change the tokens of a group; returns the users of the engines.

        Raises:
            LocalCloudError: ElastiCache refuses the token or the strategy.
        """
        known = self._tokens.get(key)
        if known is None:
            raise LocalCloudError(f"the local cloud changes the AUTH token of groups that have one, not of {key.name}")
        if len(token) not in PASSWORD_LENGTH:
            raise LocalCloudError("an AUTH token must have 16 to 128 characters")
        if strategy == "SET":
            if len(known.values) < 2 or token != known.values[-1]:
                raise LocalCloudError("SET is allowed only after ROTATE, for the last AUTH token that was rotated")
            values = [token]
        elif strategy == "ROTATE":
            # It is not known what ElastiCache does; at worst, the other token is not valid any more.
            if token == known.values[-1]:
                raise LocalCloudError("this is the last AUTH token that was rotated")
            values = [known.values[-1], token]
        else:
            raise LocalCloudError(f"the local cloud supports the strategies ROTATE and SET, not {strategy}")
        known.values, known.changed = values, time.time()
        return self._users(key)

    def begin(self, key: StoreKey, strategy: str) -> None:
        """Mark a change as being applied."""
        self._tokens[key].changing = _STATUS[strategy]

    def end(self, key: StoreKey) -> None:
        """Mark a change as complete."""
        if key in self._tokens:
            self._tokens[key].changing = ""

    def changing(self, key: StoreKey) -> str:
        """The status of a change that is being applied; empty without one."""
        return self._tokens[key].changing if key in self._tokens else ""

    def changed(self, key: StoreKey) -> float | None:
        """When the tokens were changed, in seconds since 1970; None for a group without a token."""
        return self._tokens[key].changed if key in self._tokens else None

    def has(self, key: StoreKey) -> bool:
        """Whether a group has a token."""
        return key in self._tokens

    def last(self, key: StoreKey) -> str | None:
        """The last token that a group got; None for a group without one."""
        return self._tokens[key].values[-1] if key in self._tokens else None

    def drop(self, key: StoreKey) -> None:
        """Remove the tokens of a group that is deleted."""
        self._tokens.pop(key, None)

    def _users(self, key: StoreKey) -> list[AclUser]:
        return [AclUser("default", passwords=tuple(self._tokens[key].values))]
