"""Checks that know no store."""

from __future__ import annotations

from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import name_problem


def check_name(problems: Problems, parameter: str, name: str | None, *, max_length: int) -> None:
    """A name given by hand."""
    if name is not None and (reason := name_problem(name, max_length=max_length)) is not None:
        problems.add(parameter, name, reason)
