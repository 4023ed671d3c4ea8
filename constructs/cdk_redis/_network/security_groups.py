"""Security groups without rules, which allow no traffic until a rule is added, and the rules between two groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import aws_ec2 as ec2

from cdk_redis._core.naming import description_of

if TYPE_CHECKING:
    from constructs import Construct


def create_security_group(scope: Construct, id: str, vpc: ec2.IVpc, description: str) -> ec2.SecurityGroup:
    """Define a security group without rules."""
    return ec2.SecurityGroup(scope, id, vpc=vpc, description=description_of(description), allow_all_outbound=False)


def allow_connections(
    client: ec2.IConnectable, server: ec2.IConnectable, ports: ec2.Port, description: str | None = None
) -> None:
    """Add the rules that let a client connect to a server.

    A security group that the CDK creates allows all outbound traffic. To such a group, ``connections.allow_to`` adds no
    egress rule, and gives the warning "Ignoring Egress rule since 'allowAllOutbound' is set to true". It needs no such
    rule, so only the ingress rule is added.

    Args:
        client: The client.
        server: The server.
        ports: Ports of the server.
        description: Description of the rules.
    """
    groups = client.connections.security_groups
    # The CDK adds egress rules to an imported group even if it is declared as open.
    if not any(isinstance(group, ec2.SecurityGroup) and group.allow_all_outbound for group in groups):
        client.connections.allow_to(server, ports, description)
        return
    for group in groups:
        if isinstance(group, ec2.SecurityGroup) and group.allow_all_outbound:
            for target in server.connections.security_groups:
                # As `allow_to` does: a rule between two stacks is defined in that of the client.
                target.add_ingress_rule(cast("ec2.IPeer", group), ports, description, remote_rule=True)
        else:
            group.connections.allow_to(server, ports, description)
