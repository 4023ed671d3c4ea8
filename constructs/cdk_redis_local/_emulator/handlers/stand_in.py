"""Functions that check the engine of a store: they expect the engine that stands in for the declared one."""

from __future__ import annotations

from cdk_redis_local._emulator.ministack import HANDLERS, Outcome, Properties
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_runtime._client.environment import ENGINE, ENGINE_VERSION

_FUNCTION = "AWS::Lambda::Function"


def expect_stand_ins(stores: Stores) -> None:
    """Change the variables with the declared engine where functions are created and updated.

    The smoke test reads them. The template stays as it is, and `Stores.choose_engine` tells the user what stands in.
    """
    emulated = dict(HANDLERS[_FUNCTION])

    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        return emulated["create"](logical_id, _with_stand_in(stores, properties), stack_name)

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        changed = (physical_id, _with_stand_in(stores, old), _with_stand_in(stores, new), stack_name)
        return emulated["update"](*changed, *([logical_id] if emulated.get("update_with_logical_id") else []))

    HANDLERS[_FUNCTION] = {**emulated, "create": create, "update": update, "update_with_logical_id": True}


def _with_stand_in(stores: Stores, properties: Properties) -> Properties:
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    if ENGINE not in variables or ENGINE_VERSION not in variables:
        return properties
    program = stores.choose_engine(variables[ENGINE], variables[ENGINE_VERSION])
    expected = {ENGINE: program.name, ENGINE_VERSION: program.major_minor}
    return {**properties, "Environment": {"Variables": {**variables, **expected}}}
