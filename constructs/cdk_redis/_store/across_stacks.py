"""Connecting to a store from another stack, by plain outputs of the store's stack instead of exports.

CloudFormation refuses to change or delete an export that another stack imports. A store whose endpoint is exported
could not be replaced while a function uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.naming import description_of
from cdk_redis._core.weak_reference import deploy_after, outer_stack, read_weakly
from cdk_redis._network.security_groups import add_rules, allow_connections, existing_rules, import_group, is_joined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from constructs import IConstruct


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
    owner: Construct,
    security_groups: Sequence[ec2.ISecurityGroup],
    ports: ec2.Port,
    client: ec2.IConnectable,
    scope: IConstruct,
) -> list[IConstruct]:
    """Add the rules that let a client connect to a server, except those that the app has already.

    A rule is defined in the stack of the client's security group, which reads the id of the server's group from an
    output. If that stack is deployed before the server's, the rule is defined in the stack of the client itself.

    Args:
        owner: The construct that the server's security groups belong to, such as a store; it is connectable.
        security_groups: The server's security groups.
        ports: Ports of the server.
        client: The client.
        scope: The construct of the client.

    Returns:
        The rules, also those that the app had already.

    Raises:
        ConfigurationError: If the server's stack is deployed after the client's.
    """
    description = description_of(f"to {owner.node.path}")
    groups = [group for group in client.connections.security_groups if not is_joined(group)]
    if not groups:
        return allow_connections(client, cast("ec2.IConnectable", owner), ports, description)
    outer = outer_stack(owner)
    # The first group of each other stack: the server's groups are imported below it.
    holders: dict[str, Construct] = {}
    rules: list[IConstruct] = []
    for group in groups:
        holder = holders.setdefault(outer_stack(group).node.path, _scope_of(group))
        for number, server in enumerate(security_groups, start=1):
            found = existing_rules(group, server, ports)
            if found is None:
                pair = (group, server)
                if outer_stack(group) is not outer:
                    pair = _in_one_stack(owner, server, f"SecurityGroup{number}", group, holder, scope)
                found = add_rules(*pair, ports, description)
            rules += found
    return rules


def _in_one_stack(
    owner: Construct,
    server: ec2.ISecurityGroup,
    name: str,
    group: ec2.ISecurityGroup,
    holder: Construct,
    scope: IConstruct,
) -> tuple[ec2.ISecurityGroup, ec2.ISecurityGroup]:
    """Return a client's group and the server's for rules between them, one or both imported.

    The rules are in the stack of the client's group; if the server's stack is deployed after it, in that of the client.
    """
    try:
        deploy_after(holder, owner)
    except RuntimeError:
        if outer_stack(scope) is not outer_stack(group):
            holder = _scope_of(scope)
            group = _imported(group, holder)
    import_id = f"{cdk.Names.node_unique_id(owner.node)}{name}"
    if (existing := holder.node.try_find_child(import_id)) is not None:
        return group, cast("ec2.ISecurityGroup", existing)
    group_id = reader_for(owner, holder)(name, server.security_group_id)
    return group, import_group(holder, import_id, server, group_id)


def _scope_of(construct: IConstruct) -> Construct:
    """Where to define what belongs to a construct: below it, or in its stack, as Python has no object for an import."""
    return construct if isinstance(construct, Construct) else cdk.Stack.of(construct)


def _imported(group: ec2.ISecurityGroup, scope: Construct) -> ec2.ISecurityGroup:
    import_id = cdk.Names.node_unique_id(group.node)
    if (existing := scope.node.try_find_child(import_id)) is not None:
        return cast("ec2.ISecurityGroup", existing)
    deploy_after(scope, group)
    group_id = read_weakly(scope, cast("Construct", group), "GroupId", group.security_group_id)
    outbound = group.allow_all_outbound
    return import_group(scope, import_id, group, group_id, allow_all_outbound=outbound)


def _deploy_after(store: Construct, reader: IConstruct) -> None:
    try:
        deploy_after(reader, store)
    except RuntimeError:
        ours, theirs = outer_stack(store).node.path, outer_stack(reader).node.path
        reason = f"stack {ours} is deployed after stack {theirs} and would have to be deployed before it as well"
        hint = f"put what {ours} needs into a third stack"
        given = f"a construct in stack {theirs}"
        raise ConfigurationError(store.node.path, [problem("grantee", given, reason, hint)]) from None
