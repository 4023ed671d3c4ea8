"""Rules of access strings that older engines do not know, and reject.

The versions are those of the release notes of Redis OSS 6.2 and 7.0 and of
https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ (read on 2026-11-21).
Nothing is checked in an `AccessString.unchecked`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cdk_redis._access.users import DefinedUser
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.users import User
    from cdk_redis._core.errors import Problems
    from cdk_redis._values.engine import Engine

_EVERY_CHANNEL = "leave it out: without channel rules, every user can use all channels"
_OLD_SYNTAX = 'write "~" and allow only commands that read, or choose a newer engine'
# What begins with it, the first version of Redis OSS that knows it, what it is, and what to do.
_NEW_RULES = (
    (re.compile("&|allchannels$"), "6.2", "rules for channels", _EVERY_CHANNEL),
    (re.compile("(skip-)?sanitize-payload$"), "6.2", "rules for payloads", "leave it out"),
    (re.compile("%"), "7.0", "patterns of keys that are only read or written", _OLD_SYNTAX),
    (re.compile("clearselectors$"), "7.0", "selectors", "leave it out"),
    (re.compile(r"-[^@|]+\|"), "7.0", "rules that deny a subcommand", "deny the command and allow other subcommands"),
)


def check_rules(problems: Problems, parameter: str, access: AccessString, engine: Engine) -> None:
    """Check that an engine knows the rules of an access string; those that are not checked pass.

    Args:
        problems: Where to add problems.
        parameter: Name of the parameter.
        access: The access string.
        engine: Engine of the store.
    """
    for rule in access.rules if access.checked else ():
        for pattern, first, what, hint in _NEW_RULES:
            if pattern.match(rule) and not is_token(rule) and not engine.is_at_least(valkey="7.2", redis=first):
                problems.add(parameter, rule, f"{engine} has no {what}, which need Redis OSS {first} or Valkey", hint)


def check_rules_of(problems: Problems, users: Sequence[User], engine: Engine) -> None:
    """Check the access strings of existing users that a store is given; those of imports are unknown."""
    for user in users:
        if isinstance(user, DefinedUser):
            check_rules(problems, f"access of {user.node.path}", user.access, engine)
