"""Parameter groups: the engine's settings, with the family derived from the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from ._errors import ConfigurationError, problem
from ._naming import unique_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_memorydb as memorydb

    from ._engine import Engine

_MAX_NAME = 255


class ElastiCacheParameterGroup(cdk.Resource):
    """The engine's settings of a replication group.

    Defines one ``AWS::ElastiCache::ParameterGroup``. A replication group always has its own: the service's default
    group cannot be changed later, and one without ``cluster-enabled`` allows a single shard.

    Attributes:
        parameter_group_name: Name of the group; a token, because CloudFormation chooses it.
        resource: The L1 construct.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine,
        cluster_mode: bool,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Define the group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the replication group; a new major version is a new family and replaces the group.
            cluster_mode: Whether the replication group is in cluster mode.
            parameters: Settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Default: - the family's.

        Raises:
            ConfigurationError: If the engine's family is not known.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_elasticache as elasticache

        self.resource: elasticache.CfnParameterGroup = elasticache.CfnParameterGroup(
            self,
            "Resource",
            cache_parameter_group_family=_family(self, engine, "elasticache_family"),
            description=f"Parameters of {scope.node.path}",
            properties={**({"cluster-enabled": "yes"} if cluster_mode else {}), **(parameters or {})},
        )
        self.parameter_group_name: str = self.resource.ref


class MemoryDbParameterGroup(cdk.Resource):
    """The engine's settings of a MemoryDB cluster.

    Defines one ``AWS::MemoryDB::ParameterGroup``.

    Attributes:
        parameter_group_name: Name of the group; a token.
        resource: The L1 construct.
    """

    def __init__(
        self, scope: Construct, id: str, *, engine: Engine, parameters: Mapping[str, str] | None = None
    ) -> None:
        """Define the group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the cluster; a new major version is a new family and replaces the group.
            parameters: Settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Default: - the family's.

        Raises:
            ConfigurationError: If the engine's family is not known.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_memorydb as memorydb

        family, description = _family(self, engine, "memorydb_family"), f"Parameters of {scope.node.path}"
        self.resource: memorydb.CfnParameterGroup = memorydb.CfnParameterGroup(
            self,
            "Resource",
            parameter_group_name=unique_name(self, max_length=_MAX_NAME, replaced_by=[family, description]),
            family=family,
            description=description,
            parameters=dict(parameters or {}),
        )
        self.parameter_group_name: str = self.resource.ref


def _family(group: cdk.Resource, engine: Engine, parameter: str) -> str:
    family: str | None = getattr(engine, parameter)
    if family is None:
        mend = f"name it with Engine.of(..., {parameter}=...)"
        known = "its parameter group family is not known here"
        raise ConfigurationError(group.node.path, [problem("engine", str(engine), known, mend)])
    return family
