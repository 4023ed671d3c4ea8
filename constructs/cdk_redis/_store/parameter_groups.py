"""Parameter groups of both services: their interface and checks. The engine determines the family."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import ConfigurationError, Problems, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdk_redis._values.engine import Engine


# Names of the services, for messages.
ELASTICACHE = "ElastiCache"
MEMORYDB = "MemoryDB"
_ELASTICACHE_DEFAULT = re.compile(r"default\.([a-z]+[0-9]+(?:\.[0-9x]+)?)(\.cluster\.on)?")
_MEMORYDB_DEFAULT = re.compile(r"default\.memorydb-([a-z]+[0-9]+)(?:\.search)?")


class IParameterGroup(Protocol):
    """A parameter group, defined here or imported."""

    @property
    def parameter_group_name(self) -> str:
        """Name of the group; a token when it is defined in this app."""
        ...


class ImportedParameterGroup(cdk.Resource):
    """A parameter group that was imported by its name.

    The family of a default group is part of its name: ``default.valkey8.cluster.on``, ``default.memorydb-valkey7``.

    Attributes:
        parameter_group_name: Its name.
        service: Name of its service.
        family: Its family; None if it is not a default group.
        cluster_mode: Whether it turns cluster mode on; None if it is not a default group of ElastiCache.
    """

    def __init__(self, scope: Construct, id: str, name: str, service: str) -> None:
        super().__init__(scope, id)
        self.parameter_group_name = name
        self.service = service
        self.family: str | None = None
        self.cluster_mode: bool | None = None
        if found := _ELASTICACHE_DEFAULT.fullmatch(name):
            self.service, self.family, self.cluster_mode = ELASTICACHE, found[1], found[2] is not None
        elif found := _MEMORYDB_DEFAULT.fullmatch(name):
            self.service, self.family = MEMORYDB, f"memorydb_{found[1]}"


def check_existing_group(
    problems: Problems,
    parameters: Mapping[str, str] | None,
    extra_parameters: Mapping[str, str] | None,
    parameter_group: IParameterGroup,
    *,
    service: str,
    engine: Engine,
    family: str | None,
) -> None:
    """Check an existing parameter group of a store: it excludes parameters, and fits the service and the engine.

    Args:
        problems: Where to add problems.
        parameters: Engine settings of the store.
        extra_parameters: Engine settings of the store whose names are not checked.
        parameter_group: The group.
        service: Name of the service of the store.
        engine: Engine of the store.
        family: Family of the engine; None if it is not known.
    """
    for parameter, given in (("parameters", parameters), ("extra_parameters", extra_parameters)):
        if given is not None:
            problems.add(parameter, given, "`parameter_group` is given", "leave out one of the two")
    group_service, group_family = getattr(parameter_group, "service", None), getattr(parameter_group, "family", None)
    if group_service is not None and group_service != service:
        given = parameter_group.parameter_group_name if group_family is None else group_family
        reason, hint = f"it is a group of {group_service}", f"give the store a parameter group of {service}"
        problems.add("parameter_group", given, reason, hint)
    elif group_family is not None and family is not None and group_family != family:
        problems.add("parameter_group", group_family, f"{engine} is of the family {family}")


def parameter_group_family(group: cdk.Resource, engine: Engine, parameter: str) -> str:
    family: str | None = getattr(engine, parameter)
    if family is None:
        hint = f"name it with Engine.of(..., {parameter}=...)"
        known = "its parameter group family is not known here"
        raise ConfigurationError(group.node.path, [problem("engine", str(engine), known, hint)])
    return family
