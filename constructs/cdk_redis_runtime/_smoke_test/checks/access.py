"""Who can sign in, and what the smoke test's own user can do."""

from __future__ import annotations

from collections.abc import Callable

from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from cdk_redis_runtime._client.settings import Address
from cdk_redis_runtime._smoke_test.checks.context import (
    Check,
    Context,
    Problem,
    any_heals,
    count,
    failed,
    passed,
    skipped,
    without_authentication,
)
from cdk_redis_runtime._smoke_test.checks.nodes import Command
from cdk_redis_runtime._smoke_test.checks.permissions import permissions_of
from cdk_redis_runtime._smoke_test.checks.unauthenticated import UnauthenticatedProbe
from cdk_redis_runtime._smoke_test.diagnosis import heals
from cdk_redis_runtime._smoke_test.report import Outcome

_AUTH_PROVES = "the user can sign in to every node, under its own name"
_ANONYMOUS_EXPECTED = "NOAUTH or NOPERM for a client that does not sign in"
_ANONYMOUS_PROVES = "clients that do not sign in are refused"
_WRONG_PASSWORD_EXPECTED = "WRONGPASS for the user's name with a random password"  # noqa: S105 - words of a report
_WRONG_PASSWORD_PROVES = "the user's name with a random password is refused"  # noqa: S105 - words of a report
_ACL_EXPECTED = "NOPERM for a key outside the prefix and for administrative commands"
_ACL_PROVES = "the user can use only its key prefix and the commands it needs"

_NOT_TRIED = "not tried: no address accepted a connection; see dns and tls"

# The user that an AUTH token signs in as.
_DEFAULT_USER = "default"

# An engine checks permissions before slots, so MOVED, ASK and CLUSTERDOWN mean that the command was allowed.
_ALLOWS = ("+", "$", "_", "-MOVED", "-ASK", "-CLUSTERDOWN")
_NOT_YET = ("-LOADING", "-BUSY", "-MASTERDOWN", "-TRYAGAIN")
_REFUSALS = ("-NOAUTH", "-NOPERM", "-DENIED", "-WRONGPASS")


def _check_auth(context: Context) -> Outcome:
    user = context.connection.user
    expected = f"signed in as {user}" if user else "an answer to PING"

    results = context.store.node_answers()
    problems: list[str | Problem] = []
    unreachable: list[str] = []
    for result in results:
        if isinstance(result.error, (AuthenticationError, ResponseError)):
            reason = context.store.explain_sign_in(result.item.address, result.error)
            problems.append(Problem(reason, heals(result.error)))
        elif result.error:
            unreachable.append(str(result.item))
        elif result.value and result.value.user not in (None, user):
            problems.append(f"{result.item}: signed in as {result.value.user!r} instead of {user!r}")
    observed = f"{count(len(results) - len(unreachable) - len(problems), 'node')} of {len(results)}"
    if unreachable:
        observed += f"; no connection to {', '.join(unreachable)}, see tls and topology"
    if problems:
        return failed(problems, expected, observed)
    return passed(_AUTH_PROVES, expected, observed, unsettled=any_heals(results))


def _check_anonymous_refused(context: Context) -> Outcome:
    def problems_of(address: Address, probe: UnauthenticatedProbe) -> list[Problem]:
        allowed = [name for name, answer in probe.anonymous.items() if answer.startswith(_ALLOWS)]
        unclear = [
            _unclear(address, f"{name} from a client that did not sign in", answer)
            for name, answer in probe.anonymous.items()
            if not answer.startswith((*_REFUSALS, *_ALLOWS))
        ]
        if not allowed:
            return unclear
        reason = (
            f"{address}: answers {', '.join(allowed)} to a client that did not sign in: the user 'default' is on and "
            "needs no password; add a default user that is off to the access list"
        )
        return [Problem(reason), *unclear]

    return _refused_everywhere(context, problems_of, _ANONYMOUS_EXPECTED, _ANONYMOUS_PROVES)


def _check_wrong_password_refused(context: Context) -> Outcome:
    user = context.connection.user

    def problems_of(address: Address, probe: UnauthenticatedProbe) -> list[Problem]:
        if probe.wrong_password.startswith(_REFUSALS):
            return []
        if probe.wrong_password.startswith("+OK"):
            reason = (
                f"{address}: signs user {user!r} in with a random password: the user needs no password (nopass); give "
                "it a password or IAM authentication"
            )
            return [Problem(reason)]
        return [_unclear(address, f"user {user!r} with a random password", probe.wrong_password)]

    return _refused_everywhere(context, problems_of, _WRONG_PASSWORD_EXPECTED, _WRONG_PASSWORD_PROVES)


