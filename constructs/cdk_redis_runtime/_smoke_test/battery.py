"""Runs the checks at the same time within a time budget, and always returns a verdict.

A check is a function that looks once. What may heal (a failover, slots that move, a replica that is not in service yet)
is waited for here, for all checks in the same way: a check whose outcome is unsettled runs again, on a fresh view of
the store, until the time for healing is over. `diagnosis` decides which errors heal.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import time
from collections.abc import Callable, Sequence
from secrets import token_hex

from redis.credentials import CredentialProvider
from redis.exceptions import RedisClusterException, RedisError

from cdk_redis_runtime._client.connect import credential_provider
from cdk_redis_runtime._client.redaction import redact
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._smoke_test.checks import CHECKS, Check, Clients, Context, PrerequisiteError, Store
from cdk_redis_runtime._smoke_test.clock import Clock, UnfinishedError, side_by_side
from cdk_redis_runtime._smoke_test.declaration import Declaration
from cdk_redis_runtime._smoke_test.diagnosis import diagnose
from cdk_redis_runtime._smoke_test.report import FAILED, PASSED, SKIPPED, CheckResult, Outcome, Report

_CLEANING_SECONDS = 3.0


def smoke_test(
    connection: Connection,
    declared: Declaration,
    *,
    credentials: CredentialProvider | None = None,
    checks: Sequence[Check] | None = None,
    on_verdict: Callable[[CheckResult], object] | None = None,
) -> Report:
    """Check that a store works and is as declared.

    Never raises because of the store, and ends within ``declared.budget`` seconds, even if a server accepts connections
    and never answers. Touches only keys under ``declared.key_prefix``, each with a time to live.

    Args:
        connection: How to connect.
        declared: What to compare with.
        credentials: How to sign in. Default: - as declared in the connection.
        checks: Checks to run. Default: - all that apply to the connection's service.
        on_verdict: Called with each verdict as it is found, from several threads.

    Returns:
        One verdict a check. It contains no secret.
    """
    started = time.monotonic()
    checks = checks_of(connection.service) if checks is None else checks
    clock = Clock(declared.budget)
    run_prefix = f"{declared.key_prefix}{token_hex(6)}"
    forbidden = [command for check in checks for command in check.forbidden_commands(run_prefix).values()]
    clients = Clients(connection, clock, credentials or credential_provider(connection))
    latest = _LatestStore(
        lambda: Store(connection, clock, clients, replicas=declared.replicas or 0, key=run_prefix, forbidden=forbidden)
    )
    context = Context(connection, declared, clock, latest.seen_after(-math.inf), run_prefix)
    try:
        verdicts = _Run(checks, context, latest, on_verdict).verdicts()
    finally:
        clock.stop()
        clients.close()
    return Report(connection.store, connection.service, _milliseconds(time.monotonic() - started), verdicts)


class _LatestStore:
    """The latest view of the store, shared by the checks that run at the same time."""

    def __init__(self, make_store: Callable[[], Store]) -> None:
        self._make_store = make_store
        self._lock = threading.Lock()
        self._last: Store | None = None
        self._begun = -math.inf

    def seen_after(self, moment: float) -> Store:
        """A view that is not older than a moment; a new one if the latest is."""
        with self._lock:
            if self._last is None or self._begun < moment:
                self._begun = time.monotonic()
                self._last = self._make_store()
            return self._last


class _Run:
    """One run of the checks."""

    def __init__(
        self,
        checks: Sequence[Check],
        context: Context,
        latest: _LatestStore,
        on_verdict: Callable[[CheckResult], object] | None,
    ) -> None:
        self._checks = checks
        self._context = context
        self._latest = latest
        self._on_verdict = on_verdict
        self._found: dict[str, Outcome] = {}
        self._running = _Counter()
        self._others = _Counter(sum(not check.runs_alone for check in checks))

    def verdicts(self) -> tuple[CheckResult, ...]:
        """Run all checks at the same time, and delete their keys."""
        clock = self._context.clock
        try:
            results = side_by_side(self._check, self._checks, clock.remaining)
        except BaseException:
            # A signal. Checks that have begun delete what they wrote; if the store hangs, the keys expire.
            clock.stop()
            self._running.wait_for_zero(_CLEANING_SECONDS)
            raise
        verdicts = tuple(result.value or self._verdict_so_far(result.item, result.seconds) for result in results)
        self._clean_up()
        return verdicts

    def _check(self, check: Check) -> CheckResult:
        """Run a check; if it runs alone, after the others."""
        if check.runs_alone:
            self._others.wait_for_zero(self._context.clock.remaining_for_waiting)
        started = time.monotonic()
        self._running.add(1)
        try:
            self._until_settled(check)
        finally:
            self._running.add(-1)
            if not check.runs_alone:
                self._others.add(-1)
        result = self._verdict_so_far(check, time.monotonic() - started)
        if self._on_verdict:
            self._on_verdict(result)
        return result

    def _until_settled(self, check: Check) -> None:
        failures, failed_at = 0, -math.inf
        for number in self._context.clock.tries():
            store = self._latest.seen_after(failed_at)
            outcome = self._try(check, dataclasses.replace(self._context, store=store, number=number))
            failed_at = time.monotonic()
            failures += outcome.status != PASSED
            # The result of an earlier try is more useful than the message that this one did not finish.
            if not outcome.unfinished or check.name not in self._found:
                self._found[check.name] = _with_tries(outcome, failures)
            if not outcome.unsettled:
                return

    def _try(self, check: Check, context: Context) -> Outcome:
        try:
            why = check.not_applicable(context)
            return Outcome(SKIPPED, why) if why else check.run(context)
        except PrerequisiteError as error:
            if error.owner == check.name:
                return Outcome(FAILED, error.reason, unsettled=error.heals)
            reason = f"not tried, because {error.owner} failed; see {error.owner}"
            return Outcome(SKIPPED, reason, unsettled=error.heals)
        except UnfinishedError:
            return self._unfinished
        except Exception as error:
            diagnosis = diagnose(error, context.connection)
            return Outcome(FAILED, diagnosis.reason, unsettled=diagnosis.heals)

    @property
    def _unfinished(self) -> Outcome:
        budget = self._context.clock.budget
        return Outcome(
            FAILED,
            f"did not finish within the budget of {budget:g} s: the store hangs or answers very slowly",
            unfinished=True,
        )

    def _verdict_so_far(self, check: Check, seconds: float) -> CheckResult:
        """What a check found last, without secrets; if it found nothing, it did not finish."""
        outcome = self._found.get(check.name, self._unfinished)
        secrets = self._context.store.secrets
        clean = dataclasses.replace(
            outcome,
            reason=redact(outcome.reason, secrets),
            expected=redact(outcome.expected, secrets),
            observed=redact(outcome.observed, secrets),
        )
        return CheckResult(check.name, clean, _milliseconds(seconds))

    def _clean_up(self) -> None:
        """Delete keys that checks could not delete while a node was lost."""
        if not self._context.left_behind:
            return

        def delete() -> None:
            with self._context.store.application_client() as client:
                for key in list(self._context.left_behind):
                    client.delete(key)

        # Keys that are left after that expire.
        with contextlib.suppress(RedisError, RedisClusterException, OSError, UnfinishedError):
            self._context.clock.in_time(delete)


def _with_tries(outcome: Outcome, failures: int) -> Outcome:
    if outcome.status == PASSED and failures:
        return dataclasses.replace(outcome, observed=f"{outcome.observed}; it took {failures + 1} tries")
    if outcome.status == FAILED and failures > 1:
        return dataclasses.replace(outcome, reason=f"{outcome.reason} (after {failures} tries)")
    return outcome


class _Counter:
    """A counter of checks that several threads change, with a wait until it is zero."""

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._changed = threading.Condition()

    def add(self, number: int) -> None:
        with self._changed:
            self._number += number
            self._changed.notify_all()

    def wait_for_zero(self, seconds: float) -> None:
        """Wait at most so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._number == 0, seconds)


def checks_of(service: str) -> tuple[Check, ...]:
    """The checks that apply to stores of a service.

    Args:
        service: ``elasticache`` or ``memorydb``.
    """
    return tuple(check for check in CHECKS if service in check.services)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
