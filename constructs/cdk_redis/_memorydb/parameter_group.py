"""The engine settings of MemoryDB clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import unique_name
from cdk_redis._core.resource import define
from cdk_redis._store.checks import check_parameters
from cdk_redis._store.parameter_groups import ImportedParameterGroup, IParameterGroup, parameter_group_family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_memorydb as memorydb

    from cdk_redis._values.engine import Engine

_MAX_NAME = 255


class MemoryDbParameterGroup(cdk.Resource):
    """The engine's settings of MemoryDB clusters.

    Defines one ``AWS::MemoryDB::ParameterGroup``. Each cluster makes its own unless it is given one; make one by hand
    to share it between clusters of one engine.

    Attributes:
        family: Its family, which the engine decides.
        resource: The L1 construct.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine,
        parameters: Mapping[str, str] | None = None,
        description: str | None = None,
        parameter_group_name: str | None = None,
    ) -> None:
        """Define the group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the clusters; a new major version is a new family and replaces the group.
            parameters: Settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Default: - the family's.
            description: Text shown in the console. Changing it replaces the group. Default: - the path of the scope.
            parameter_group_name: Name of the group, 1 to 255 lower-case letters, digits and single hyphens. A group
                named by hand cannot be replaced. Default: - a unique name, new when the group must be replaced.

        Raises:
            ConfigurationError: If the engine's family is not known, a name is not legal or a value is no text.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        self.family = parameter_group_family(self, engine, "memorydb_family")
        self._check(parameters, parameter_group_name)
        text = description or f"Parameters of {scope.node.path}"
        generated = unique_name(self, max_length=_MAX_NAME, replaced_by=[self.family, text])
        self.resource: memorydb.CfnParameterGroup = define(
            memorydb.CfnParameterGroup,
            self,
            "Resource",
            parameter_group_name=parameter_group_name or generated,
            family=self.family,
            description=text,
            parameters=dict(parameters or {}),
        )

    @property
    def parameter_group_name(self) -> str:
        """Name of the group; a token."""
        return self.resource.ref

    @classmethod
    def from_parameter_group_name(cls, scope: Construct, id: str, name: str) -> IParameterGroup:
        """Import a group that exists, such as the service's own ``default.memorydb-valkey7``.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            name: Name of the group.
        """
        return ImportedParameterGroup(scope, id, name)

    def _check(self, parameters: Mapping[str, str] | None, name: str | None) -> None:
        problems = Problems(self)
        check_name(problems, "parameter_group_name", name, max_length=_MAX_NAME)
        check_parameters(problems, parameters)
        problems.raise_if_any()
