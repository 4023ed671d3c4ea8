"""Whether the nodes refuse the commands that a check expects them to refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cdk_redis_runtime._smoke_test.checks.context import Context, Problem, any_heals
from cdk_redis_runtime._smoke_test.checks.nodes import Command


@dataclass(frozen=True)
class Permissions:
    """What the nodes allow.

    Attributes:
        allowed: Names of the forbidden commands that at least one node allows, sorted.
        nodes: How many nodes answered.
        errors: Why the other nodes did not.
        unsettled: Whether some of those may answer soon.
    """

    allowed: tuple[str, ...]
    nodes: int
    errors: tuple[Problem, ...]
    unsettled: bool


def permissions_of(
    context: Context, forbidden: Mapping[str, Command], is_refusal: Callable[[object], bool]
) -> Permissions:
    """Compare the answers of all nodes with what is expected.

    Args:
        context: The check's context.
        forbidden: The check's own `forbidden_commands`, by name.
        is_refusal: Whether an answer refuses the command. An engine checks permissions before anything else, so every
            other answer means that the command is allowed.

    Raises:
        PrerequisiteError: The nodes are not known.
    """
    results = context.store.node_answers()
    allowed = {
        name
        for result in results
        if result.value
        for name, command in forbidden.items()
        if not is_refusal(result.value.answers[command])
    }
    errors = tuple(context.problem(result.item, result.error) for result in results if result.error)
    return Permissions(tuple(sorted(allowed)), len(results) - len(errors), errors, any_heals(results))
