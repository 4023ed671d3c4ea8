"""Checks that know no store."""

from __future__ import annotations

from ._errors import Problems
from ._naming import name_problem


def check_name(problems: Problems, parameter: str, name: str | None, *, max_length: int) -> None:
    """A name given by hand."""
    if name is not None and (allowed := name_problem(name, max_length=max_length)) is not None:
        problems.add(parameter, name, allowed)
