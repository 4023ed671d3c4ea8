"""What cannot be deleted while something uses it."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_redis_local._emulator.refusals.access import ACL, DEFAULT, USER, USER_GROUP
from cdk_redis_local._emulator.refusals.groups import MEMORYDB_PARAMETERS, MEMORYDB_SUBNETS, PARAMETERS, SUBNETS
from cdk_redis_local._emulator.refusals.rule import Broken, Case, Rule, text
from cdk_redis_local._emulator.refusals.sources import ELASTICACHE_API, MEMORYDB_API, UNSEEN, terraform
from cdk_redis_local._emulator.refusals.stores import CLUSTER, GROUP, SERVERLESS

_CLUSTERS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Deleting.html"


def _users_of(case: Case, parameters: dict[str, str]) -> Iterator[str]:
    """The names of the resources that name this one; ``parameters`` has the property of each type."""
    for resource_type, parameter in parameters.items():
        for name, properties in case.known.all_of(resource_type):
            given = properties.get(parameter)
            names = [text(one).lower() for one in (given if isinstance(given, list) else [given])]
            if case.name.lower() in names:
                yield name


def _in_use(**parameters: str) -> Broken:
    types = {"group": GROUP, "serverless": SERVERLESS, "cluster": CLUSTER}
    by_type = {types[name]: parameter for name, parameter in parameters.items()}
    return lambda case: next((case.name for _ in _users_of(case, by_type)), None)


def _default_of_a_group(case: Case) -> object:
    is_default = text(case.new.get("UserName")).lower() == DEFAULT
    return is_default and any(_users_of(case, {USER_GROUP: "UserIds"}))


RULES = [
    Rule(
        USER,
        "DefaultUserAssociatedToUserGroup",
        "User is associated to user group(s) as a default user and can't be deleted",
        _default_of_a_group,
        terraform(21924),
    ),
    Rule(
        USER_GROUP,
        "InvalidUserGroupState",
        "User group {} is associated with a replication group or serverless cache and cannot be deleted.",
        _in_use(group="UserGroupIds", serverless="UserGroupId"),
        f"{ELASTICACHE_API}API_DeleteUserGroup.html{UNSEEN}",
    ),
    Rule(
        PARAMETERS,
        "InvalidCacheParameterGroupState",
        "One or more cache clusters are still members of this parameter group {}, so the group cannot be deleted.",
        _in_use(group="CacheParameterGroupName"),
        f"{_CLUSTERS}{UNSEEN}",
    ),
    Rule(
        SUBNETS,
        "CacheSubnetGroupInUse",
        "Cache subnet group {} is currently in use by a cache cluster.",
        _in_use(group="CacheSubnetGroupName"),
        f"{ELASTICACHE_API}API_DeleteCacheSubnetGroup.html{UNSEEN}",
    ),
    Rule(
        ACL,
        "InvalidACLStateFault",
        "ACL {} is associated with a cluster and cannot be deleted.",
        _in_use(cluster="ACLName"),
        f"{MEMORYDB_API}API_DeleteACL.html{UNSEEN}",
    ),
    Rule(
        MEMORYDB_PARAMETERS,
        "InvalidParameterGroupStateFault",
        "One or more clusters are still members of this parameter group {}, so the group cannot be deleted.",
        _in_use(cluster="ParameterGroupName"),
        f"{MEMORYDB_API}API_DeleteParameterGroup.html{UNSEEN}",
    ),
    Rule(
        MEMORYDB_SUBNETS,
        "SubnetGroupInUseFault",
        "Subnet group {} is currently in use by a cluster.",
        _in_use(cluster="SubnetGroupName"),
        f"{MEMORYDB_API}API_DeleteSubnetGroup.html{UNSEEN}",
    ),
]
"""The rules, which are checked before a resource is deleted."""
