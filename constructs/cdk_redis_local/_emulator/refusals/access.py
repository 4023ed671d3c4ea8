"""Rules about users and their lists: user groups of ElastiCache, access control lists of MemoryDB."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from cdk_redis_local._emulator.refusals.rule import Broken, Case, Properties, Rule, flag, text
from cdk_redis_local._emulator.refusals.shared import EXISTS, IDENTIFIER_WORDS, already_exists, identifier
from cdk_redis_local._emulator.refusals.sources import (
    ELASTICACHE_API,
    MEMORYDB_ACLS,
    MEMORYDB_API,
    RBAC,
    UNSEEN,
    deployed,
    terraform,
)

USER, USER_GROUP = "AWS::ElastiCache::User", "AWS::ElastiCache::UserGroup"
MEMORYDB_USER, ACL = "AWS::MemoryDB::User", "AWS::MemoryDB::ACL"
OPEN_ACCESS = "open-access"
"""MemoryDB's own list, which needs no authentication."""
DEFAULT = "default"

_CATEGORIES = frozenset(
    [
        "all",
        "admin",
        "bitmap",
        "blocking",
        "connection",
        "dangerous",
        "fast",
        "geo",
        "hash",
        "hyperloglog",
        "keyspace",
        "list",
        "pubsub",
        "read",
        "scripting",
        "set",
        "sortedset",
        "slow",
        "stream",
        "string",
        "transaction",
        "write",
    ]
)
_PASSWORD_RULES = ("nopass", "resetpass")
_RESET_RULES = ("reset", "resetkeys", "resetchannels")
_WORDS = ("on", "off", "allkeys", "allchannels", "allcommands", "nocommands", "sanitize-payload")
_MORE_WORDS = ("skip-sanitize-payload", "clearselectors")
_BEGINNINGS = ("~", "&", "+", "-", "%", "(")
_PASSWORD_LENGTH = range(16, 129)


def mode_of(user: Properties) -> tuple[str, list[str]]:
    """Type of authentication (empty if there is none) and passwords of a user."""
    mode = cast("Mapping[str, Any]", user.get("AuthenticationMode") or {})
    passwords = [text(one) for one in [*(mode.get("Passwords") or []), *(user.get("Passwords") or [])]]
    kind = text(mode.get("Type")).lower()
    if not kind and flag(user.get("NoPasswordRequired")):
        kind = "no-password-required"
    return kind or ("password" if passwords else ""), passwords


def _tokens(case: Case) -> list[str]:
    return text(case.new.get("AccessString")).lower().split()


def _password_rule(case: Case) -> object:
    return any(one in _PASSWORD_RULES or one[0] in "><#!" for one in _tokens(case))


def _reset_rule(case: Case) -> object:
    return any(one in _RESET_RULES for one in _tokens(case))


def _category(case: Case) -> object:
    found = [re.fullmatch(r"[+-]@(.*)", one) for one in _tokens(case)]
    return any(match is not None and match[1].rstrip(")") not in _CATEGORIES for match in found)


def _no_rule(case: Case) -> object:
    known = (*_WORDS, *_MORE_WORDS, *_PASSWORD_RULES, *_RESET_RULES)
    # A selector in brackets may have several words.
    rules = re.sub(r"\([^)]*\)", "", " ".join(_tokens(case))).split()
    return any(one not in known and not one.startswith((*_BEGINNINGS, ">", "<", "#", "!")) for one in rules)


def _no_mode(case: Case) -> object:
    return not mode_of(case.new)[0]


def _passwords_of_open_user(case: Case) -> object:
    kind, passwords = mode_of(case.new)
    return kind == "no-password-required" and bool(passwords)


def _length(case: Case) -> object:
    return any(len(one) not in _PASSWORD_LENGTH for one in mode_of(case.new)[1])


def _too_many(case: Case) -> object:
    return len(mode_of(case.new)[1]) > 2


def _password_missing(case: Case) -> object:
    kind, passwords = mode_of(case.new)
    return kind == "password" and not passwords


def _iam_name(case: Case) -> object:
    names = [text(case.new.get(name)).lower() for name in ("UserId", "UserName")]
    return mode_of(case.new)[0] == "iam" and names[0] != names[1]


def _members(case: Case, parameter: str, user_type: str) -> dict[str, Properties | None]:
    """The members of a list with their properties, None for unknown ones."""
    names = [text(name) for name in case.new.get(parameter) or []]
    return {name: case.known.find(user_type, name) for name in names}


def _unknown_member(parameter: str, user_type: str) -> Broken:
    def broken(case: Case) -> object:
        found = _members(case, parameter, user_type).items()
        return next((name for name, user in found if user is None and name != DEFAULT), None)

    return broken


def _no_default(case: Case) -> object:
    members = _members(case, "UserIds", USER)
    names = {text(user.get("UserName")).lower() if user else name for name, user in members.items()}
    return text(case.new.get("Engine")).lower() == "redis" and DEFAULT not in names


def _same_name(case: Case) -> object:
    users = _members(case, "UserIds", USER)
    names = [text(user.get("UserName")) if user else name for name, user in users.items()]
    return next((name for name in names if names.count(name) > 1), None)


def _open_user_in_valkey(case: Case) -> object:
    if text(case.new.get("Engine")).lower() != "valkey":
        return None
    members = _members(case, "UserIds", USER).items()
    return next((name for name, user in members if user and mode_of(user)[0] == "no-password-required"), None)


def _other_engine(case: Case) -> object:
    if text(case.new.get("Engine")).lower() != "redis":
        return None
    members = _members(case, "UserIds", USER).items()
    return next((name for name, user in members if user and text(user.get("Engine")).lower() == "valkey"), None)


