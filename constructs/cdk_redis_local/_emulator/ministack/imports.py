"""Imports of running stores into stacks: ``cdk import``, and ``cdk deploy --import-existing-resources``."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import changesets, provisioners


def import_with(resource_type: str, name: str, find: Callable[[str], tuple[str, dict[str, Any]] | None]) -> None:
    """Let stacks take over existing resources of a type, which have a handler already.

    Args:
        resource_type: The type.
        name: The property with the name of a resource, which identifies it.
        find: Called with a name; returns the physical id and the attributes of the resource, or None without one.
    """

    def take_over(identifier: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        found = find(identifier[name])
        if found is None:
            raise ValueError(problem(identifier[name]))
        return found

    def problem(value: str) -> str | None:
        if find(value) is not None:
            return None
        return str(changesets._IMPORT_NOT_FOUND.format(type=resource_type, value=value))

    provisioners._RESOURCE_HANDLERS[resource_type]["import"] = take_over
    changesets._IMPORT_LOOKUPS[resource_type] = ((name,), problem)
