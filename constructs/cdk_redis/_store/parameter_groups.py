"""Parameter groups of both services: their interface and checks. The engine determines the family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import ConfigurationError, Problems, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdk_redis._values.engine import Engine


class IParameterGroup(Protocol):
    """A parameter group, defined here or imported."""

    @property
    def parameter_group_name(self) -> str:
        """Name of the group; a token when it is defined in this app."""
        ...


class ImportedParameterGroup(cdk.Resource):
    def __init__(self, scope: Construct, id: str, name: str) -> None:
        super().__init__(scope, id)
        self.parameter_group_name = name


def check_existing_group(
    problems: Problems,
    parameters: Mapping[str, str] | None,
    extra_parameters: Mapping[str, str] | None,
    *,
    engine: Engine,
    family: str | None,
    group_family: str | None,
) -> None:
    """Check an existing parameter group of a store: it excludes parameters, and has the family of the engine.

    Args:
        problems: Where to add problems.
        parameters: Engine settings of the store.
        extra_parameters: Engine settings of the store whose names are not checked.
        engine: Engine of the store.
        family: Family of the engine; None if it is not known.
        group_family: Family of the group; None if it is not known.
    """
    for parameter, given in (("parameters", parameters), ("extra_parameters", extra_parameters)):
        if given is not None:
            problems.add(parameter, given, "`parameter_group` is given", "leave out one of the two")
    if group_family is not None and family is not None and group_family != family:
        problems.add("parameter_group", group_family, f"{engine} is of the family {family}")


def parameter_group_family(group: cdk.Resource, engine: Engine, parameter: str) -> str:
    family: str | None = getattr(engine, parameter)
    if family is None:
        hint = f"name it with Engine.of(..., {parameter}=...)"
        known = "its parameter group family is not known here"
        raise ConfigurationError(group.node.path, [problem("engine", str(engine), known, hint)])
    return family
