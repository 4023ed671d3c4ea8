"""Who may sign in, and what the smoke test's own user may do."""

from __future__ import annotations

from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from cdk_redis_runtime._client import environment as env
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
)
from cdk_redis_runtime._smoke_test.checks.nodes import Command
from cdk_redis_runtime._smoke_test.checks.probes import probing
from cdk_redis_runtime._smoke_test.checks.stranger import Meeting
from cdk_redis_runtime._smoke_test.diagnosis import heals
from cdk_redis_runtime._smoke_test.report import Outcome

_AUTH_PROVES = "the user can sign in to every node, and is who it says"
_ANONYMOUS_EXPECTED = "NOAUTH or NOPERM for a client that does not sign in"
_ANONYMOUS_PROVES = "nobody gets in without signing in"
_WRONG_PASSWORD_EXPECTED = "WRONGPASS for the user's name with a password that was made up"  # noqa: S105 - words of a report
_WRONG_PASSWORD_PROVES = "nobody gets in by the user's name alone"  # noqa: S105 - words of a report
_ACL_EXPECTED = "NOPERM for a key outside the prefix and for administrative commands"
_ACL_PROVES = "the user is held to its key prefix and to the commands it needs"

_NOT_TRIED = "no connection came about to try it on; see dns and tls"

# Whom an AUTH token stands for.
_DEFAULT_USER = "default"

# Permission comes before the slot: who is sent elsewhere has it.
_LETS_IN = ("+", "$", "_", "-MOVED", "-ASK", "-CLUSTERDOWN")
_NOT_YET = ("-LOADING", "-BUSY", "-MASTERDOWN", "-TRYAGAIN")
_REFUSALS = ("-NOAUTH", "-NOPERM", "-DENIED", "-WRONGPASS")


def _check_auth(context: Context) -> Outcome:
    user = context.connection.user
    expected = f"signed in as {user}" if user else "an answer to PING"

    results = context.store.visits()
    problems: list[str | Problem] = []
    silent: list[str] = []
    for result in results:
        if isinstance(result.error, (AuthenticationError, ResponseError)):
            reason = context.store.explain_sign_in(result.item.address, result.error)
            problems.append(Problem(reason, heals(result.error)))
        elif result.error:
            silent.append(str(result.item))
        elif result.value and result.value.user not in (None, user):
            problems.append(f"{result.item}: signed in as {result.value.user!r} instead of {user!r}")
    observed = f"{count(len(results) - len(silent) - len(problems), 'node')} of {len(results)}"
    if silent:
        observed += f"; no connection to {', '.join(silent)}, see tls and topology"
    if problems:
        return failed(problems, expected, observed)
    return passed(_AUTH_PROVES, expected, observed, unsettled=any_heals(results))


def _check_anonymous_refused(context: Context) -> Outcome:
    if context.connection.authentication == env.AUTHENTICATION_NONE:
        return skipped("the store is declared without authentication")
    met, all_addresses, unsettled = _strangers(context)
    problems: list[str | Problem] = [
        f"{address}: answers {', '.join(let_in)} to a client that did not sign in: the user default is on without a "
        "password; put a default user that is off into the access list"
        for address, meeting in met
        if (let_in := [name for name, answer in meeting.anonymous.items() if answer.startswith(_LETS_IN)])
    ]
    problems += [
        _unclear(address, f"{name} of a client that did not sign in", answer)
        for address, meeting in met
        for name, answer in meeting.anonymous.items()
        if not answer.startswith((*_REFUSALS, *_LETS_IN))
    ]
    if problems:
        return failed(problems, _ANONYMOUS_EXPECTED)
    if not met:
        return skipped(_NOT_TRIED, unsettled=unsettled)
    observed = f"refused at {len(met)} of {all_addresses} addresses"
    return passed(_ANONYMOUS_PROVES, _ANONYMOUS_EXPECTED, observed, unsettled=unsettled)


