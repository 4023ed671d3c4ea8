"""Parameter groups: the engine settings of replication groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.checks import value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import description_of
from cdk_redis._core.resource import define
from cdk_redis._core.tokens import is_token
from cdk_redis._elasticache.parameter_names import known_parameters
from cdk_redis._elasticache.parameter_values import allowed_values
from cdk_redis._elasticache.store import DEFAULT_ENGINE
from cdk_redis._store.checks import check_parameters
from cdk_redis._store.parameter_groups import (
    ELASTICACHE,
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

    from aws_cdk import aws_elasticache as elasticache

    from cdk_redis._values.node_type import NodeType


class ElastiCacheParameterGroup(cdk.Resource):
    """A parameter group for replication groups.

    Defines one ``AWS::ElastiCache::ParameterGroup``. A replication group creates its own unless you give it one: the
    service's default group cannot be changed later, and one without ``cluster-enabled`` allows only one shard. Define
    one yourself to share it between stores with the same engine.

    Attributes:
        service: Name of its service, ``"ElastiCache"``.
        family: Its family, which depends on the engine.
        cluster_mode: Whether it is for stores in cluster mode.
        parameters: The engine settings that it sets, ``cluster-enabled`` left out.
        parameter_group_name: Name of the group; a token, because CloudFormation chooses it.
        resource: The L1 construct.
    """

    service = ELASTICACHE

    @checked_arguments
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        engine: Engine | str | None = None,
        cluster_mode: bool,
        parameters: Mapping[str, str] | None = None,
        extra_parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Define the group.

        Args:
            scope: Construct this one is defined in.
            id: Id within the scope.
            engine: Engine of the replication groups; a new major version is a new family and replaces the group.
                Default: - that of a replication group, ``"valkey:8.1"``.
            cluster_mode: Whether the replication groups are in cluster mode.
            parameters: Settings by the engine's names, such as ``{"maxmemory-policy": "allkeys-lru"}``.
                Their names and values are checked against the family. Default: - the family's.
            extra_parameters: Settings whose names or values this library does not know, passed on unchecked.

        Raises:
            ConfigurationError: If a parameter is invalid, or the family of the engine is not known.
        """
        super().__init__(scope, id)
        from aws_cdk import aws_elasticache as elasticache

        problems = Problems(self)
        engine = value_of(problems, "engine", engine, Engine) or DEFAULT_ENGINE
        check_settings(problems, parameters, extra_parameters, engine)
        problems.raise_if_any()

        self.family = parameter_group_family(self, engine, "elasticache_family")
        self.cluster_mode = cluster_mode
        self.parameters = {**(parameters or {}), **(extra_parameters or {})}
        self.resource: elasticache.CfnParameterGroup = define(
            elasticache.CfnParameterGroup,
            self,
            "Resource",
            cache_parameter_group_family=self.family,
            description=description_of(f"Parameters of {scope.node.path}"),
            properties={**({"cluster-enabled": "yes"} if cluster_mode else {}), **self.parameters},
        )
        self.parameter_group_name: str = self.resource.ref

    @classmethod
    @checked_arguments
    def from_parameter_group_name(cls, scope: Construct, id: str, name: str) -> IParameterGroup:
        """Import an existing group, such as the default group ``default.valkey8.cluster.on``.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            name: Name of the group.
        """
        return ImportedParameterGroup(scope, id, name, ELASTICACHE)


def check_settings(
    problems: Problems,
    parameters: Mapping[str, str] | None,
    extra_parameters: Mapping[str, str] | None,
    engine: Engine,
    *,
    data_tiering: bool = False,
) -> None:
    """Check the names and values of engine settings.

    Args:
        problems: Where to add problems.
        parameters: Engine settings; their names and values are checked against the family.
        extra_parameters: Engine settings whose names and values are not checked.
        engine: Engine of the replication groups.
        data_tiering: Whether the nodes use data tiering.
    """
    family = engine.elasticache_family
    known = None if family is None or is_token(family) else known_parameters(family)
    check_parameters(problems, parameters)
    check_names(problems, parameters, extra_parameters, family=family, known=known, data_tiering=data_tiering)
    if known is not None and family is not None and parameters:
        check_values(problems, parameters, family=family, allowed=allowed_values(family))


def check_parameter_group(
    problems: Problems,
    parameters: Mapping[str, str] | None,
    extra_parameters: Mapping[str, str] | None,
    parameter_group: IParameterGroup | None,
    engine: Engine,
    node_type: NodeType,
    cluster_mode: bool,
) -> None:
    """Check the engine settings of a replication group.

    Args:
        problems: Where to add problems.
        parameters: Engine settings; their names and values are checked against the family.
        extra_parameters: Engine settings whose names and values are not checked.
        parameter_group: An existing parameter group, in place of both.
        engine: Engine of the replication group.
        node_type: Type of its nodes.
        cluster_mode: Whether its parameter group must have cluster mode on.
    """
    if parameter_group is None:
        check_settings(problems, parameters, extra_parameters, engine, data_tiering=node_type.data_tiering)
        return
    family = engine.elasticache_family
    check_existing_group(
        problems, parameters, extra_parameters, parameter_group, service=ELASTICACHE, engine=engine, family=family
    )
    if not isinstance(parameter_group, (ElastiCacheParameterGroup, ImportedParameterGroup)):
        return
    if parameter_group.cluster_mode is not None and parameter_group.cluster_mode is not cluster_mode:
        reason = f"it has cluster mode {'off' if cluster_mode else 'on'}, unlike the store"
        if isinstance(parameter_group, ElastiCacheParameterGroup):
            given, hint = parameter_group.node.path, f"give the group cluster_mode={cluster_mode}"
        else:
            given = parameter_group.parameter_group_name
            hint = f"use 'default.{parameter_group.family}{'.cluster.on' if cluster_mode else ''}'"
        problems.add("parameter_group", given, reason, hint)
