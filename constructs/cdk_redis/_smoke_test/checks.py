"""Checks of the parameters of `SmokeTest` and `FailoverDrill`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._access.access_string import AccessString
from cdk_redis._access.members import ImportedUserList
from cdk_redis._access.users import DefinedUser
from cdk_redis._core.checks import value_of
from cdk_redis._core.errors import ConfigurationError, Problems
from cdk_redis._core.location import check_location
from cdk_redis._core.log_groups import check_new_log_group
from cdk_redis._store.imported_store import ImportedStore
from cdk_redis._store.resources import check_security_groups
from cdk_redis._store.store import Store

if TYPE_CHECKING:
    from constructs import Construct

    from cdk_redis._access.users import User
    from cdk_redis._smoke_test.store_function import FunctionOptions
    from cdk_redis._store.interface import IStore


def check_target(scope: Construct, target: IStore) -> None:
    """Raise a ConfigurationError if the target is not a store, because the other checks need one."""
    if not isinstance(target, Store):
        problems = Problems(scope)
        reason = "it is a store, such as a ReplicationGroup, ServerlessCache or MemoryDbCluster"
        problems.add("target", target.node.path, reason)
        problems.raise_if_any()


def check_function(problems: Problems, scope: Construct, target: IStore, options: FunctionOptions) -> None:
    """Check the parameters that `SmokeTest` and `FailoverDrill` share."""
    _check_user(problems, target, options.user)
    try:
        AccessString.smoke_test(options.key_prefix)
    except ConfigurationError as error:
        problems.note(error.problems[0])
    role, log_group, log_key = options.role, options.log_group, options.log_kms_key
    name = "the function"
    check_location(problems, "target", target, "a store", scope=scope, user=name, account=True)
    check_location(problems, "role", role, "a role", scope=scope, user=name, region=False, account=True)
    check_location(problems, "log_group", log_group, "a log group", scope=scope, user=name, account=True)
    check_new_log_group(problems, log_group, options.log_retention, log_key)
    check_location(problems, "log_kms_key", log_key, "a key", scope=scope, user="the log group")
    check_security_groups(problems, scope, options.security_groups, target.network, user=name)


def _check_user(problems: Problems, target: IStore, user: User | None) -> None:
    """Check that a user is one of the target, if this app knows all users of the target."""
    if user is None or user in target.users:
        return
    shared = getattr(target, "user_group", None) or getattr(target, "acl", None)
    is_open = target.open_access
    # This app may have imported the user without naming it in `users` of the imported store or list.
    may_have_others = isinstance(target, ImportedStore) or isinstance(shared, ImportedUserList)
    if is_open or user.service.name != target.service.name or isinstance(user, DefinedUser) or not may_have_others:
        reason = "clients of a store with open access do not sign in" if is_open else "it is not a user of the target"
        hint = "leave it out" if is_open else "give one of its users, or leave it out to have one added"
        problems.add("user", user.node.path, reason, hint)


def seconds_of(problems: Problems, parameter: str, given: object) -> float | None:
    """Read a duration.

    Returns:
        Its seconds; None if it is left out, or if it is invalid and the problem was added.
    """
    duration = value_of(problems, parameter, given, cdk.Duration)
    if duration is None:
        return None
    if duration.is_unresolved():
        problems.add(parameter, "a token", "it must be known at synth", "use for example Duration.seconds(30)")
        return None
    return duration.to_milliseconds(integral=False) / 1000