def _check_wrong_password_refused(context: Context) -> Outcome:
    if context.connection.authentication == env.AUTHENTICATION_NONE:
        return skipped("the store is declared without authentication")
    met, all_addresses, unsettled = _strangers(context)
    user = context.connection.user
    problems = [
        f"{address}: lets user {user!r} in with a password that was made up: the user needs none (nopass); "
        "give it a password or IAM authentication"
        if meeting.wrong_password.startswith("+OK")
        else _unclear(address, f"a made-up password of user {user!r}", meeting.wrong_password)
        for address, meeting in met
        if not meeting.wrong_password.startswith(_REFUSALS)
    ]
    if problems:
        return failed(problems, _WRONG_PASSWORD_EXPECTED)
    if not met:
        return skipped(_NOT_TRIED, unsettled=unsettled)
    observed = f"refused at {len(met)} of {all_addresses} addresses"
    return passed(_WRONG_PASSWORD_PROVES, _WRONG_PASSWORD_EXPECTED, observed, unsettled=unsettled)


def _unclear(address: Address, question: str, answer: str) -> Problem:
    """An answer that neither refuses nor lets in, such as that of an engine which still loads its data."""
    words = f"{address}: answers {question} with {answer!r}, from which neither a refusal nor a permission can be told"
    return Problem(words, heals=answer.startswith(_NOT_YET))


def _strangers(context: Context) -> tuple[list[tuple[Address, Meeting]], int, bool]:
    """The addresses that answered one who did not sign in, how many there are in all, and whether more may answer."""
    context.store.endpoint()
    results = context.store.meetings()
    # Hanging up says nothing: an engine that refuses says so.
    met = [(result.item, result.value) for result in results if result.value and result.value.wrong_password]
    return met, len(results), context.store.partial or len(met) < len(results)


def _check_acl_enforced(context: Context) -> Outcome:
    if context.connection.authentication == env.AUTHENTICATION_NONE:
        return skipped("the store is declared without authentication")
    if context.connection.user == _DEFAULT_USER:
        return skipped("whoever signs in with the store's AUTH token is the default user, who has every right")
    seen = probing(context, _probes(context.run), _refused)
    if seen.allowed:
        allowed = ", ".join(seen.allowed)
        reason = (
            f"user {context.connection.user!r} is allowed {allowed}; its access string should be held to "
            f"~{context.declared.key_prefix}* and to the commands it needs"
        )
        return failed(reason, _ACL_EXPECTED, f"allowed: {allowed}")
    if not seen.nodes:
        return failed(seen.errors, _ACL_EXPECTED)
    return passed(_ACL_PROVES, _ACL_EXPECTED, f"refused at {count(seen.nodes, 'node')}", unsettled=seen.unsettled)


def _refused(answer: object) -> bool:
    # A managed service takes some commands away from everybody, which is as good.
    unknown = isinstance(answer, ResponseError) and "unknown command" in str(answer).lower()
    return unknown or isinstance(answer, NoPermissionError)


def _probes(run: str) -> dict[str, Command]:
    """Commands that the user must be refused, each harmless where it is allowed."""
    # Begins with another character than the prefix, so it cannot be under it.
    outside = ("x" if run[:1] != "x" else "y") + run
    return {
        "to read a key outside its prefix": ("GET", outside),
        # NX and XX together are a syntax error, which the engine finds after it has looked at permissions: nothing is
        # ever written.
        "to write a key outside its prefix": ("SET", outside, "never", "NX", "XX"),
        # Both are of the category @dangerous, as FLUSHALL is, and only read: one a counter, one an empty list.
        "the administrative command SLOWLOG": ("SLOWLOG", "LEN"),
        "the administrative command CLIENT LIST": ("CLIENT", "LIST", "ID", "0"),
    }


AUTH = Check("auth", _AUTH_PROVES, _check_auth)
ANONYMOUS_REFUSED = Check("anonymous-refused", _ANONYMOUS_PROVES, _check_anonymous_refused)
WRONG_PASSWORD_REFUSED = Check("wrong-password-refused", _WRONG_PASSWORD_PROVES, _check_wrong_password_refused)
ACL_ENFORCED = Check("acl-enforced", _ACL_PROVES, _check_acl_enforced, probes=_probes)
