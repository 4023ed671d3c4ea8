"""Checks that know no store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cdk_redis._core.choice import Choice
from cdk_redis._core.errors import ConfigurationError, Problems
from cdk_redis._core.naming import name_problem
from cdk_redis._core.tokens import is_token

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


def list_of(problems: Problems, parameter: str, given: object, kind: type[_Value]) -> list[_Value]:
    """Read a parameter that takes a list of values; each item is read as `value_of` does.

    Args:
        problems: Where to note what is wrong with it.
        parameter: Name of the parameter.
        given: What the user gave; None means an empty list.
        kind: Class of the items.

    Returns:
        The items that are right.
    """
    if given is None:
        return []
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        problems.note(f"{parameter}: got {_shown(given)}, but it takes a list of {kind.__name__}")
        return []
    items = cast("Sequence[object]", given)
    found: list[_Value] = []
    for index, item in enumerate(items):
        value = value_of(problems, f"{parameter}[{index}]", item, kind)
        if value is not None:
            found.append(value)
        elif item is None:
            problems.note(f"{parameter}[{index}]: got None, but it takes {_forms(kind)}")
    return found


def check_flags(problems: Problems, **flags: object) -> None:
    """Parameters that are True or False: "no" and 1 would count as True."""
    for parameter, given in flags.items():
        if not isinstance(given, bool):
            problems.note(f"{parameter}: got {_shown(given)}, but it is True or False")


def check_texts(problems: Problems, *, max_length: int | None = None, **texts: object) -> None:
    """Parameters that are text or left out; tokens pass.

    Args:
        problems: Where to note what is wrong.
        max_length: Most characters that AWS takes. Default: - not checked.
        texts: The parameters by name.
    """
    for parameter, given in texts.items():
        if given is None:
            continue
        if not isinstance(given, str):
            problems.note(f"{parameter}: got {_shown(given)}, but it is text")
        elif is_token(given):
            continue
        elif not given.strip():
            problems.add(parameter, given, "it is text with at least one character")
        elif max_length is not None and len(given) > max_length:
            problems.note(f"{parameter}: got {len(given)} characters, but it has up to {max_length} characters")


def check_given(problems: Problems, **required: object) -> None:
    """Parameters that have a default, and cannot be None."""
    for parameter, given in required.items():
        if given is None:
            problems.note(f"{parameter}: got None, but it has a value; leave it out for the default")


def check_required(problems: Problems, **required: object) -> None:
    """Parameters without a default, which cannot be None."""
    for parameter, given in required.items():
        if given is None:
            problems.note(f"{parameter}: got None, but it is required")


def check_mapping(problems: Problems, parameter: str, given: object) -> None:
    """A parameter that is a mapping with text for keys, or left out."""
    if given is None:
        return
    if not isinstance(given, Mapping):
        problems.note(f"{parameter}: got {_shown(given)}, but it is a mapping such as a dict")
    elif not all(isinstance(name, str) for name in cast("Mapping[object, object]", given)):
        problems.add(parameter, given, "its keys are text")


def check_name(problems: Problems, parameter: str, name: str | None, *, max_length: int) -> None:
    """A name given by the user; None and tokens pass."""
    if name is not None and (reason := name_problem(name, max_length=max_length)) is not None:
        problems.add(parameter, name, reason)


def _read(given: object, kind: type[_Value]) -> _Value | None:
    reads: Any = kind
    if isinstance(given, str) and issubclass(kind, Enum) and not issubclass(kind, Choice):
        return next((member for member in kind if member.value == given), None)  # an enum of the CDK
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
