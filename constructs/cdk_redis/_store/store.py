"""What every store offers to those who connect to it, whichever service runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_redis._access.authentication import Authentication
from cdk_redis._access.secrets import grant_secret_read
from cdk_redis._access.users import read_access
from cdk_redis._core.checks import check_name
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import MAX_USER_NAME
from cdk_redis._store.across_stacks import open_network, policy_of, reader_for
from cdk_redis._store.metrics import StoreMetrics
from cdk_redis._values.topology import Topology
from cdk_redis_runtime._client import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.users import User
    from cdk_redis._core.service import Service
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._values.endpoint import Endpoint

# In the function's metadata: the store and the user that it is bound to.
_BOUND = "cdk-redis:bound"


@jsii.implements(ec2.IConnectable)
class Store(cdk.Resource, StoreMetrics):
    """What `ReplicationGroup`, `ServerlessCache`, `MemoryDbCluster` and their imports have in common.

    Attributes:
        service: The service that runs it.
        topology: What it was asked to be.
        store_name: Name that the service knows it by; a token where CloudFormation chooses it.
        store_arn: Its ARN.
        endpoint: Where to connect: the configuration endpoint in cluster mode, the primary endpoint without.
        reader_endpoint: Leads to replicas; None where clients in cluster mode ask the cluster for them.
        network: The network that it stands in; None for an import that named none.
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
        # Not before it is asked for: a port that is none is the constructor's to refuse.
        return ec2.Port.tcp(self._port) if self._last_port is None else ec2.Port.tcp_range(self._port, self._last_port)

    @property
    def connections(self) -> ec2.Connections:
        """Security-group rules to and from the store; its default port is the store's, or its ports are."""
        return self._connections

    def add_iam_user(self, name: str, access: AccessString | str) -> User:
        """Add a user that signs in with a token made from the caller's AWS credentials.

        Args:
            name: Id of the user within this store, in lower-case letters, digits and hyphens. The name to sign in
                with is generated from it, since users' names are unique in an account: see ``user_name``.
            access: What it may do, such as ``AccessString.read_write("app:*")`` or ``"on ~app:* +@read"``.

        Returns:
            The user, to be given to `grant_connect`.

        Raises:
            ConfigurationError: If the name is taken or not legal, or the engine has no IAM users.
        """
        return self._add_user(name, access, Authentication.iam())

    def add_password_user(
        self, name: str, access: AccessString | str, *, secret: secretsmanager.ISecret | None = None
    ) -> User:
        """Add a user that signs in with a password kept in Secrets Manager.

        Args:
            name: Id of the user within this store, in lower-case letters, digits and hyphens.
            access: What it may do, such as ``AccessString.read_write("app:*")`` or ``"on ~app:* +@read"``.
            secret: A secret whose value is JSON with the key ``password``, 16 to 128 characters long.
                Default: - one with a random password is generated.

        Returns:
            The user, to be given to `grant_connect`; its ``secret`` holds ``username`` and ``password``.

        Raises:
            ConfigurationError: If the name is taken or not legal.
        """
        return self._add_user(name, access, Authentication.password(secret))

    def grant_connect(self, grantee: iam.IGrantable, *, user: User) -> iam.Grant:
        """Let someone connect: open the network to it, and let it sign in as a user.

        The network is opened by a security-group rule where the grantee has security groups (a function in a VPC, an
        instance, a service); a role or a user of IAM has none. An IAM user of the store needs
        ``elasticache:Connect`` or ``memorydb:Connect`` on both the store and the user; for a password user the
        grantee may read the secret, and decrypt it where it has a KMS key of its own.

        The grantee may stand in another stack. The rules and the policy stand there, and read the store's values from
        plain outputs of the store's stack: no export keeps the store from being replaced or the grantee from being
        removed.

        Args:
            grantee: Who connects.
            user: The user of this store that it signs in as.

        Returns:
            The grant of the IAM permissions.

        Raises:
            ConfigurationError: If the user belongs to another store, or the grantee is a function outside any VPC.
        """
        if user not in self.users:
            raise ConfigurationError(
                self.node.path,
                [problem("user", user.node.path, "it is not a user of this store", "add it with `add_iam_user`")],
            )
        self._open_network_to(grantee)
        read = reader_for(self, policy_of(grantee) or self)
        if user.secret is not None:
            return grant_secret_read(user.secret, grantee, read)
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[self.service.connect_action],
            resource_arns=[read("Arn", self.store_arn), user.user_arn],
        )

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
            self._open_network_to(function)
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

    def _open_network_to(self, grantee: iam.IGrantable) -> None:
        # A function outside a VPC has the attribute `connections` too: reading it ends in a jsii stack trace.
        if getattr(grantee, "is_bound_to_vpc", True) is False:
            given = getattr(grantee, "node").path  # noqa: B009 - the interface does not declare it
            hint = "give the function `vpc=network.vpc` and `vpc_subnets=network.subnet_selection`"
            raise ConfigurationError(self.node.path, [problem("grantee", given, "it is in no VPC", hint)])
        if getattr(grantee, "connections", None) is not None:
            open_network(self, self.security_groups, self.ports, cast("ec2.IConnectable", grantee))

    def _add_user(self, name: str, access: AccessString | str, authentication: Authentication) -> User:
        problems = Problems(self)
        check_name(problems, "name", name, max_length=MAX_USER_NAME)
        access = read_access(problems, access)
        problems.raise_if_any()
        # A scope for the users, so that their ids differ from those of the other children.
        users = cast("Construct", self.node.try_find_child("Users")) or Construct(self, "Users")
        if users.node.try_find_child(name) is not None:
            raise ConfigurationError(self.node.path, [problem("name", name, "the store has a user of that name")])
        user = self._create_user(users, name, access, authentication)
        # A list of users that stores share has it already.
        if user not in self.users:
            self.users.append(user)
        return user

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:
        """Define a user, and let the store know it."""
        raise NotImplementedError
