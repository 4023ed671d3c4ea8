"""What a check is, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cdk_redis_runtime import _environment as env
from cdk_redis_runtime._checks._nodes import Command
from cdk_redis_runtime._checks._store import Store
from cdk_redis_runtime._clock import Clock
from cdk_redis_runtime._report import FAILED, PASSED, SKIPPED, Outcome
from cdk_redis_runtime._settings import Connection, Declaration


@dataclass(frozen=True)
class Context:
    """What a check is given.

    Attributes:
        connection: How to connect.
        declared: What the template declared.
        clock: The budget.
        store: The store as far as it is known, shared by all checks.
        run: Begins this run's keys, and no other's.
    """

    connection: Connection
    declared: Declaration
    clock: Clock
    store: Store
    run: str


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


def passed(proved: str, expected: str, observed: str) -> Outcome:
    """A pass; ``proved`` says of what."""
    return Outcome(PASSED, proved, expected, observed)


def failed(problems: str | Iterable[str], expected: str, observed: str = "") -> Outcome:
    """A failure, with one or more problems as its reason."""
    reason = problems if isinstance(problems, str) else _joined(list(problems))
    return Outcome(FAILED, reason, expected, observed)


def skipped(why: str) -> Outcome:
    """Neither: the check makes no sense here, or something that it needs failed in another check."""
    return Outcome(SKIPPED, why)


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
