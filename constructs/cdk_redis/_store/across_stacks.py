"""Connecting to a store from another stack, by plain outputs of the store's stack instead of exports.

CloudFormation refuses to change or delete an export that another stack imports. A store whose endpoint is exported
could not be replaced while a function uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.naming import description_of
from cdk_redis._core.weak_reference import deploy_after, outer_stack, read_weakly
from cdk_redis._network.security_groups import allow_connections

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from constructs import Construct, IConstruct


def reader_for(store: Construct, reader: IConstruct) -> Callable[[str, str], str]:
    """Return a function that maps the name and value of an attribute to the text that the reader's template contains.

    In the same stack, that is the value itself; in another stack, a reference to an output of the store's stack.
    """

    def read(name: str, value: str) -> str:
        weak = read_weakly(reader, store, name, value)
        if weak != value:
            _deploy_after(store, reader)
        return weak

    return read


def policy_of(grantee: iam.IGrantable) -> IConstruct | None:
    """Return the construct whose stack contains the grantee's policy; None for a principal such as a service."""
    for candidate in (grantee.grant_principal, grantee):
        if getattr(candidate, "node", None) is not None:
            return cast("IConstruct", candidate)
    return None


def open_network(
    store: Construct, security_groups: Sequence[ec2.ISecurityGroup], ports: ec2.Port, client: ec2.IConnectable
) -> None:
    """Add the rules that let a client connect to a store; they are defined in the client's stack.

    Args:
        store: The store, which is connectable.
        security_groups: Security groups of the store.
        ports: Ports of the store.
        client: The client.
    """
    description = description_of(f"to {store.node.path}")
    outer = outer_stack(store)
    elsewhere = [group for group in client.connections.security_groups if outer_stack(group) is not outer]
    if not elsewhere:
        allow_connections(client, cast("ec2.IConnectable", store), ports, description)
        return
    from aws_cdk import aws_ec2 as ec2

    # A rule is defined in the stack of its security group, so the store's groups are imported there.
    scope = cast("Construct", elsewhere[0])
    read = reader_for(store, scope)
    for number, group in enumerate(security_groups, start=1):
        name = f"{cdk.Names.node_unique_id(store.node)}SecurityGroup{number}"
        imported = scope.node.try_find_child(name) or ec2.SecurityGroup.from_security_group_id(
            scope, name, read(f"SecurityGroup{number}", group.security_group_id)
        )
        allow_connections(client, cast("ec2.IConnectable", imported), ports, description)


def _deploy_after(store: Construct, reader: IConstruct) -> None:
    try:
        deploy_after(reader, store)
    except RuntimeError:
        ours, theirs = outer_stack(store).node.path, outer_stack(reader).node.path
        reason = f"stack {ours} is deployed after stack {theirs} and would have to be deployed before it as well"
        hint = f"put what {ours} needs into a third stack"
        given = f"a construct in stack {theirs}"
        raise ConfigurationError(store.node.path, [problem("grantee", given, reason, hint)]) from None