def _refused_everywhere(
    context: Context,
    problems_of: Callable[[Address, UnauthenticatedProbe], list[Problem]],
    expected: str,
    proves: str,
) -> Outcome:
    """Pass if every address that answered has no problem."""
    context.store.endpoint()
    results = context.store.unauthenticated_probes()
    # Closing the connection proves nothing: an engine that refuses answers with an error.
    answered = [(result.item, result.value) for result in results if result.value and result.value.wrong_password]
    # Problems that do not heal come first.
    problems = sorted(
        (problem for address, probe in answered for problem in problems_of(address, probe)),
        key=lambda problem: problem.heals,
    )
    unsettled = context.store.nodes_pending or len(answered) < len(results)
    if problems:
        return failed(problems, expected)
    if not answered:
        return skipped(_NOT_TRIED, unsettled=unsettled)
    return passed(proves, expected, f"refused at {len(answered)} of {len(results)} addresses", unsettled=unsettled)


def _unclear(address: Address, request: str, answer: str) -> Problem:
    """An answer that neither refuses nor allows, such as LOADING."""
    words = f"{address}: answers {request} with {answer!r}, which neither refuses nor allows it"
    return Problem(words, heals=answer.startswith(_NOT_YET))


def _check_acl_enforced(context: Context) -> Outcome:
    permissions = permissions_of(context, _forbidden_commands(context.run), _is_refusal)
    if permissions.allowed:
        allowed = ", ".join(permissions.allowed)
        reason = (
            f"user {context.connection.user!r} can {allowed}; limit its access string to "
            f"~{context.declared.key_prefix}* and to the commands it needs"
        )
        return failed(reason, _ACL_EXPECTED, f"allowed: {allowed}")
    if not permissions.nodes:
        return failed(permissions.errors, _ACL_EXPECTED)
    observed = f"refused at {count(permissions.nodes, 'node')}"
    return passed(_ACL_PROVES, _ACL_EXPECTED, observed, unsettled=permissions.unsettled)


def _acl_not_applicable(context: Context) -> str | None:
    if why := without_authentication(context):
        return why
    if context.connection.user == _DEFAULT_USER:
        return "the AUTH token signs in as the user 'default', which can run every command on every key"
    return None


def _is_refusal(answer: object) -> bool:
    # A managed service removes some commands for every user, which is as good as NOPERM.
    unknown = isinstance(answer, ResponseError) and "unknown command" in str(answer).lower()
    return unknown or isinstance(answer, NoPermissionError)


def _forbidden_commands(run: str) -> dict[str, Command]:
    """Commands that the user must be refused. Each is harmless where it is allowed."""
    # Starts with a different character than the prefix, so it cannot be under it.
    outside = ("x" if run[:1] != "x" else "y") + run
    return {
        "read a key outside its prefix": ("GET", outside),
        # NX and XX together are a syntax error, which the engine finds after it has checked permissions: nothing is
        # ever written.
        "write a key outside its prefix": ("SET", outside, "never", "NX", "XX"),
        # Both are in the category @dangerous, as FLUSHALL is, and only read: a counter and an empty list.
        "run the administrative command SLOWLOG": ("SLOWLOG", "LEN"),
        "run the administrative command CLIENT LIST": ("CLIENT", "LIST", "ID", "0"),
    }


AUTH = Check("auth", _AUTH_PROVES, _check_auth)
ANONYMOUS_REFUSED = Check(
    "anonymous-refused", _ANONYMOUS_PROVES, _check_anonymous_refused, not_applicable=without_authentication
)
WRONG_PASSWORD_REFUSED = Check(
    "wrong-password-refused",
    _WRONG_PASSWORD_PROVES,
    _check_wrong_password_refused,
    not_applicable=without_authentication,
)
ACL_ENFORCED = Check(
    "acl-enforced",
    _ACL_PROVES,
    _check_acl_enforced,
    not_applicable=_acl_not_applicable,
    forbidden_commands=_forbidden_commands,
)
