"""The interface of every store, for both services, defined or imported: attributes, connections and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_redis._access.secrets import grant_secret_read
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.location import check_location
from cdk_redis._store.across_stacks import open_network, policy_of, reader_for
from cdk_redis._store.metrics import StoreMetrics
from cdk_redis._values.topology import Topology
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_cdk import aws_lambda as lambda_

    from cdk_redis._access.users import User
    from cdk_redis._core.service import Service
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._values.endpoint import Endpoint

# Key of the function's metadata with the store and the user that the function is bound to.
_BOUND = "cdk-redis:bound"


@jsii.implements(ec2.IConnectable)
class IStore(cdk.Resource, StoreMetrics):
    """A store that this app defines or imports: a replication group, a serverless cache or a MemoryDB cluster.

    Accept an `IStore` in code that only connects to a store, reads its metrics or tests it. It is a resource and is
    connectable. Use it in type annotations and with ``isinstance``; do not create one.

    Attributes:
        service: The service that runs it.
        topology: Its declared engine, shards, replicas and TLS.
        store_name: Name of the store in its service; a token if CloudFormation chooses it.
        store_arn: Its ARN.
        endpoint: Where to connect: the configuration endpoint in cluster mode, the primary endpoint without.
        reader_endpoint: Endpoint of the replicas; None in cluster mode, where clients discover the replicas.
        network: The network whose subnets it is placed in; None for an import without a network.
        security_groups: Its security groups.
        users: Its users.
        auth_token: AUTH token that all clients sign in with; None for a store with users.
        parameters: Declared engine settings; empty for an import.
        open_access: Whether clients on the network connect without signing in.
        read_only: Whether it is a copy of another store, which serves reads only.
        keys_expire: Whether keys can have a time to live.
    """

    service: Service
    topology: Topology
    store_name: str
    store_arn: str
    endpoint: Endpoint
    reader_endpoint: Endpoint | None = None
    network: RedisNetwork | None
    auth_token: User | None = None
    open_access: bool = False
    read_only: bool = False
    keys_expire: bool = True

    @checked_arguments
    def __init__(self, scope: Construct, id: str, *, port: int, last_port: int | None = None) -> None:
        super().__init__(scope, id)
        self._port = port
        self._last_port = last_port
        self.users: list[User] = []
        self.parameters: dict[str, str] = {}
        self.security_groups: list[ec2.ISecurityGroup] = []

    def _use_security_groups(self, security_groups: Sequence[ec2.ISecurityGroup]) -> None:
        self.security_groups = list(security_groups)
        self._connections = ec2.Connections(security_groups=self.security_groups, default_port=self.ports)

    @property
    def port(self) -> int:
        """Port that it listens on; a serverless cache also listens on the next port, for reads."""
        return self._port

    @property
    def ports(self) -> ec2.Port:
        """Ports in the rules of its security groups."""
        # Lazy, so that the constructor reports an invalid port before ec2.Port does.
        return ec2.Port.tcp(self._port) if self._last_port is None else ec2.Port.tcp_range(self._port, self._last_port)

    @property
    def connections(self) -> ec2.Connections:
        """Security-group rules to and from the store; the default ports are those of the store."""
        return self._connections

    @property
    def grants(self) -> StoreGrants:
        """Permissions on the store."""
        return StoreGrants(self)

    @checked_arguments
    def grant_connect(self, grantee: iam.IGrantable, *, user: User) -> iam.Grant:
        """Allow a grantee to connect to the store and to sign in as a user. The same as ``grants.connect``.

        Args:
            grantee: The client: a function in a VPC, an instance, a service or a role, in this stack or another.
            user: The user of this store to sign in as.

        Returns:
            The grant of the IAM permissions.

        Raises:
            ConfigurationError: See `StoreGrants.connect`.
        """
        return self.grants.connect(grantee, user=user)

    @checked_arguments
    def bind(self, function: lambda_.Function, *, user: User | None = None) -> None:
        """Allow a function to connect, and add the environment variables that ``connect()`` reads.

        Calls `grant_connect`, and adds variables whose names begin with ``CDK_REDIS_``. They contain no secrets. A
        function can be bound to one store, as one user; binding it again to the same changes nothing. If the user has a
        password, the function must also reach Secrets Manager: see the `secrets_endpoint` of `RedisNetwork`.

        Args:
            function: A function in a VPC from which the store can be reached.
            user: The user of this store that it signs in as. Required unless the store has open access.

        Raises:
            ConfigurationError: If the user belongs to another store, or is missing, or the function is outside any VPC,
                or it is bound to another store or as another user.
        """
        if self._is_bound(function, user):
            return
        if user is not None:
            self.grant_connect(function, user=user)
        elif self.open_access:
            self.grants.network_access(function)
        else:
            hint = "add one with `add_iam_user`"
            raise ConfigurationError(self.node.path, [problem("user", None, "clients sign in as a user", hint)])
        for name, value in self.connection_environment(user, reader_for(self, function)).items():
            function.add_environment(name, value)
        function.node.add_metadata(_BOUND, self._binding(user))

    @checked_arguments
    def connection_environment(
        self, user: User | None, read: Callable[[str, str], str] = lambda _, value: value
    ) -> dict[str, str]:
        """Environment variables with the endpoint and the user, which ``cdk_redis_runtime.connect`` reads.

        They contain no secrets.

        Args:
            user: The user to sign in as; None for a store with open access.
            read: Function that takes the name and the value of an attribute of the store, and returns the text to use
                in the reader's template. Default: - the value itself.
        """
        topology, reader = self.topology, self.reader_endpoint
        variables = {
            environment.SERVICE: self.service.name,
            environment.STORE: read("Name", self.store_name),
            environment.HOST: read("Host", self.endpoint.address),
            environment.PORT: read("Port", self.endpoint.port_text),
            environment.TLS: str(topology.tls).lower(),
            environment.CLUSTER_MODE: str(topology.cluster_mode).lower(),
        }
        if self.service.serverless:
            variables[environment.SERVERLESS] = "true"
        # In cluster mode, clients discover the replicas.
        if reader is not None and topology.replicas and not topology.cluster_mode:
            variables[environment.READER_HOST] = read("ReaderHost", reader.address)
            variables[environment.READER_PORT] = read("ReaderPort", reader.port_text)
        if user is None:
            return {**variables, environment.AUTHENTICATION: environment.AUTHENTICATION_NONE}
        variables[environment.USER] = user.user_name
        if user.secret is None:
            return {**variables, environment.AUTHENTICATION: environment.AUTHENTICATION_IAM}
        return {
            **variables,
            environment.AUTHENTICATION: environment.AUTHENTICATION_PASSWORD,
            environment.SECRET_ARN: read("SecretArn", user.secret.secret_arn),
        }

    def _binding(self, user: User | None) -> str:
        return f"{self.node.path} without a user" if user is None else f"{self.node.path} as {user.node.path}"

    def _is_bound(self, function: lambda_.Function, user: User | None) -> bool:
        """Whether the function is bound to this store and user already; an error if it is bound to another."""
        bound = [str(entry.data) for entry in function.node.metadata if entry.type == _BOUND]
        if bound and self._binding(user) not in bound:
            reason = f"it is bound to {bound[0]}, and a function can be bound to one store as one user only"
            hint = "use a function for each, or `grant_connect` and your own variables with the store's `endpoint`"
            raise ConfigurationError(self.node.path, [problem("function", function.node.path, reason, hint)])
        return bool(bound)


class StoreGrants:
    """Permissions on a store: ``store.grants.connect(function, user=user)``."""

    @checked_arguments
    def __init__(self, store: IStore) -> None:
        """Make grants on a store.

        Args:
            store: The store.
        """
        self._store = store

    @checked_arguments
    def connect(self, grantee: iam.IGrantable, *, user: User) -> iam.Grant:
        """Allow a grantee to connect to the store and to sign in as a user.

        If the grantee has security groups (a function in a VPC, an instance, a service), it adds the security-group
        rules; an IAM role or user has none. For an IAM user of the store, the grantee gets ``elasticache:Connect`` or
        ``memorydb:Connect`` on the store and the user. For a password user, it gets the permissions to read the secret
        and to decrypt it with the secret's KMS key.

        The grantee may be in another stack. The rules and the policy are defined there, and read the store's values
        from plain outputs of the store's stack instead of exports, so that the store can be replaced and the grantee
        removed.

        Args:
            grantee: The client.
            user: The user of this store to sign in as.

        Returns:
            The grant of the IAM permissions.

        Raises:
            ConfigurationError: If the user belongs to another store, the grantee is a function outside any VPC, or the
                store's stack is deployed after the grantee's.
        """
        store = self._store
        if user not in store.users:
            reason = "it is not a user of this store"
            raise ConfigurationError(
                store.node.path, [problem("user", user.node.path, reason, "add it with `add_iam_user`")]
            )
        self.network_access(grantee)
        read = reader_for(store, policy_of(grantee) or store)
        if user.secret is not None:
            return grant_secret_read(user.secret, grantee, read)
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[store.service.connect_action],
            resource_arns=[read("Arn", store.store_arn), user.user_arn],
        )

    @checked_arguments
    def network_access(self, grantee: iam.IGrantable) -> None:
        """Add security-group rules only, for a store with open access or if the permissions are granted elsewhere.

        Args:
            grantee: The client; if it has no security groups, nothing is added.

        Raises:
            ConfigurationError: If the grantee is a function outside any VPC.
        """
        store = self._store
        # A function outside any VPC also has the attribute `connections`, but reading it raises a jsii error.
        if getattr(grantee, "is_bound_to_vpc", True) is False:
            given = getattr(grantee, "node").path  # noqa: B009 - the interface does not declare it
            hint = "give the function `vpc=network.vpc` and `vpc_subnets=network.subnet_selection`"
            raise ConfigurationError(store.node.path, [problem("grantee", given, "it is in no VPC", hint)])
        if getattr(grantee, "connections", None) is not None:
            problems = Problems(store)
            for group in cast("ec2.IConnectable", grantee).connections.security_groups:
                # A rule cannot name a security group of another Region, not even between peered VPCs.
                check_location(problems, "grantee", group, "a client with a security group", scope=store)
            problems.raise_if_any()
            open_network(store, store.security_groups, store.ports, cast("ec2.IConnectable", grantee))
