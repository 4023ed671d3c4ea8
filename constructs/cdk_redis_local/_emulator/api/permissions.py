"""The permissions of callers: which resource an action needs them on, and the check for state machines.

The emulator checks the permissions of clients; it does not check what the tasks of state machines may do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.ministack import execution_role, scope
from cdk_redis_local._emulator.ministack.callers import role_may

# For each service, the parameters that name a resource, and the start of the resource in an ARN. The first parameter
# in a request counts: an action on a store may also name the users or groups that the store gets.
_NAMED_BY: dict[str, tuple[tuple[str, str], ...]] = {
    "elasticache": (
        ("ReplicationGroupId", "replicationgroup:"),
        ("CacheClusterId", "cluster:"),
        ("ServerlessCacheName", "serverlesscache:"),
        ("UserGroupId", "usergroup:"),
        ("UserId", "user:"),
        ("CacheParameterGroupName", "parametergroup:"),
        ("CacheSubnetGroupName", "subnetgroup:"),
        ("SourceSnapshotName", "snapshot:"),
        ("SnapshotName", "snapshot:"),
        ("ServerlessCacheSnapshotName", "serverlesscachesnapshot:"),
    ),
    "memorydb": (
        ("ClusterName", "cluster/"),
        ("ACLName", "acl/"),
        ("UserName", "user/"),
        ("ParameterGroupName", "parametergroup/"),
        ("SubnetGroupName", "subnetgroup/"),
        ("SourceSnapshotName", "snapshot/"),
        ("SnapshotName", "snapshot/"),
    ),
}
# ElastiCache stores the ids of stores in lower case.
_LOWER_CASE = ("replicationgroup:", "cluster:", "serverlesscache:")
# Parameters with a whole ARN: those of the actions for tags.
_ARNS = ("ResourceName", "ResourceArn")


def named_resource(service: str, parameter: Callable[[str], str]) -> str | None:
    """The last part of the ARN of the resource that a request names, such as ``user:app``; None without a name.

    Args:
        service: ``elasticache`` or ``memorydb``; other services have none.
        parameter: Returns a parameter of the request, or an empty string.
    """
    for name, start in _NAMED_BY.get(service, ()):
        if value := parameter(name):
            return f"{start}{value.lower() if start in _LOWER_CASE else value}"
    for name in _ARNS if service in _NAMED_BY else ():
        if (value := parameter(name)).startswith(f"arn:aws:{service}:"):
            return value.split(":", 5)[-1]
    return None


def check_role(service: str, action: str, parameters: Mapping[str, Any]) -> None:
    """Check the permissions of the state machine's role, if a state machine sent the request.

    Raises:
        ApiError: The role may not perform the action on the resource.
    """
    role = execution_role()
    if not role:
        return
    account, region = scope()
    named = named_resource(service, lambda name: str(parameters.get(name) or ""))
    arn = f"arn:aws:{service}:{region}:{account}:{named or '*'}"
    if not role_may(role, f"{service}:{action}", arn):
        message = f"User: {role} is not authorized to perform: {service}:{action} on resource: {arn}"
        raise ApiError("AccessDeniedException", message)
