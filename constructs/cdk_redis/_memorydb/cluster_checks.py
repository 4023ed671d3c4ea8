"""What MemoryDB refuses of a cluster, beyond what both services refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.tokens import is_token
from cdk_redis._memorydb.multi_region_cluster import check_multi_region_engine
from cdk_redis._memorydb.parameter_group import MemoryDbParameterGroup
from cdk_redis._memorydb.subnet_group import check_memorydb_zones
from cdk_redis._network.zones import MEMORYDB_ZONES
from cdk_redis._values.network_type import NetworkType, check_network_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdk_redis._core.errors import Problems
    from cdk_redis._memorydb.acl import IAcl
    from cdk_redis._memorydb.multi_region_cluster import IMultiRegionCluster
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup
    from cdk_redis._store.parameter_groups import IParameterGroup
    from cdk_redis._values.engine import Engine

_REGION = "@cdk-redis:memoryDbRegion"


def check_cluster(
    problems: Problems,
    *,
    engine: Engine,
    node_type: str,
    network: RedisNetwork,
    network_type: NetworkType,
    subnet_group: ISubnetGroup | None,
    parameters: Mapping[str, str] | None,
    parameter_group: IParameterGroup | None,
    acl: IAcl | None,
    multi_region: IMultiRegionCluster | None,
    open_access: bool,
    plaintext: bool,
) -> None:
    """Note what MemoryDB would refuse; each parameter is as given to the cluster."""
    problems.note(engine.check_memorydb())
    check_network_type(problems, network_type, engine=engine, node_type=node_type)
    _check_access(problems, acl, open_access=open_access, plaintext=plaintext)
    _check_parameter_group(problems, engine, parameters, parameter_group)
    if subnet_group is None:
        check_memorydb_zones(problems, network)
    if multi_region is not None:
        check_multi_region_engine(problems, engine)
        _check_member(problems, parameters, parameter_group, plaintext=plaintext)


def warn_of_region(resource: cdk.Resource) -> None:
    """Warn where the Region is known and MemoryDB is not known to run in it.

    No error: AWS opens Regions, and CloudFormation tells within seconds that it lacks a resource type.
    """
    region = cdk.Stack.of(resource).region
    if is_token(region) or region in MEMORYDB_ZONES:
        return
    cdk.Annotations.of(resource).add_warning_v2(
        _REGION, f"MemoryDB is not known to run in {region}, but in {', '.join(MEMORYDB_ZONES)}"
    )


def _check_access(problems: Problems, acl: IAcl | None, *, open_access: bool, plaintext: bool) -> None:
    if acl is not None and open_access:
        problems.add("acl", acl.acl_name, "a cluster with open access has no users", "leave one of the two out")
    if plaintext and not open_access:
        problems.add(
            "unsafe_plaintext", True, "without TLS the service has no users", "say `unsafe_open_access` as well"
        )


def _check_parameter_group(
    problems: Problems,
    engine: Engine,
    parameters: Mapping[str, str] | None,
    parameter_group: IParameterGroup | None,
) -> None:
    if parameter_group is None:
        return
    if parameters is not None:
        problems.add("parameters", dict(parameters), "the parameter group has its own", "leave one of the two out")
    family = parameter_group.family if isinstance(parameter_group, MemoryDbParameterGroup) else None
    if family is not None and engine.memorydb_family is not None and family != engine.memorydb_family:
        problems.add("parameter_group", family, f"{engine} is of the family {engine.memorydb_family}")


def _check_member(
    problems: Problems,
    parameters: Mapping[str, str] | None,
    parameter_group: IParameterGroup | None,
    *,
    plaintext: bool,
) -> None:
    decides = "the Multi-Region cluster decides it"
    if parameters is not None:
        problems.add("parameters", dict(parameters), decides, "give it a `parameter_group_name`")
    if parameter_group is not None:
        name = parameter_group.parameter_group_name
        problems.add("parameter_group", name, decides, "give it a `parameter_group_name`")
    if plaintext:
        problems.add("unsafe_plaintext", True, f"{decides}: TLS is on", "leave it out")
