"""Decides with the update policy of a resource whether an update replaces it; the emulator's handlers cannot see it."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

from cdk_redis_local._emulator.insides import replace
from cdk_redis_local._emulator.ministack import Properties

# The template's definition of the resource that is being updated; None while an update is rolled back.
_definition: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar("definition", default=None)

Decision = Callable[[Properties, Properties, Mapping[str, Any]], bool]
"""Called with old and new properties and the update policy; returns whether the update replaces the resource."""


def replace_by_policy(resource_type: str, name: str, decide: Decision) -> None:
    """Replace resources of a type also when ``decide`` says so; the way back of an update replaces nothing.

    Args:
        resource_type: The type.
        name: The property with its name: a resource with an unchanged name cannot be replaced.
        decide: Decides on the properties that do not always replace the resource.
    """
    emulated = provisioners._replacing_change

    def replacing(kind: str, old: Properties, new: Properties) -> bool:
        definition = _definition.get()
        if kind == resource_type and definition is not None and decide(old, new, definition.get("UpdatePolicy") or {}):
            return True
        return bool(emulated(kind, old, new))

    replace(provisioners, "_replacing_change", replacing)
    provisioners._CUSTOM_NAME_REPLACEMENT[resource_type] = {"name": name}


def remember_definitions() -> None:
    """Record the definition of each resource for `replace_by_policy` before the resource is updated."""
    emulated_policy, emulated_revert = stacks._resource_policy, stacks._revert_update

    def policy(definition: Any, attribute: str, *arguments: Any) -> Any:
        if attribute == "UpdateReplacePolicy":  # asked for each resource, before its update
            _definition.set(definition or {})
        return emulated_policy(definition, attribute, *arguments)

    async def revert(*arguments: Any) -> Any:
        token = _definition.set(None)
        try:
            return await emulated_revert(*arguments)
        finally:
            _definition.reset(token)

    replace(stacks, "_resource_policy", policy)
    replace(stacks, "_revert_update", revert)
