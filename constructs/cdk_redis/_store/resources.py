"""Checks of the resources that a store is given: a subnet group, security groups, a parameter group, users and so on.

A resource of another Region, account, VPC or service is found to be missing after minutes of a deployment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.checks import check_name
from cdk_redis._core.location import check_location
from cdk_redis._core.taken_names import check_not_taken
from cdk_redis._core.tokens import is_token
from cdk_redis._network.addresses import FEWEST_ADDRESSES, most_addresses
from cdk_redis._network.network import check_network
from cdk_redis._values.network_type import NetworkType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct, IConstruct

    from cdk_redis._core.errors import Problems
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._network.subnet_groups import ISubnetGroup

# "Security groups per network interface": 5 by default, 16 at most.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html, read on 2026-11-21
_MAX_SECURITY_GROUPS = 16
# Until the CDK CLI has looked them up, all security groups and all VPCs have these ids.
_DUMMIES = ("sg-12345678", "vpc-12345")
# Replication groups, serverless caches and MemoryDB clusters have the same limit.
MAX_STORE_NAME = 40


def check_same_place(problems: Problems, scope: IConstruct, **given: object) -> None:
    """Check that resources which the services know by their names are in the store's account and Region.

    Args:
        problems: Where to add problems.
        scope: The store.
        given: The resources by their parameter, such as ``parameter_group``.
    """
    for parameter, resource in given.items():
        kind = "an ACL" if parameter == "acl" else f"a {parameter.replace('_', ' ')}"
        check_location(problems, parameter, resource, kind, scope=scope, account=True)


def check_subnet_group(
    problems: Problems, scope: IConstruct, subnet_group: ISubnetGroup | None, *, service: str
) -> None:
    """Check that an existing subnet group is one of the store's service, account and Region.

    Args:
        problems: Where to add problems.
        scope: The store.
        subnet_group: The group.
        service: Name of the service of the store.
    """
    if subnet_group is None:
        return
    its = getattr(subnet_group, "service", None)
    if its is not None and its != service:
        given = getattr(getattr(subnet_group, "node", None), "path", None)
        hint = f"give the store a subnet group of {service}"
        problems.add("subnet_group", given, f"it is a group of {its}", hint)
    check_same_place(problems, scope, subnet_group=subnet_group)


def check_security_groups(
    problems: Problems,
    scope: IConstruct,
    security_groups: Sequence[ec2.ISecurityGroup] | None,
    network: RedisNetwork | None,
    *,
    user: str = "the store",
) -> None:
    """Check existing security groups: at least one, each once, in the Region and the VPC of the store.

    Args:
        problems: Where to add problems.
        scope: The construct that uses the groups.
        security_groups: The groups; None if they are left out.
        network: The network of the store; None if it is not known.
        user: The name of that construct in messages.
    """
    if security_groups is None:
        return
    parameter, count = "security_groups", len(security_groups)
    if count == 0:
        problems.add(parameter, [], "it is a list of one or more security groups", "leave it out to create one")
    if count > _MAX_SECURITY_GROUPS:
        reason = f"a network interface has up to {_MAX_SECURITY_GROUPS}"
        problems.add(parameter, f"{count} security groups", reason, "merge some of them")
    seen: set[str] = set()
    for index, group in enumerate(security_groups):
        one = f"{parameter}[{index}]"
        check_location(problems, one, group, "a security group", scope=scope, user=user)
        if group.security_group_id in seen and group.security_group_id not in _DUMMIES:
            problems.add(one, group.node.path, "it is in the list already", "list each group once")
        elif network is not None and (vpc := _other_vpc(group, network)) is not None:
            reason = f"it is of {vpc}, and {user} is in {network.vpc.node.path}"
            hint = "use a group of that VPC; import a group that is associated with several VPCs"
            problems.add(one, group.node.path, reason, hint)
        seen.add(group.security_group_id)


def _other_vpc(group: ec2.ISecurityGroup, network: RedisNetwork) -> str | None:
    """Return the VPC of a security group if both VPCs are known and differ, else None."""
    from aws_cdk import aws_ec2 as ec2

    resource = group.node.default_child
    if not isinstance(resource, ec2.CfnSecurityGroup) or resource.vpc_id is None:
        return None
    its, own = resource.vpc_id, network.vpc.vpc_id
    if not is_token(its) and not is_token(own):
        return None if its == own or its in _DUMMIES or own in _DUMMIES else its
    vpc, other = _defined_vpc(own), _defined_vpc(its)
    if vpc is None or other is None or vpc.node.path == other.node.path:
        return None
    # The path of the L2 construct, not of its resource.
    return other.node.path.removesuffix("/Resource")


def _defined_vpc(vpc_id: str) -> cdk.CfnResource | None:
    """Return the VPC that this app defines and an id refers to."""
    if not is_token(vpc_id):
        return None
    from aws_cdk import aws_ec2 as ec2

    token = cdk.Tokenization.reverse_string(vpc_id).first_token
    target = getattr(token, "target", None)
    return target if isinstance(target, ec2.CfnVPC) else None


def check_addresses(
    problems: Problems,
    network: RedisNetwork,
    subnet_group: ISubnetGroup | None,
    shards: int | None,
    replicas: int,
    network_type: NetworkType = NetworkType.IPV4,
) -> None:
    """Check that the subnets have an address for each node, if nothing else were in them.

    Args:
        problems: Where to add problems.
        network: The network of the store.
        subnet_group: An existing subnet group. Its subnets are unknown here: with one, nothing is checked.
        shards: Number of shards; None if there is one.
        replicas: Replicas of each shard.
        network_type: Kinds of addresses of the nodes. An IPv6 subnet has enough for all.
    """
    shards = 1 if shards is None else shards
    if subnet_group is not None or network_type is NetworkType.IPV6 or is_token(shards) or is_token(replicas):
        return
    nodes = shards * (1 + replicas)
    if nodes <= FEWEST_ADDRESSES:
        return
    addresses = most_addresses(network.subnets)
    if addresses is not None and nodes > addresses:
        reason = f"the store has {nodes} nodes, and the network's subnets have {addresses} addresses"
        problems.add("network", network.node.path, reason, "use larger subnets, or fewer nodes")


def check_store_name(problems: Problems, parameter: str, name: str | None, *, scope: Construct, kind: str) -> None:
    """Check the name of a new store: its form, and that no other store of this app has it.

    Args:
        problems: Where to add problems.
        parameter: Name of the parameter.
        name: The name; None if AWS or the library chooses it.
        scope: The store.
        kind: Kind of the store, such as ``"replication group"``.
    """
    check_name(problems, parameter, name, max_length=MAX_STORE_NAME)
    check_not_taken(problems, parameter, name, scope=scope, kind=kind)


def check_import(
    problems: Problems,
    scope: IConstruct,
    parameter: str,
    name: str,
    *,
    network: RedisNetwork | None,
    security_groups: Sequence[ec2.ISecurityGroup],
) -> None:
    """Check an import of a store: its name as AWS stores it, and network and groups of its Region.

    Args:
        problems: Where to add problems.
        scope: Scope of the import.
        parameter: Name of the parameter for the name.
        name: Name of the store. Tokens sign in with it and policies contain it, so that another case is refused.
        network: Its network.
        security_groups: Its security groups.
    """
    lower = name.lower()
    if not is_token(name) and name != lower:
        # IAM compares the ARN of the policy with that of the store case by case, and denies without a reason.
        reason = "AWS stores names in lower case, and IAM would deny every connection"
        problems.add(parameter, name, reason, f"write {lower!r}")
    else:
        check_name(problems, parameter, name, max_length=MAX_STORE_NAME)
    if network is not None:
        check_network(problems, scope, network)
    # A store may have been created without a group that this app can change.
    check_security_groups(problems, scope, security_groups or None, network)
