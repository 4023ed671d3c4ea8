"""Parameter groups: the engine settings of MemoryDB clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import check_name, value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import description_of, name_by_properties
from cdk_redis._core.resource import define
from cdk_redis._memorydb.defaults import DEFAULT_ENGINE
from cdk_redis._memorydb.parameter_names import known_parameters
from cdk_redis._memorydb.parameter_values import allowed_values
from cdk_redis._store.checks import check_parameters
from cdk_redis._store.parameter_groups import (
    MEMORYDB,
    ImportedParameterGroup,
    IParameterGroup,
    check_existing_group,
    parameter_group_family,
)
from cdk_redis._store.parameter_names import check_names
from cdk_redis._store.parameter_values import check_values
from cdk_redis._values.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdk_redis._values.node_type import NodeType

# A change of any of these replaces the group, which then needs a new name.
_REPLACING = ("description", "family")
_MAX_NAME = 255


class MemoryDbParameterGroup(cdk.Resource):
    """A parameter group for MemoryDB clusters.

    Defines one ``AWS::MemoryDB::ParameterGroup``. A cluster creates its own unless you give it one; create one yourself
    to share it between clusters with the same engine.

    Attributes:
        service: Name of its service, ``"MemoryDB"``.
        family: Its family, which follows from the engine.
        parameters: The engine settings that it sets.
        resource: The L1 construct.
    """

    service = MEMORYDB

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine | str | None = None,
        parameters: Mapping[str, str] | None = None,
        extra_parameters: Mapping[str, str] | None = None,
        description: str | None = None,
        parameter_group_name: str | None = None,
    ) -> None:
        """Define the group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the clusters. A new major version is a new family and replaces the group.
                Default: - that of a cluster, ``"valkey:7.3"``.
            parameters: Settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Their names and values are checked against the family. Default: - the family's.
            extra_parameters: Settings whose names or values this library does not know, passed on unchecked.
            description: Text shown in the console. Changing it replaces the group. Default: - the path of the scope.
            parameter_group_name: Name of the group, 1 to 255 lower-case letters, digits and single hyphens.
                CloudFormation cannot replace a group with a name that you give. Default: - a unique name, new when the
                group must be replaced.

        Raises:
            ConfigurationError: If the family of the engine or the name of a parameter is not known, the name of the
                group or the value of a parameter is not allowed, or a value is not text.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        problems = Problems(self)
        engine = value_of(problems, "engine", engine, Engine) or DEFAULT_ENGINE
        check_name(problems, "parameter_group_name", parameter_group_name, max_length=_MAX_NAME)
        check_parameter_group(problems, parameters, extra_parameters, None, engine)
        problems.raise_if_any()

        self.family = parameter_group_family(self, engine, "memorydb_family")
        self.parameters = {**(parameters or {}), **(extra_parameters or {})}
        self.resource = define(
            memorydb.CfnParameterGroup,
            self,
            "Resource",
            parameter_group_name=parameter_group_name or "",
            family=self.family,
            description=description or description_of(f"Parameters of {scope.node.path}"),
            parameters=self.parameters,
        )
        if parameter_group_name is None:
            self.resource.parameter_group_name = name_by_properties(self.resource, _REPLACING, max_length=_MAX_NAME)

    @property
    def parameter_group_name(self) -> str:
        """Name of the group; a token."""
        return self.resource.ref

    @classmethod
    @checked_arguments
    def from_parameter_group_name(cls, scope: Construct, id: str, name: str) -> IParameterGroup:
        """Import an existing group, such as the default group ``default.memorydb-valkey7``.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            name: Name of the group.
        """
        return ImportedParameterGroup(scope, id, name, MEMORYDB)


def check_parameter_group(
    problems: Problems,
    parameters: Mapping[str, str] | None,
    extra_parameters: Mapping[str, str] | None,
    parameter_group: IParameterGroup | None,
    engine: Engine,
    node_type: NodeType | None = None,
) -> None:
    """Check the engine settings of a cluster or of a parameter group.

    Args:
        problems: Where to add problems.
        parameters: Engine settings; their names and values are checked against the family.
        extra_parameters: Engine settings whose names and values are not checked.
        parameter_group: An existing parameter group, in place of both.
        engine: Engine of the cluster.
        node_type: Node type of the cluster; None for a parameter group, which has no nodes.
    """
    family = engine.memorydb_family
    if parameter_group is not None:
        check_existing_group(
            problems, parameters, extra_parameters, parameter_group, service=MEMORYDB, engine=engine, family=family
        )
        return
    known = known_parameters(family)
    check_parameters(problems, parameters)
    check_names(
        problems,
        parameters,
        extra_parameters,
        family=family,
        known=known,
        data_tiering=node_type is not None and node_type.data_tiering,
    )
    if known is not None and parameters:
        check_values(problems, parameters, family=family, allowed=allowed_values())
