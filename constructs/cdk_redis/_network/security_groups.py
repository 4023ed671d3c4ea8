"""Security groups without rules, which allow no traffic until a rule is added, and the rules between two groups.

EC2 refuses a second rule with the same groups and ports, whatever its description ("the specified rule ... already
exists"), and a deployment that defines one fails. Two constructs can stand for one group: an import in another stack,
or two imports of one id. So each pair of groups is recorded with the rules that it has, by what their ids refer to.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from cdk_redis._core.naming import description_of
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct, IConstruct

# Metadata of an import: the group that it stands for.
_IMPORT_OF = "cdk-redis:import-of"
# Metadata of the import of a group that a client joined to reach one store: it is no client of other stores.
_JOINED = "cdk-redis:joined"
# Attributes of the Python objects, because each read of metadata calls Node.js.
_RULES = "_cdk_redis_rules"  # of the app: the rules of each pair of groups
_APP = "_cdk_redis_app"  # of a group: the app
_FACTS = "_cdk_redis_facts"  # of a group: what its id refers to, and whether it is joined
_ORIGIN = "_cdk_redis_origin"  # of an import: the group
_CLIENTS = "_cdk_redis_clients"  # of a store's group: the client security group of its network


def create_security_group(scope: Construct, id: str, vpc: ec2.IVpc, description: str) -> ec2.SecurityGroup:
    """Define a security group without rules."""
    return ec2.SecurityGroup(scope, id, vpc=vpc, description=description_of(description), allow_all_outbound=False)


def import_group(
    scope: Construct, id: str, group: ec2.ISecurityGroup, group_id: str, *, allow_all_outbound: bool | None = None
) -> ec2.ISecurityGroup:
    """Import a group of another stack, so that its rules are defined in this stack.

    Args:
        scope: Construct the import is defined in.
        id: Id within the scope.
        group: The group.
        group_id: Its id, as this stack reads it.
        allow_all_outbound: Whether the group allows all outbound traffic. Default: - no egress rules are added.
    """
    imported = ec2.SecurityGroup.from_security_group_id(scope, id, group_id, allow_all_outbound=allow_all_outbound)
    imported.node.add_metadata(_IMPORT_OF, _identity(group))
    vars(imported)[_ORIGIN] = group
    return imported


def mark_open_to(group: ec2.ISecurityGroup, clients: ec2.ISecurityGroup) -> None:
    """Record that the rules from the client security group of a network to the group of a store are defined."""
    vars(group)[_CLIENTS] = clients


def mark_joined(group: ec2.ISecurityGroup) -> None:
    """Record that a group has its rules already, and gets none for the other stores of those who join it."""
    group.node.add_metadata(_JOINED, True)
    vars(group).pop(_FACTS, None)


def is_joined(group: ec2.ISecurityGroup) -> bool:
    """Whether `mark_joined` was called with the group."""
    return _facts(group)[1]


def allow_connections(
    client: ec2.IConnectable, server: ec2.IConnectable, ports: ec2.Port, description: str | None = None
) -> list[IConstruct]:
    """Add the rules that let a client connect to a server, except those that the app has already.

    Args:
        client: The client.
        server: The server.
        ports: Ports of the server.
        description: Description of the rules.

    Returns:
        The rules, also those that the app had already.
    """
    clients, servers = client.connections.security_groups, server.connections.security_groups
    if not clients or not servers:
        # One of the two has addresses in place of security groups.
        client.connections.allow_to(server, ports, description)
        return []
    return [rule for server_group in servers for rule in allow_groups(clients, server_group, ports, description)]


def allow_groups(
    clients: Sequence[ec2.ISecurityGroup], server: ec2.ISecurityGroup, ports: ec2.Port, description: str | None
) -> list[IConstruct]:
    """Add the rules from several groups to one, except those that the app has already; see `allow_connections`."""
    found: list[IConstruct] = []
    for client in clients:
        rules = existing_rules(client, server, ports)
        found += add_rules(client, server, ports, description) if rules is None else rules
    return found


def existing_rules(client: ec2.ISecurityGroup, server: ec2.ISecurityGroup, ports: ec2.Port) -> list[IConstruct] | None:
    """Return the rules from one group to another that the app has; None without any."""
    found = _rules_of_app(server).get(_key(client, server, ports))
    if found is None:
        found = _rules_of_network(client, server)
    return _rules_of_user(client, server, ports) if found is None else found


def add_rules(
    client: ec2.ISecurityGroup, server: ec2.ISecurityGroup, ports: ec2.Port, description: str | None
) -> list[IConstruct]:
    """Add the rules from one group to another, which the app does not have yet.

    A security group that the CDK creates allows all outbound traffic. It needs no egress rule, and
    ``connections.allow_to`` gives the warning "Ignoring Egress rule since 'allowAllOutbound' is set to true".
    """
    before = [len(group.node.children) for group in (client, server)]
    if not _is_open(client):
        client.add_egress_rule(cast("ec2.IPeer", server), ports, description)
    # As `connections.allow_to` does: a rule between two stacks is defined in that of the client.
    server.add_ingress_rule(cast("ec2.IPeer", client), ports, description, remote_rule=True)
    added = [group.node.children[count:] for group, count in zip((client, server), before, strict=True)]
    rules = [rule for group in added for rule in group]
    _rules_of_app(server)[_key(client, server, ports)] = rules
    return rules


def _rules_of_app(group: ec2.ISecurityGroup) -> dict[str, list[IConstruct]]:
    root = group.node.root
    # A reference, or Python forgets the object of an app that the user does not keep.
    vars(group)[_APP] = root
    return vars(root).setdefault(_RULES, {})


def _key(client: ec2.ISecurityGroup, server: ec2.ISecurityGroup, ports: ec2.Port) -> str:
    return f"{_identity(client)} to {_identity(server)} on {ports.to_string()}"


def _identity(group: ec2.ISecurityGroup) -> str:
    """What the id of a group refers to: the same text for a group and all imports of it."""
    return _facts(group)[0]


def _facts(group: ec2.ISecurityGroup) -> tuple[str, bool]:
    known = vars(group).get(_FACTS)
    if known is None:
        metadata = {entry.type: entry.data for entry in group.node.metadata}
        identity = metadata.get(_IMPORT_OF) or _referred(group, group.security_group_id)
        known = vars(group)[_FACTS] = (identity, _JOINED in metadata)
    return known


def _referred(scope: IConstruct, group_id: str) -> str:
    if not is_token(group_id):
        return group_id
    token = cdk.Tokenization.reverse_string(group_id).first_token
    target = getattr(token, "target", None)
    if target is not None and token is not None:
        return f"{target.node.path}.{getattr(token, 'display_name', '')}"
    stack = cdk.Stack.of(scope)
    return f"{stack.node.path} {json.dumps(stack.resolve(group_id), sort_keys=True)}"


def _rules_of_network(client: ec2.ISecurityGroup, server: ec2.ISecurityGroup) -> list[IConstruct] | None:
    """The rules from the client security group of a network to a group that the network created for a store."""
    server = vars(server).get(_ORIGIN, server)
    clients = vars(server).get(_CLIENTS)
    if clients is None or _identity(clients) != _identity(client):
        return None
    return [
        child
        for child in server.node.children
        if (isinstance(child, ec2.CfnSecurityGroupIngress) and _is_from(child, client))
        or (isinstance(child, ec2.CfnSecurityGroupEgress) and _referred(child, child.group_id) == _identity(client))
    ]


def _rules_of_user(client: ec2.ISecurityGroup, server: ec2.ISecurityGroup, ports: ec2.Port) -> list[IConstruct] | None:
    """The rules that the app has defined with ``client.connections.allow_to(server, ports)``, found by their ids."""
    to, of = f"{server.unique_id}:{ports.to_string()}", f"{client.unique_id}:{ports.to_string()}"
    ingress = client.node.try_find_child(f"{to} to") or server.node.try_find_child(f"from {of}")
    egress = client.node.try_find_child(f"to {to}")
    if ingress is None or (egress is None and not _is_open(client)):
        return None
    return [rule for rule in (egress, ingress) if rule is not None]


def _is_open(group: ec2.ISecurityGroup) -> bool:
    return isinstance(group, ec2.SecurityGroup) and bool(group.allow_all_outbound)


def _is_from(rule: ec2.CfnSecurityGroupIngress, client: ec2.ISecurityGroup) -> bool:
    source = rule.source_security_group_id
    return source is not None and _referred(rule, source) == _identity(client)
