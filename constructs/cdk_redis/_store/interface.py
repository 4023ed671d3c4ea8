"""What a store offers to those who connect to it, whichever service runs it, and whether it is defined or imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_redis._access.secrets import grant_secret_read
from cdk_redis._core.errors import ConfigurationError, problem
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

# In the function's metadata: the store and the user that it is bound to.
_BOUND = "cdk-redis:bound"


@jsii.implements(ec2.IConnectable)
class IStore(cdk.Resource, StoreMetrics):
    """A store that this app defines or imports: a replication group, a serverless cache or a MemoryDB cluster.

    What takes a store only to connect to it, to measure it or to test it takes an `IStore`. It is a resource and is
    connectable; use it in type annotations and with ``isinstance``, and do not create one.

    Attributes:
        service: The service that runs it.
        topology: Its declared engine, shards, replicas and TLS.
        store_name: Name that the service knows it by; a token where CloudFormation chooses it.
        store_arn: Its ARN.
        endpoint: Where to connect: the configuration endpoint in cluster mode, the primary endpoint without.
        reader_endpoint: Leads to replicas; None where clients in cluster mode ask the cluster for them.
        network: The network whose subnets it is placed in; None for an import without a network.
        security_groups: Its security groups.
        users: Its users.
        auth_token: What everybody signs in with, where the store has an AUTH token in place of users.
        parameters: Engine settings that were declared; empty for an import.
        open_access: Whether anyone on the network gets in without signing in.
        read_only: Whether it only serves reads, as a copy of another store.
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
        """Port that it listens on; a serverless cache listens for readers on the next one too."""
        return self._port

    @property
    def ports(self) -> ec2.Port:
        """Ports that its security groups are opened on."""
        # Lazy, so that the constructor reports an invalid port before ec2.Port does.
        return ec2.Port.tcp(self._port) if self._last_port is None else ec2.Port.tcp_range(self._port, self._last_port)

    @property
    def connections(self) -> ec2.Connections:
        """Security-group rules to and from the store; its default port is the store's, or its ports are."""
        return self._connections

    @property
    def grants(self) -> StoreGrants:
        """Permissions on the store."""
        return StoreGrants(self)

    def grant_connect(self, grantee: iam.IGrantable, *, user: User) -> iam.Grant:
        """Let someone connect: open the network, and allow to sign in as a user. Short for ``grants.connect``.

        Args:
            grantee: Who connects: a function in a VPC, an instance, a service, a role; in this stack or another.
            user: The user of this store to sign in as.

        Returns:
            The grant of the IAM permissions.

        Raises:
            ConfigurationError: See `StoreGrants.connect`.
        """
        return self.grants.connect(grantee, user=user)

    def bind(self, function: lambda_.Function, *, user: User | None = None) -> None:
        """Let a function connect, and tell it by its environment where and as whom: ``connect()`` reads that.

        As `grant_connect`, and variables whose names begin with ``CDK_REDIS_``; no secret is among them. One function
        can be bound to one store, as one user: to do so again changes nothing. Where the user has a password, the
        function must also reach Secrets Manager: see the `secrets_endpoint` of `RedisNetwork`.

        Args:
            function: A function in a VPC from which the store can be reached.
            user: The user of this store that it signs in as. Default: - none, for a store with open access.

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
            raise ConfigurationError(self.node.path, [problem("user", None, "nobody gets in without a user", hint)])
        for name, value in self.connection_environment(user, reader_for(self, function)).items():
            function.add_environment(name, value)
        function.node.add_metadata(_BOUND, self._binding(user))

    def connection_environment(
        self, user: User | None, read: Callable[[str, str], str] = lambda _, value: value
    ) -> dict[str, str]:
        """Environment variables that tell ``cdk_redis_runtime.connect`` where the store is and how to sign in.

        No secret is among them.

        Args:
            user: The user to sign in as; None for a store with open access.
            read: Called with the name and the value of each attribute of the store, returns what the template of
                the reader contains. Default: - the value itself.
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
        # In cluster mode the cluster itself says where its replicas are.
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
        """Whether the function is bound so already; an error where it is bound otherwise, whose variables it has."""
        bound = [str(entry.data) for entry in function.node.metadata if entry.type == _BOUND]
        if bound and self._binding(user) not in bound:
            reason = f"it is bound to {bound[0]}, and a function has the variables of one store and one user"
            hint = "use a function for each, or `grant_connect` and the store's `endpoint` in variables of your own"
            raise ConfigurationError(self.node.path, [problem("function", function.node.path, reason, hint)])
        return bool(bound)


class StoreGrants:
    """What can be granted on a store: ``store.grants.connect(function, user=user)``."""

    def __init__(self, store: IStore) -> None:
        """Make grants on a store.

        Args:
            store: The store.
        """
        self._store = store

    def connect(self, grantee: iam.IGrantable, *, user: User) -> iam.Grant:
        """Let someone connect: open the network, and allow to sign in as a user.

        The network is opened by security-group rules if the grantee has security groups (a function in a VPC, an
        instance, a service); an IAM role or user has none. To sign in as an IAM user of the store, the grantee gets
        ``elasticache:Connect`` or ``memorydb:Connect`` on the store and the user. For a password user, it may read the
        secret, and decrypt it with the secret's KMS key.

        The grantee may be in another stack. The rules and the policy are defined there, and read the store's values
        from plain outputs of the store's stack: no export keeps the store from being replaced or the grantee from
        being removed.

        Args:
            grantee: Who connects.
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

    def network_access(self, grantee: iam.IGrantable) -> None:
        """Open the network only: for a store with open access, or for permissions that are granted elsewhere.

        Args:
            grantee: Who connects; nothing happens if it has no security groups.

        Raises:
            ConfigurationError: If the grantee is a function outside any VPC.
        """
        store = self._store
        # Such a function has the attribute `connections` too, and reading it raises an error of jsii.
        if getattr(grantee, "is_bound_to_vpc", True) is False:
            given = getattr(grantee, "node").path  # noqa: B009 - the interface does not declare it
            hint = "give the function `vpc=network.vpc` and `vpc_subnets=network.subnet_selection`"
            raise ConfigurationError(store.node.path, [problem("grantee", given, "it is in no VPC", hint)])
        if getattr(grantee, "connections", None) is not None:
            open_network(store, store.security_groups, store.ports, cast("ec2.IConnectable", grantee))
