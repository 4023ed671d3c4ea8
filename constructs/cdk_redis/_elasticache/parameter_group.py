"""The engine settings of a replication group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.resource import define
from cdk_redis._store.parameter_groups import parameter_group_family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_elasticache as elasticache

    from cdk_redis._values.engine import Engine


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

        self.resource: elasticache.CfnParameterGroup = define(
            elasticache.CfnParameterGroup,
            self,
            "Resource",
            cache_parameter_group_family=parameter_group_family(self, engine, "elasticache_family"),
            description=f"Parameters of {scope.node.path}",
            properties={**({"cluster-enabled": "yes"} if cluster_mode else {}), **(parameters or {})},
        )
        self.parameter_group_name: str = self.resource.ref
