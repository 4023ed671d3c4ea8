"""Checks of parameters that do not depend on stores."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cdk_redis._core.choice import Choice
from cdk_redis._core.errors import ConfigurationError, Problems
from cdk_redis._core.naming import name_problem
from cdk_redis._core.tokens import is_token
from cdk_redis._core.wording import either, forms_of, shown

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


def value_of(problems: Problems, parameter: str, given: object, kind: type[_Value]) -> _Value | None:
    """Read a parameter that takes a value of a class, or text that the class can parse.

    The class parses text in ``from_text``. It can accept other types, such as a whole number, in a class method
    ``from_other(given)``, which returns None for types that it does not accept.

    Args:
        problems: Where to add problems.
        parameter: Name of the parameter.
        given: The argument; None means that the parameter was left out.
        kind: Class of the value.

    Returns:
        The value; None if the parameter was left out or is invalid. An invalid one is added to `problems`.
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
    problems.note(f"{parameter}: got {shown(given)}, but it takes {either(forms_of(kind, kind.__name__))}")
    return None


def list_of(problems: Problems, parameter: str, given: object, kind: type[_Value]) -> list[_Value]:
    """Read a parameter that takes a list of values; `value_of` reads each item.

    Args:
        problems: Where to add problems.
        parameter: Name of the parameter.
        given: The argument; None means an empty list.
        kind: Class of the items.

    Returns:
        The valid items.
    """
    if given is None:
        return []
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        problems.note(f"{parameter}: got {shown(given)}, but it takes a list of {kind.__name__}")
        return []
    items = cast("Sequence[object]", given)
    found: list[_Value] = []
    for index, item in enumerate(items):
        value = value_of(problems, f"{parameter}[{index}]", item, kind)
        if value is not None:
            found.append(value)
        elif item is None:
            problems.note(f"{parameter}[{index}]: got None, but it takes {either(forms_of(kind, kind.__name__))}")
    return found


def check_flags(problems: Problems, **flags: object) -> None:
    """Check parameters that must be bool: Python would treat "no" and 1 as True."""
    for parameter, given in flags.items():
        if not isinstance(given, bool):
            problems.note(f"{parameter}: got {shown(given)}, but it must be True or False")


def check_texts(problems: Problems, *, max_length: int | None = None, **texts: object) -> None:
    """Check optional text parameters; tokens pass.

    Args:
        problems: Where to add problems.
        max_length: Maximum number of characters. Default: - not checked.
        texts: The parameters by name.
    """
    for parameter, given in texts.items():
        if given is None:
            continue
        if not isinstance(given, str):
            problems.note(f"{parameter}: got {shown(given)}, but it must be text")
        elif is_token(given):
            continue
        elif not given.strip():
            problems.add(parameter, given, "it must have at least one character")
        elif max_length is not None and len(given) > max_length:
            problems.note(f"{parameter}: got {len(given)} characters, but it may have up to {max_length}")


def check_given(problems: Problems, **required: object) -> None:
    """Check that parameters with a default are not None."""
    for parameter, given in required.items():
        if given is None:
            problems.note(f"{parameter}: got None, but it must have a value; leave it out for the default")


def check_required(problems: Problems, **required: object) -> None:
    """Check that parameters without a default are not None."""
    for parameter, given in required.items():
        if given is None:
            problems.note(f"{parameter}: got None, but it is required")


def check_name(problems: Problems, parameter: str, name: str | None, *, max_length: int) -> None:
    """Check an optional name; tokens pass."""
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
