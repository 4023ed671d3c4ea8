"""What a check is, what it is given, and how it reports."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._smoke_test.checks.nodes import Command, Shard, keys_on
from cdk_redis_runtime._smoke_test.checks.store import Store
from cdk_redis_runtime._smoke_test.clock import Clock, Result, UnfinishedError
from cdk_redis_runtime._smoke_test.declaration import Declaration
from cdk_redis_runtime._smoke_test.diagnosis import FindingError, diagnose, heals
from cdk_redis_runtime._smoke_test.report import FAILED, PASSED, SKIPPED, Outcome


@dataclass(frozen=True)
class Context:
    """What a check is given.

    Attributes:
        connection: How to connect.
        declared: What the template declared.
        clock: The time budget.
        store: The store as it was found for this try, shared by the checks that run at the same time.
        run: Prefix of all keys of this run.
        number: Which try of the check this is, from 1.
        left_behind: Keys that could not be deleted; see `written`.
    """

    connection: Connection
    declared: Declaration
    clock: Clock
    store: Store
    run: str
    number: int = 1
    left_behind: set[str] = field(default_factory=set[str])

    def shards_and_keys(self, name: str) -> list[tuple[Shard, str]]:
        """Every shard with a key that it serves. Each try has other keys: a slot may be moving to another shard.

        Args:
            name: Part of the keys: one name for each check.

        Raises:
            PrerequisiteError: The shards are not known.
            FindingError: No key with the declared prefix belongs to one of the shards.
        """
        shards = self.store.shards()
        keys = keys_on(shards, f"{self.run}:{name}:{self.number}:")
        if keys is None:
            raise FindingError(
                f"keys that begin with {self.declared.key_prefix!r} do not reach every shard: a hash tag ({{...}}) in "
                "the prefix puts all of them in one slot; choose a prefix without braces",
                heals=False,
            )
        return list(zip(shards, keys, strict=True))

    @contextlib.contextmanager
    def written(self, client: Redis | RedisCluster, *keys: str) -> Generator[None, None, None]:
        """Delete keys at the end, after a failure too. If that fails, the end of the smoke test tries once more."""
        self.left_behind.update(keys)
        try:
            yield
        except BaseException:
            # The first error is the one to report.
            with contextlib.suppress(RedisError, RedisClusterException):
                client.delete(*keys)
                self.left_behind.difference_update(keys)
            raise
        client.delete(*keys)
        self.left_behind.difference_update(keys)

    def problem(self, subject: object, error: Exception | None) -> Problem:
        """Describe an error of a node or a shard."""
        # Nodes are asked only after the endpoint has answered, which has the same security groups.
        error = error or UnfinishedError()
        diagnosis = diagnose(error, self.connection, endpoint_answers=True)
        return Problem(f"{subject}: {diagnosis.reason}", diagnosis.heals, isinstance(error, UnfinishedError))


@dataclass(frozen=True)
class Problem:
    """A difference from what is expected.

    Attributes:
        words: What is wrong, after its subject and a colon.
        heals: Whether it may go away by itself soon after a deploy.
        unfinished: Whether the time was over before anything was found.
    """

    words: str
    heals: bool = False
    unfinished: bool = False


@dataclass(frozen=True)
class Check:
    """One check of the smoke test.

    Attributes:
        name: Name in the report.
        proves: What a pass proves; the reason in the report of a pass.
        run: Finds out; returns or raises within the clock's time.
        runs_alone: Whether it waits until the other checks have ended, as long as there is time.
        services: Services whose stores it applies to.
        not_applicable: Why the check is skipped for a store; None if it applies.
        forbidden_commands: Commands that each node must refuse, by name. They are sent together with the first
            questions to each node. The argument is the prefix of this run's keys.
    """

    name: str
    proves: str
    run: Callable[[Context], Outcome]
    runs_alone: bool = False
    services: tuple[str, ...] = (env.ELASTICACHE, env.MEMORYDB)
    not_applicable: Callable[[Context], str | None] = lambda _context: None
    forbidden_commands: Callable[[str], Mapping[str, Command]] = lambda _run: {}


def without_authentication(context: Context) -> str | None:
    """Why a check of sign-ins is skipped; None if the store has authentication."""
    has_none = context.connection.authentication == env.AUTHENTICATION_NONE
    return "the store is declared without authentication" if has_none else None


def passed(proved: str, expected: str, observed: str, *, unsettled: bool = False) -> Outcome:
    """A pass. ``unsettled`` if something could not be checked, but may be available soon."""
    return Outcome(PASSED, proved, expected, observed, unsettled=unsettled)


def failed(problems: str | Problem | Iterable[str | Problem], expected: str, observed: str = "") -> Outcome:
    """A failure, with one or more problems as its reason; unsettled if every one of them may heal."""
    listed = [problems] if isinstance(problems, (str, Problem)) else list(problems)
    found = [Problem(problem) if isinstance(problem, str) else problem for problem in listed]
    reason = found[0].words if len(found) == 1 else _joined([problem.words for problem in found])
    return Outcome(
        FAILED,
        reason,
        expected,
        observed,
        unsettled=all(problem.heals for problem in found),
        unfinished=all(problem.unfinished for problem in found),
    )


def skipped(why: str, *, unsettled: bool = False) -> Outcome:
    """A skip: the check does not apply here, or something that it needs failed in another check."""
    return Outcome(SKIPPED, why, unsettled=unsettled)


def any_heals(results: Iterable[Result[Any, Any]]) -> bool:
    """Whether something that could not be checked may be available soon."""
    return any(result.error is not None and heals(result.error) for result in results)


def _joined(problems: list[str]) -> str:
    # Six nodes with the same problem are one problem: the message has to fit CloudFormation's status reason.
    subjects: dict[str, list[str]] = {}
    for problem in problems:
        subject, _, what = problem.partition(": ")
        subjects.setdefault(what or subject, []).append(subject)
    return "; ".join(
        what if names == [what] else f"{', '.join(dict.fromkeys(names))}: {what}" for what, names in subjects.items()
    )


def count(number: int, noun: str) -> str:
    """``1 shard``, ``3 shards``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
