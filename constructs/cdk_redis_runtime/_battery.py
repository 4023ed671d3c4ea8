"""Runs the checks side by side within a budget, and always comes back with a verdict."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from secrets import token_hex

from redis.credentials import CredentialProvider

from cdk_redis_runtime._checks import CHECKS, Check, Context, PrerequisiteError, Store
from cdk_redis_runtime._clock import Clock, Done, Tally, UnfinishedError, attempt, side_by_side, tallied
from cdk_redis_runtime._diagnosis import diagnose
from cdk_redis_runtime._report import FAILED, PASSED, SKIPPED, CheckResult, Outcome, Report, redact
from cdk_redis_runtime._settings import Connection, Declaration


def smoke_test(
    connection: Connection,
    declared: Declaration,
    *,
    credentials: CredentialProvider | None = None,
    checks: Sequence[Check] | None = None,
    on_verdict: Callable[[CheckResult], object] | None = None,
) -> Report:
    """Prove that a store does what was declared.

    Never raises on account of the store, and ends within ``declared.budget`` seconds, even where a server accepts
    connections and never answers. Touches only keys under ``declared.key_prefix``, each with a time to live.

    Args:
        connection: How to connect.
        declared: What to compare with.
        credentials: How to sign in. Default: - as the connection says.
        checks: What to prove. Default: - everything that there is to prove of a store of its service.
        on_verdict: Called with each verdict as it is found, from several threads; for those who watch.

    Returns:
        One verdict a check; no secret is in it.
    """
    started = time.monotonic()
    checks = checks_of(connection.service) if checks is None else checks
    clock = Clock(declared.budget)
    run_prefix = f"{declared.key_prefix}{token_hex(6)}"
    store = Store(
        connection,
        clock,
        replicas=declared.replicas or 0,
        key=run_prefix,
        probes=[probe for check in checks for probe in check.probes(run_prefix).values()],
        credentials=credentials,
    )
    run = _Run(checks, Context(connection, declared, clock, store, run_prefix), on_verdict)
    results = side_by_side(run.check, checks, clock.remaining)
    verdicts = tuple(
        run.verdict(result.value or Done(result.item, None, result.error, result.seconds)) for result in results
    )
    store.close()
    return Report(connection.store, connection.service, _milliseconds(time.monotonic() - started), verdicts)


class _Run:
    """One run of the checks."""

    def __init__(
        self, checks: Sequence[Check], context: Context, on_verdict: Callable[[CheckResult], object] | None
    ) -> None:
        self._context = context
        self._on_verdict = on_verdict
        self._tallies = {check.name: Tally() for check in checks}
        self._quiet = _Quiet(sum(not check.undisturbed for check in checks))

    def check(self, check: Check) -> Done[Check, Outcome]:
        """Let a check find out; one that is not to be disturbed when it is its turn."""
        if check.undisturbed:
            self._quiet.wait(self._context.clock.remaining_for_warm_up)
        done = attempt(lambda one: tallied(self._tallies[one.name], lambda: one.run(self._context)), check)
        if not check.undisturbed:
            self._quiet.one_less()
        if self._on_verdict:
            self._on_verdict(self.verdict(done))
        return done

    def verdict(self, done: Done[Check, Outcome]) -> CheckResult:
        """What became of a check, in words that hold no secret."""
        outcome = done.value or _outcome_of_error(done.item, done.error, self._context.clock.budget)
        tries = self._tallies[done.item.name].tries
        if tries > 1 and outcome.status == PASSED:
            outcome = dataclasses.replace(outcome, observed=f"{outcome.observed}; it took {tries} tries")
        elif tries > 1 and outcome.status == FAILED:
            outcome = dataclasses.replace(outcome, reason=f"{outcome.reason} (after {tries} tries)")
        secrets = self._context.store.secrets
        clean = dataclasses.replace(
            outcome,
            reason=redact(outcome.reason, secrets),
            expected=redact(outcome.expected, secrets),
            observed=redact(outcome.observed, secrets),
        )
        return CheckResult(done.item.name, clean, _milliseconds(done.seconds))


class _Quiet:
    """Comes once so many have ended."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._ended = threading.Condition()

    def one_less(self) -> None:
        with self._ended:
            self._number -= 1
            self._ended.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for it, no longer than so many seconds."""
        with self._ended:
            self._ended.wait_for(lambda: self._number == 0, seconds)


def checks_of(service: str) -> tuple[Check, ...]:
    """What there is to prove of a store of a service.

    Args:
        service: ``elasticache`` or ``memorydb``.
    """
    return tuple(check for check in CHECKS if service in check.services)


def _outcome_of_error(check: Check, error: Exception | None, budget: float) -> Outcome:
    if isinstance(error, PrerequisiteError):
        if error.owner == check.name:
            return Outcome(FAILED, error.reason)
        return Outcome(SKIPPED, f"needs what {error.owner} found missing; see there")
    if isinstance(error, UnfinishedError) or error is None:
        return Outcome(
            FAILED,
            f"did not finish within the budget of {budget:g} s: the store hangs or answers very slowly",
        )
    return Outcome(FAILED, diagnose(error).reason)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
