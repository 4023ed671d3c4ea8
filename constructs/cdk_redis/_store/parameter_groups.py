"""What the parameter groups of both services have in common; the engine decides the family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import ConfigurationError, problem

if TYPE_CHECKING:
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


def parameter_group_family(group: cdk.Resource, engine: Engine, parameter: str) -> str:
    family: str | None = getattr(engine, parameter)
    if family is None:
        hint = f"name it with Engine.of(..., {parameter}=...)"
        known = "its parameter group family is not known here"
        raise ConfigurationError(group.node.path, [problem("engine", str(engine), known, hint)])
    return family
