"""Resource types that the local cloud does not have: a word of its own, and a way to let them have no effect."""

from __future__ import annotations

from collections.abc import Iterable

from cdk_redis_local._emulator.ministack.surroundings import explain_unknown_types
from cdk_redis_local._emulator.refusals.facts import schema_types

_SERVICES = ("AWS::ElastiCache::", "AWS::MemoryDB::")


def register_unsupported() -> None:
    """Replace CloudFormation's message, which is about types that do not exist, for those that AWS has."""
    explain_unknown_types(explain)


def explain(types: Iterable[str]) -> str | None:
    """The message about types without handlers; None if one of them does not exist in AWS either."""
    types = list(types)
    if any(_is_typo(name) for name in types):
        return None
    listed = ", ".join(f'"{name}"' for name in types)
    return (
        f"the local cloud does not support {', '.join(types)}: leave them out of the app for tests, or let them have "
        f"no effect: LocalCloud(inert=[{listed}])"
    )


def _is_typo(name: str) -> bool:
    return not name.startswith("AWS::") or (name.startswith(_SERVICES) and name not in schema_types())
