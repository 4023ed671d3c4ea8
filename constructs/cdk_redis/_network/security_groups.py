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
    from constructs import Construct, IConstruct

# Metadata of the root: a pair of groups, the ports, and the paths of the rules.
_RULES = "cdk-redis:rules"
# Metadata of an import: the group that it stands for.
_IMPORT_OF = "cdk-redis:import-of"
# Metadata of the import of a group that a client joined to reach one store: it is no client of other stores.
_JOINED = "cdk-redis:joined"
# Id of the egress rule from a network's client security group to a store.
FROM_CLIENTS = "FromClients"
_GROUP_ID = "/Resource.GroupId"


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
    return imported


def mark_joined(group: ec2.ISecurityGroup) -> None:
    """Record that a group has its rules already, and gets none for the other stores of those who join it."""
    group.node.add_metadata(_JOINED, True)


def is_joined(group: ec2.ISecurityGroup) -> bool:
    """Whether `mark_joined` was called with the group."""
    return any(entry.type == _JOINED for entry in group.node.metadata)


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
    found: list[IConstruct] = []
    for one in clients:
        for other in servers:
            rules = existing_rules(one, other, ports)
            found += add_rules(one, other, ports, description) if rules is None else rules
    return found


def existing_rules(client: ec2.ISecurityGroup, server: ec2.ISecurityGroup, ports: ec2.Port) -> list[IConstruct] | None:
    """Return the rules from one group to another that the app has; None without any."""
    root = client.node.root
    key = _key(client, server, ports)
    for entry in root.node.metadata:
        if entry.type == _RULES and entry.data["key"] == key:
            rules = (_find(root, path) for path in entry.data["rules"])
            return [rule for rule in rules if rule is not None]
    return _rules_of_network(root, _identity(client), _identity(server))


def add_rules(
    client: ec2.ISecurityGroup, server: ec2.ISecurityGroup, ports: ec2.Port, description: str | None
) -> list[IConstruct]:
    """Add the rules from one group to another, which the app does not have yet.

    A security group that the CDK creates allows all outbound traffic. It needs no egress rule, and
    ``connections.allow_to`` gives the warning "Ignoring Egress rule since 'allowAllOutbound' is set to true".
    """
    before = {child.node.path for group in (client, server) for child in group.node.children}
    if not (isinstance(client, ec2.SecurityGroup) and client.allow_all_outbound):
        client.add_egress_rule(cast("ec2.IPeer", server), ports, description)
    # As `connections.allow_to` does: a rule between two stacks is defined in that of the client.
    server.add_ingress_rule(cast("ec2.IPeer", client), ports, description, remote_rule=True)
    after = {child.node.path: child for group in (client, server) for child in group.node.children}
    rules = {path: child for path, child in after.items() if path not in before}
    client.node.root.node.add_metadata(_RULES, {"key": _key(client, server, ports), "rules": [*rules]})
    return [*rules.values()]


def _key(client: ec2.ISecurityGroup, server: ec2.ISecurityGroup, ports: ec2.Port) -> str:
    return f"{_identity(client)} to {_identity(server)} on {ports.to_string()}"


def _identity(group: ec2.ISecurityGroup) -> str:
    """What the id of a group refers to: the same text for a group and all imports of it."""
    for entry in group.node.metadata:
        if entry.type == _IMPORT_OF:
            return str(entry.data)
    return _referred(group, group.security_group_id)


def _referred(scope: IConstruct, group_id: str) -> str:
    if not is_token(group_id):
        return group_id
    token = cdk.Tokenization.reverse_string(group_id).first_token
    target = getattr(token, "target", None)
    if target is not None and token is not None:
        return f"{target.node.path}.{getattr(token, 'display_name', '')}"
    stack = cdk.Stack.of(scope)
    return f"{stack.node.path} {json.dumps(stack.resolve(group_id), sort_keys=True)}"


def _rules_of_network(root: IConstruct, client: str, server: str) -> list[IConstruct] | None:
    """The rules from the client security group of a network to a group that the network created for a store."""
    group = _find(root, server.removesuffix(_GROUP_ID)) if server.endswith(_GROUP_ID) else None
    egress = None if group is None else group.node.try_find_child(FROM_CLIENTS)
    if group is None or not isinstance(egress, ec2.CfnSecurityGroupEgress):
        return None
    if _referred(egress, egress.group_id) != client:
        return None
    ingress = [
        child
        for child in group.node.children
        if isinstance(child, ec2.CfnSecurityGroupIngress)
        and _referred(child, child.source_security_group_id or "") == client
    ]
    return [egress, *ingress]


def _find(root: IConstruct, path: str) -> IConstruct | None:
    parts = path.split("/")
    found: IConstruct | None = root
    for part in parts[1:] if root.node.id else parts:
        found = None if found is None else found.node.try_find_child(part)
    return found
