"""Runs the checks side by side within a budget, and always comes back with a verdict.

A check is one function that finds out once. What may heal (a failover, slots on the move, a replica that is not in
service yet) is waited for here, for all checks alike: a check whose outcome is unsettled is run again, on a store that
is looked at anew, until the time for healing is over. `_diagnosis` says which errors heal.
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
from cdk_redis_runtime._client.settings import Connection, Declaration
from cdk_redis_runtime._smoke_test.checks import CHECKS, Check, Clients, Context, PrerequisiteError, Store
from cdk_redis_runtime._smoke_test.clock import Clock, UnfinishedError, side_by_side
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
    probes = [probe for check in checks for probe in check.probes(run_prefix).values()]
    clients = Clients(connection, clock, credentials or credential_provider(connection))
    looks = _Looks(
        lambda: Store(connection, clock, clients, replicas=declared.replicas or 0, key=run_prefix, probes=probes)
    )
    run = _Run(checks, Context(connection, declared, clock, looks.since(-math.inf), run_prefix), looks, on_verdict)
    try:
        results = side_by_side(run.check, checks, clock.remaining)
    except BaseException:
        # A signal. What has begun deletes what it wrote; where the store hangs, the keys' time to live does.
        clock.stop()
        run.wait_until_idle(_CLEANING_SECONDS)
        clients.close()
        raise
    verdicts = tuple(result.value or run.verdict_so_far(result.item, result.seconds) for result in results)
    run.clean_up()
    clock.stop()
    clients.close()
    return Report(connection.store, connection.service, _milliseconds(time.monotonic() - started), verdicts)


class _Looks:
    """The store as it was found last, shared by the checks that look at the same time."""

    def __init__(self, look: Callable[[], Store]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._last: Store | None = None
        self._begun = -math.inf

    def since(self, moment: float) -> Store:
        """The store as it was found after a moment; looked at anew where the last look is older."""
        with self._lock:
            if self._last is None or self._begun < moment:
                self._begun = time.monotonic()
                self._last = self._look()
            return self._last


class _Run:
    """One run of the checks."""

    def __init__(
        self,
        checks: Sequence[Check],
        context: Context,
        looks: _Looks,
        on_verdict: Callable[[CheckResult], object] | None,
    ) -> None:
        self._context = context
        self._looks = looks
        self._on_verdict = on_verdict
        self._found: dict[str, Outcome] = {}
        self._running = _Counter()
        self._quiet = _Counter(sum(not check.undisturbed for check in checks))

    def check(self, check: Check) -> CheckResult:
        """Let a check find out; one that is not to be disturbed when it is its turn."""
        if check.undisturbed:
            self._quiet.wait_for_zero(self._context.clock.remaining_for_quiet)
        started = time.monotonic()
        self._running.add(1)
        try:
            self._until_settled(check)
        finally:
            self._running.add(-1)
            if not check.undisturbed:
                self._quiet.add(-1)
        result = self.verdict_so_far(check, time.monotonic() - started)
        if self._on_verdict:
            self._on_verdict(result)
        return result

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until no check is under way, no longer than so many seconds."""
        self._running.wait_for_zero(seconds)

    def _until_settled(self, check: Check) -> None:
        failures, failed_at = 0, -math.inf
        for number in self._context.clock.tries():
            store = self._looks.since(failed_at)
            outcome = self._try(check, dataclasses.replace(self._context, store=store, number=number))
            failed_at = time.monotonic()
            failures += outcome.status != PASSED
            # What an earlier try found says more than that the time ran out in this one.
            if outcome != self._unfinished or check.name not in self._found:
                self._found[check.name] = _with_tries(outcome, failures)
            if not outcome.unsettled:
                return

    def _try(self, check: Check, context: Context) -> Outcome:
        try:
            return check.run(context)
        except PrerequisiteError as error:
            if error.owner == check.name:
                return Outcome(FAILED, error.reason, unsettled=error.heals)
            reason = f"needs what {error.owner} found missing; see there"
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
            FAILED, f"did not finish within the budget of {budget:g} s: the store hangs or answers very slowly"
        )

    def verdict_so_far(self, check: Check, seconds: float) -> CheckResult:
        """What a check found last, in words that hold no secret; where it found nothing, it did not finish."""
        outcome = self._found.get(check.name, self._unfinished)
        secrets = self._context.store.secrets
        clean = dataclasses.replace(
            outcome,
            reason=redact(outcome.reason, secrets),
            expected=redact(outcome.expected, secrets),
            observed=redact(outcome.observed, secrets),
        )
        return CheckResult(check.name, clean, _milliseconds(seconds))

    def clean_up(self) -> None:
        """Delete what checks could not delete while the store was not itself."""
        if not self._context.left_behind:
            return

        def delete() -> None:
            with self._context.store.application_client() as client:
                for key in list(self._context.left_behind):
                    client.delete(key)

        # What is left all the same goes by its time to live.
        with contextlib.suppress(RedisError, RedisClusterException, OSError, UnfinishedError):
            self._context.clock.in_time(delete)


def _with_tries(outcome: Outcome, failures: int) -> Outcome:
    if outcome.status == PASSED and failures:
        return dataclasses.replace(outcome, observed=f"{outcome.observed}; it took {failures + 1} tries")
    if outcome.status == FAILED and failures > 1:
        return dataclasses.replace(outcome, reason=f"{outcome.reason} (after {failures} tries)")
    return outcome


class _Counter:
    """A number of checks that threads count, and wait to be zero."""

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._changed = threading.Condition()

    def add(self, number: int) -> None:
        with self._changed:
            self._number += number
            self._changed.notify_all()

    def wait_for_zero(self, seconds: float) -> None:
        """Wait for it, no longer than so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._number == 0, seconds)


def checks_of(service: str) -> tuple[Check, ...]:
    """What there is to prove of a store of a service.

    Args:
        service: ``elasticache`` or ``memorydb``.
    """
    return tuple(check for check in CHECKS if service in check.services)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