def _reserved(parameter: str, name: str) -> Broken:
    return lambda case: text(case.new.get(parameter)).lower() == name


_STRING_SOURCE = deployed("elasticache", "user-access-string")
_MODE_SOURCE = deployed("elasticache", "user-authentication")
_VALUE, _COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"


def _string_rules(user_type: str, service: str) -> list[Rule]:
    """MemoryDB's words are those of ElastiCache with its own name."""
    no_passwords = f"Password rules are not supported in {service} access string"
    return [
        Rule(user_type, _VALUE, no_passwords, _password_rule, _STRING_SOURCE),
        Rule(user_type, _VALUE, f"reset rule is not supported in {service} user api", _reset_rule, _STRING_SOURCE),
        Rule(user_type, _VALUE, "The access-string is invalid.", _no_rule, _STRING_SOURCE),
        Rule(user_type, _VALUE, "Access string contains invalid category(s)", _category, _STRING_SOURCE),
        Rule(user_type, _VALUE, "Passwords length must be between 16-128 characters.", _length, _MODE_SOURCE),
    ]


RULES = [
    Rule(USER, _VALUE, IDENTIFIER_WORDS, identifier("UserId", 40), f"{ELASTICACHE_API}API_CreateUser.html{UNSEEN}"),
    *_string_rules(USER, "Elasticache"),
    Rule(
        USER,
        _VALUE,
        "Input Authentication type: null is not in the allowed list: [password,no-password-required,iam]",
        _no_mode,
        _MODE_SOURCE,
    ),
    Rule(
        USER,
        _COMBINATION,
        "Password field is not allowed with authentication type: no-password-required",
        _passwords_of_open_user,
        _MODE_SOURCE,
    ),
    Rule(USER, _VALUE, "Maximum number of passwords allowed in this service is 2.", _too_many, _MODE_SOURCE),
    Rule(
        USER,
        _COMBINATION,
        "User Id and User name must be same for authentication type: iam",
        _iam_name,
        "https://github.com/terraform-aws-modules/terraform-aws-elasticache/issues/65",
    ),
    Rule(USER, "AlreadyExists", EXISTS.format(USER, "{}"), already_exists, "cloudformation-cli's AlreadyExists"),
    Rule(USER, "AlreadyExists", EXISTS.format(USER, DEFAULT), _reserved("UserId", DEFAULT), RBAC),
    Rule(USER_GROUP, _VALUE, IDENTIFIER_WORDS, identifier("UserGroupId", 40), f"{RBAC}{UNSEEN}"),
    Rule(
        USER_GROUP, "UserNotFound", "User {} not found.", _unknown_member("UserIds", USER), f"{ELASTICACHE_API}{UNSEEN}"
    ),
    Rule(
        USER_GROUP,
        "DefaultUserRequired",
        "User group needs to contain a user with the user name default.",
        _no_default,
        terraform(25593),
    ),
    Rule(
        USER_GROUP,
        "DuplicateUserName",
        "User group contains more than one user with the user name {}.",
        _same_name,
        f"{ELASTICACHE_API}API_CreateUserGroup.html{UNSEEN}",
    ),
    Rule(
        USER_GROUP,
        _COMBINATION,
        "No password user {} cannot be added to user group with engine Valkey",
        _open_user_in_valkey,
        deployed("elasticache", "user-group-default-user"),
    ),
    Rule(
        USER_GROUP,
        _COMBINATION,
        "User {} with engine Valkey cannot be added to user group with engine Redis",
        _other_engine,
        f"{RBAC}{UNSEEN}",
    ),
    Rule(USER_GROUP, "AlreadyExists", EXISTS.format(USER_GROUP, "{}"), already_exists, "cloudformation-cli"),
    Rule(MEMORYDB_USER, _VALUE, IDENTIFIER_WORDS, identifier("UserName", 40), f"{MEMORYDB_API}{UNSEEN}"),
    *_string_rules(MEMORYDB_USER, "MemoryDB"),
    Rule(
        MEMORYDB_USER,
        _VALUE,
        "Input Authentication type: null is not in the allowed list: [password,iam]",
        _no_mode,
        f"{_MODE_SOURCE}, for ElastiCache{UNSEEN}",
    ),
    Rule(
        MEMORYDB_USER,
        _COMBINATION,
        "Passwords are required for authentication type: password",
        _password_missing,
        f"{deployed('memorydb', 'user-password')}{UNSEEN}",
    ),
    Rule(MEMORYDB_USER, "AlreadyExists", EXISTS.format(MEMORYDB_USER, "{}"), already_exists, "cloudformation-cli"),
    Rule(MEMORYDB_USER, "AlreadyExists", EXISTS.format(MEMORYDB_USER, DEFAULT), _reserved("UserName", DEFAULT), RBAC),
    Rule(ACL, _VALUE, IDENTIFIER_WORDS, identifier("ACLName", 40), f"{MEMORYDB_API}API_CreateACL.html{UNSEEN}"),
    Rule(ACL, "AlreadyExists", EXISTS.format(ACL, OPEN_ACCESS), _reserved("ACLName", OPEN_ACCESS), MEMORYDB_ACLS),
    Rule(ACL, "AlreadyExists", EXISTS.format(ACL, "{}"), already_exists, "cloudformation-cli"),
    Rule(
        ACL,
        "UserNotFoundFault",
        "User {} not found.",
        _unknown_member("UserNames", MEMORYDB_USER),
        f"{MEMORYDB_API}{UNSEEN}",
    ),
]
"""The rules, in the order in which they are checked."""
