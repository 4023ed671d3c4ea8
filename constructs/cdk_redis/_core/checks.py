"""Checks that know no store."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cdk_redis._core.errors import ConfigurationError, Problems
from cdk_redis._core.naming import name_problem

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


def value_of(problems: Problems, parameter: str, given: object, kind: type[_Value]) -> _Value | None:
    """Read a parameter that takes a value, or the text that the value reads like.

    Text is read by the ``from_text`` of the value's class. A class can accept one more form, such as a whole number,
    in a class method ``from_other(given)``, which returns None for what it cannot read.

    Args:
        problems: Where to note what is wrong with it.
        parameter: Name of the parameter.
        given: What the user gave; None means that the parameter was left out.
        kind: Class of the value.

    Returns:
        The value; None if nothing was given, or if it was wrong and the problem is noted.
    """
    if given is None or isinstance(given, kind):
        return given
    try:
        if (value := _read(given, kind)) is not None:
            return value
    except ConfigurationError as error:
        for found in error.problems:
            problems.note(f"{parameter}: {found.removeprefix('text: ')}")
        return None
    problems.note(f"{parameter}: got {_shown(given)}, but it takes {_forms(kind)}")
    return None


def check_name(problems: Problems, parameter: str, name: str | None, *, max_length: int) -> None:
    """A name given by hand."""
    if name is not None and (reason := name_problem(name, max_length=max_length)) is not None:
        problems.add(parameter, name, reason)


def _read(given: object, kind: type[_Value]) -> _Value | None:
    reads: Any = kind
    if isinstance(given, str) and hasattr(reads, "from_text"):
        return cast("Callable[[str], _Value]", reads.from_text)(given)
    if hasattr(reads, "from_other"):
        return cast("Callable[[object], _Value | None]", reads.from_other)(given)
    return None


def _forms(kind: type[object]) -> str:
    if issubclass(kind, Enum):
        return f"{kind.__name__} or one of {', '.join(repr(member.value) for member in kind)}"
    example = getattr(kind, "TEXT_EXAMPLE", None)
    return f"{kind.__name__} or text such as {example!r}" if example else kind.__name__


def _shown(given: object) -> str:
    """Numbers as they are, and of anything else the type: it may hold a password, and messages end up in logs."""
    if given is None or isinstance(given, (bool, int, float)):
        return repr(given)
    return "text" if isinstance(given, str) else f"a value of type {type(given).__name__}"
