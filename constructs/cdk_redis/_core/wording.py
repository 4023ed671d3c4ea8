"""How messages show what was given and what is accepted."""

from __future__ import annotations

from enum import Enum

_LONGEST_TEXT = 80
# Text that stands for a value of a class that is not ours.
_EXAMPLES = {"Path": "functions/orders"}


def shown(given: object, *, secret: bool = True) -> str:
    """Show what was given: numbers and names of resources as they are, and of anything else the type.

    Args:
        given: What was given.
        secret: Whether text may be a password, which must not end up in logs.
    """
    if given is None or isinstance(given, (bool, int, float)):
        return repr(given)
    if not isinstance(given, str):
        return f"a value of type {type(given).__name__}"
    is_resource = given.startswith(("arn:", "alias/"))
    return ascii(given[:_LONGEST_TEXT]) if is_resource or not secret else "text"


def forms_of(kind: type[object] | None, name: str) -> list[str]:
    """Forms that a value can be given in.

    Args:
        kind: Its class; None if only the name is known.
        name: Name of the class.
    """
    if kind is not None and issubclass(kind, Enum):
        return [name, f"one of {', '.join(repr(member.value) for member in kind)}"]
    example = getattr(kind, "TEXT_EXAMPLE", _EXAMPLES.get(name))
    return [name, f"text such as {example!r}"] if example else [name]


def either(forms: list[str]) -> str:
    """A list in words: ``a, b or c``."""
    return " or ".join([*([", ".join(forms[:-1])] if forms[1:] else []), *forms[-1:]])
