"""What a program needs to use a store: security-group rules, permissions, and variables with the endpoint and the user.

Everything is defined in the stack of the program, and reads the store's values from plain outputs of the store's stack.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from cdk_redis._access.secrets import grant_secret_read
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.location import check_location
from cdk_redis._core.weak_reference import refer_weakly
from cdk_redis._store.across_stacks import open_network, policy_of, reader_for
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from constructs import Construct, IConstruct

    from cdk_redis._access.users import User
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._store.clients import Client, Grantee
    from cdk_redis._store.parts import StoreParts


def check_user(store: StoreParts, user: User | None) -> None:
    """Check that a client signs in as a user of the store, unless the store has open access.

    Raises:
        ConfigurationError: If the user is missing or belongs to another store.
    """
    if user is None and not store.open_access:
        hint = "add one with `add_iam_user`"
        raise ConfigurationError(store.node.path, [problem("user", None, "clients sign in as a user", hint)])
    if user is not None and user not in store.users:
        reason = "it is not a user of this store"
        raise ConfigurationError(
            store.node.path, [problem("user", user.node.path, reason, "add it with `add_iam_user`")]
        )


def check_region(store: StoreParts, grantee: Grantee, parameter: str) -> None:
    """Check that a client's security groups are in the store's Region.

    A rule cannot name a security group of another Region, not even between peered VPCs.
    """
    problems = Problems(store)
    for group in [] if grantee.connectable is None else grantee.connectable.connections.security_groups:
        check_location(problems, parameter, group, "a client with a security group", scope=store)
    problems.raise_if_any()


def open_store(store: StoreParts, grantee: Grantee) -> list[IConstruct]:
    """Add the security-group rules between a client and a store, and return them."""
    if grantee.connectable is None:
        return []
    scope = grantee.construct or store
    if store.network is not None:
        # The client is in the subnets of the network, which the CDK would read by exports.
        refer_weakly(store.network, scope)
    return open_network(store, store.security_groups, store.ports, grantee.connectable, scope)


def sign_in(store: StoreParts, grantee: Grantee, user: User) -> iam.Grant:
    """Allow a client to sign in as a user: with its own credentials, or with the password in the user's secret."""
    read = reader_for(store, policy_of(grantee.principal) or store)
    if user.secret is not None:
        return grant_secret_read(user.secret, grantee.principal, read)
    return iam.Grant.add_to_principal(
        grantee=grantee.principal,
        actions=[store.service.connect_action],
        resource_arns=[read("Arn", store.store_arn), user.user_arn],
    )


def secrets_endpoint(network: RedisNetwork | None, client: Client) -> ec2.IInterfaceVpcEndpoint | None:
    """The VPC endpoint by which a client reads secrets; None if it reads them in another way.

    An endpoint of the network is used by all subnets of its VPC, because it has the private DNS name of the service.

    Args:
        network: The network of the store; None if it is not known.
        client: The client.

    Raises:
        ConfigurationError: If the client is in isolated subnets of an existing VPC, and no endpoint is named.
    """
    if network is None:
        return None
    if network.secrets_endpoint is None and not _is_isolated(network, client):
        return None
    return network.require_secrets_endpoint()


def open_endpoint(network: Construct, endpoint: ec2.IInterfaceVpcEndpoint, grantee: Grantee) -> list[IConstruct]:
    """Add the security-group rules between a client and the endpoint for Secrets Manager, and return them."""
    if grantee.connectable is None:
        return []
    scope = grantee.construct or network
    refer_weakly(network, scope)
    owner = cast("Construct", endpoint)
    groups = endpoint.connections.security_groups
    return open_network(owner, groups, ec2.Port.tcp(443), grantee.connectable, scope)


def _is_isolated(network: RedisNetwork, client: Client) -> bool:
    """Whether a client runs in isolated subnets of a network's VPC."""
    subnets = client.subnets()
    if subnets is None:
        # A task runs in the subnets of the network, as far as this app shows. Those that it defines are isolated.
        return network.owns_vpc
    stack = cdk.Stack.of(client.holder)
    listed = json.dumps(stack.resolve(subnets))
    return any(json.dumps(stack.resolve(subnet.subnet_id)) in listed for subnet in network.vpc.isolated_subnets)


def environment_of(
    store: StoreParts, user: User | None, read: Callable[[str, str], str], name: str | None = None
) -> dict[str, str]:
    """The variables with the endpoint of a store and a user; see `IStore.connection_environment`."""
    topology, reader = store.topology, store.reader_endpoint
    variables = {
        environment.SERVICE: store.service.name,
        environment.STORE: read("Name", store.store_name),
        environment.HOST: read("Host", store.endpoint.address),
        environment.PORT: read("Port", store.endpoint.port_text),
        environment.TLS: str(topology.tls).lower(),
        environment.CLUSTER_MODE: str(topology.cluster_mode).lower(),
    }
    if store.service.serverless:
        variables[environment.SERVERLESS] = "true"
    # In cluster mode, clients discover the replicas.
    if reader is not None and topology.replicas and not topology.cluster_mode:
        variables[environment.READER_HOST] = read("ReaderHost", reader.address)
        variables[environment.READER_PORT] = read("ReaderPort", reader.port_text)
    variables |= _authentication(user, read)
    return {environment.variable(field, name): value for field, value in variables.items()}


def _authentication(user: User | None, read: Callable[[str, str], str]) -> Mapping[str, str]:
    if user is None:
        return {environment.AUTHENTICATION: environment.AUTHENTICATION_NONE}
    if user.secret is None:
        return {environment.USER: user.user_name, environment.AUTHENTICATION: environment.AUTHENTICATION_IAM}
    return {
        environment.USER: user.user_name,
        environment.AUTHENTICATION: environment.AUTHENTICATION_PASSWORD,
        environment.SECRET_ARN: read("SecretArn", user.secret.secret_arn),
    }
