"""Commands that a user must be refused, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cdk_redis_runtime._smoke_test.checks.context import Context, Problem, any_heals
from cdk_redis_runtime._smoke_test.checks.nodes import Command


@dataclass(frozen=True)
class Probing:
    """What became of a check's probes.

    Attributes:
        allowed: Names of the probes that a node allows, in order.
        nodes: How many nodes were asked.
        errors: Why the other nodes could not be asked.
        unsettled: Whether some of those may be asked soon.
    """

    allowed: tuple[str, ...]
    nodes: int
    errors: tuple[Problem, ...]
    unsettled: bool


def probing(context: Context, probes: Mapping[str, Command], is_refusal: Callable[[object], bool]) -> Probing:
    """Look at what each node answered.

    Args:
        context: What the check is given.
        probes: The check's own.
        is_refusal: Whether an answer is one. Permission comes before everything else in an engine, so that an answer
            of any other kind means permission.

    Raises:
        PrerequisiteError: The nodes are not known.
    """
    visits = context.store.visits()
    allowed = {
        name
        for visit in visits
        if visit.value
        for name, command in probes.items()
        if not is_refusal(visit.value.answers[command])
    }
    errors = tuple(context.problem(visit.item, visit.error) for visit in visits if visit.error)
    return Probing(tuple(sorted(allowed)), len(visits) - len(errors), errors, any_heals(visits))
