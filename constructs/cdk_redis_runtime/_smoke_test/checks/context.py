"""What a check is, and what it is given."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.settings import Connection, Declaration
from cdk_redis_runtime._smoke_test.checks.nodes import Command
from cdk_redis_runtime._smoke_test.checks.store import Store
from cdk_redis_runtime._smoke_test.clock import Clock, Done, UnfinishedError
from cdk_redis_runtime._smoke_test.diagnosis import diagnose, heals
from cdk_redis_runtime._smoke_test.report import FAILED, PASSED, SKIPPED, Outcome


@dataclass(frozen=True)
class Context:
    """What a check is given.

    Attributes:
        connection: How to connect.
        declared: What the template declared.
        clock: The budget.
        store: The store as it was found at this try, shared by the checks that try at the same time.
        run: Begins this run's keys, and no other's.
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

    def keys(self, name: str) -> str:
        """What the keys of a check begin with: others at each try, since a slot may be on its way to another shard."""
        return f"{self.run}:{name}:{self.number}:"

    @contextlib.contextmanager
    def written(self, client: Redis | RedisCluster, *keys: str) -> Generator[None, None, None]:
        """Delete keys at the end, also after a failure: where that fails too, at the end of the battery once more."""
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
        """An error that a subject (a node, a shard) met with, in words."""
        # Nobody asks for a node before the endpoint has answered, whose security groups are the nodes' own.
        diagnosis = diagnose(error or UnfinishedError(), self.connection, endpoint_answers=True)
        return Problem(f"{subject}: {diagnosis.reason}", diagnosis.heals)


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be.

    Attributes:
        words: What, with its subject and a colon before it.
        heals: Whether it may go away by itself soon after a deploy.
    """

    words: str
    heals: bool = False


@dataclass(frozen=True)
class Check:
    """One thing to prove.

    Attributes:
        name: Name in the report.
        proves: What a pass proves; the reason in the report of a pass.
        run: Finds out; returns or raises, in any case within the clock's time.
        undisturbed: Whether it waits for the other checks to end, as far as they do soon.
        services: Services whose stores there is something to prove of.
        probes: Commands that each node is asked at the first visit, given what this run's keys begin with.
    """

    name: str
    proves: str
    run: Callable[[Context], Outcome]
    undisturbed: bool = False
    services: tuple[str, ...] = (env.ELASTICACHE, env.MEMORYDB)
    probes: Callable[[str], Mapping[str, Command]] = lambda _run: {}


def passed(proved: str, expected: str, observed: str, *, unsettled: bool = False) -> Outcome:
    """A pass; ``proved`` says of what. ``unsettled`` where not everything could be looked at, and may be soon."""
    return Outcome(PASSED, proved, expected, observed, unsettled=unsettled)


def failed(problems: str | Problem | Iterable[str | Problem], expected: str, observed: str = "") -> Outcome:
    """A failure, with one or more problems as its reason; unsettled where every one of them may heal."""
    listed = [problems] if isinstance(problems, (str, Problem)) else list(problems)
    found = [Problem(problem) if isinstance(problem, str) else problem for problem in listed]
    reason = found[0].words if len(found) == 1 else _joined([problem.words for problem in found])
    return Outcome(FAILED, reason, expected, observed, unsettled=all(problem.heals for problem in found))


def skipped(why: str, *, unsettled: bool = False) -> Outcome:
    """Neither: the check makes no sense here, or something that it needs failed in another check."""
    return Outcome(SKIPPED, why, unsettled=unsettled)


def any_heals(results: Iterable[Done[Any, Any]]) -> bool:
    """Whether something that could not be looked at may be soon."""
    return any(result.error is not None and heals(result.error) for result in results)


def _joined(problems: list[str]) -> str:
    # Six nodes with the same problem are one problem, and the message has to fit CloudFormation's status reason.
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
