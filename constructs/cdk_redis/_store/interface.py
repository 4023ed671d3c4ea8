"""The interface of every store, for both services, defined or imported: attributes, connections and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._store.access import check_region, check_user, environment_of, open_store, sign_in
from cdk_redis._store.alarms import StoreAlarms
from cdk_redis._store.binding import bind_to_store, check_name
from cdk_redis._store.clients import Given, grantee_of
from cdk_redis._store.parts import StoreParts
from cdk_redis._store.sharing import SharedConnection, share_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_cdk import aws_autoscaling as autoscaling
    from aws_cdk import aws_ecs as ecs
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from cdk_redis._access.users import User
    from cdk_redis._code.client_layer import RedisClientLayer

# Id of the layer with the client in its stack.
_LAYER = "RedisClientLayer"


@jsii.implements(ec2.IConnectable)
class IStore(StoreParts, StoreAlarms):
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
        alarms: Its alarms by name, see `add_alarms`.
    """

    @property
    def grants(self) -> StoreGrants:
        """Permissions on the store."""
        return StoreGrants(self)

    @checked_arguments
    def grant_connect(self, grantee: iam.IGrantable | ecs.BaseService | ecs.TaskDefinition, *, user: User) -> iam.Grant:
        """Allow a grantee to connect to the store and to sign in as a user. The same as ``grants.connect``.

        Args:
            grantee: The client: a function in a VPC, an instance, an ECS service, a task definition or a role, in this
                stack or another.
            user: The user of this store to sign in as.

        Returns:
            The grant of the IAM permissions.

        Raises:
            ConfigurationError: See `StoreGrants.connect`.
        """
        return self.grants.connect(grantee, user=user)

    @checked_arguments
    def bind(
        self,
        target: lambda_.Function
        | lambda_.IFunction
        | ecs.BaseService
        | ecs.TaskDefinition
        | ecs.ContainerDefinition
        | ec2.Instance
        | autoscaling.AutoScalingGroup
        | iam.IGrantable
        | Construct,
        *,
        user: User | None = None,
        name: str | None = None,
        container: str | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    ) -> None:
        """Allow a program to connect, and give it the variables that ``connect()`` reads.

        Adds the security-group rules, the permission to sign in, and variables whose names begin with ``CDK_REDIS_``,
        which contain no secrets. The target may be in another stack than the store, without exports. Binding it again
        to the same store and user changes nothing. CloudFormation deletes the rules and the policy after the program.

        * A Lambda function gets the variables in its environment. For an alias or a version, its function gets them; a
          version that was published before keeps the environment that it has.
        * An ECS service, task definition or container gets them in the environment of one container, and its task role
          gets the permission. A task has the security groups of what runs it: give `security_groups`, or bind the
          service.
        * An EC2 instance or Auto Scaling group with Linux gets them in the file ``/etc/cdk-redis/env``, which user data
          writes when an instance starts for the first time. A systemd unit reads it with
          ``EnvironmentFile=/etc/cdk-redis/env``, a shell with ``set -a; . /etc/cdk-redis/env``. Call `bind` before you
          add commands that need the file. Running instances keep their file: set ``user_data_causes_replacement=True``,
          or an ``update_policy`` of the group.
        * For anything else, call `grant_connect`, and pass the variables of `connection_environment`.

        For a user with a password, the target can also read the secret. If it is in isolated subnets of the store's
        network, it can also connect to the network's VPC endpoint for Secrets Manager, which is created if the network
        defines the VPC: see `secrets_endpoint` of `RedisNetwork`.

        Args:
            target: The program, in a VPC from which the store can be reached.
            user: The user of this store that it signs in as. Required unless the store has open access.
            name: Name of the binding, for a program that connects to several stores: 1 to 32 lower-case letters, digits
                and hyphens, beginning with a letter. With ``"ledger"``, the variables are ``CDK_REDIS_LEDGER_*``, and
                the program calls ``connect("ledger")``. Default: - the program calls ``connect()``.
            container: Name of the container of an ECS service or task definition that gets the variables.
                Default: - its first essential container.
            security_groups: Security groups that the tasks of an ECS task definition or container run with, or those of
                the instances of an ECS service without the network mode ``awsvpc``. Default: - those of the target.

        Raises:
            ConfigurationError: If the user is missing or belongs to another store; the target is a function outside any
                VPC, is imported, or has no role or no security groups; it has another binding of that name; or the
                endpoint for Secrets Manager is missing.
        """
        bind_to_store(self, Given(self.node.path, target, "target", container, security_groups), user, name)

    @checked_arguments
    def connection_environment(
        self,
        user: User | None,
        read: Callable[[str, str], str] = lambda _, value: value,
        *,
        name: str | None = None,
    ) -> dict[str, str]:
        """Environment variables with the endpoint and the user, which ``cdk_redis_runtime.connect`` reads.

        They contain no secrets. Where AWS does not set ``AWS_REGION``, such as on an EC2 instance, also set
        ``CDK_REDIS_REGION`` to the Region of the store.

        Args:
            user: The user to sign in as; None for a store with open access.
            read: Function that takes the name and the value of an attribute of the store, and returns the text to use
                in the reader's template. Default: - the value itself.
            name: Name of the binding, see `bind`. Default: - the program calls ``connect()``.

        Raises:
            ConfigurationError: If the name is not one of a binding.
        """
        check_name(self.node.path, name)
        return environment_of(self, user, read, name)

    @checked_arguments
    def share(self, parameter_name: str, *, user: User | None = None) -> SharedConnection:
        """Write the record of a connection to an SSM parameter, for other apps, teams and languages.

        Defines the parameter, a security group whose members can connect to the store, and a managed policy that allows
        to sign in as the user, with its secret and key. The record is JSON that names both: whoever reads it needs
        nothing else. It contains no secret. Another CDK app binds its programs with `ConnectionRecord.from_parameter`.
        For a password, members also reach the network's endpoint for Secrets Manager, which is created if the network
        defines the VPC.

        Args:
            parameter_name: Name of the parameter, such as ``"/orders/cache"``, in this account and Region.
            user: The user of this store that its readers sign in as. Required unless the store has open access.

        Returns:
            The parameter, the security group and the policy.

        Raises:
            ConfigurationError: If the user is missing or belongs to another store, SSM refuses the name, or the store
                is imported without a network.
        """
        return share_store(self, parameter_name, user)

    @checked_arguments
    def client_layer(self, *, stack: cdk.Stack | None = None) -> RedisClientLayer:
        """A Lambda layer with redis-py and ``cdk_redis_runtime``; it is defined at the first call, once a stack.

        ``function.add_layers(store.client_layer())``, for a function whose own code does not come from `runtime_code`.

        Args:
            stack: Stack of the function, which then gets the new layer when it changes. Default: - the stack of the
                store.
        """
        from cdk_redis._code.client_layer import RedisClientLayer

        owner = stack or cdk.Stack.of(self)
        found: object = owner.node.try_find_child(_LAYER)
        return found if isinstance(found, RedisClientLayer) else RedisClientLayer(owner, _LAYER)


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
    def connect(self, grantee: iam.IGrantable | ecs.BaseService | ecs.TaskDefinition, *, user: User) -> iam.Grant:
        """Allow a grantee to connect to the store and to sign in as a user.

        If the grantee has security groups (a function in a VPC, an instance, a service), it adds the security-group
        rules; an IAM role or user has none. For an ECS service or task definition, the permissions are those of its
        task role. For an IAM user of the store, the grantee gets ``elasticache:Connect`` or ``memorydb:Connect`` on the
        store and the user. For a password user, it gets the permissions to read the secret and to decrypt it with the
        secret's KMS key.

        The grantee may be in another stack. The rules and the policy are defined there, and read the store's values
        from plain outputs of the store's stack instead of exports, so that the store can be replaced and the grantee
        removed.

        Args:
            grantee: The client.
            user: The user of this store to sign in as.

        Returns:
            The grant of the IAM permissions.

        Raises:
            ConfigurationError: If the user belongs to another store, the grantee is a function outside any VPC or has
                no role, or the store's stack is deployed after the grantee's.
        """
        store = self._store
        check_user(store, user)
        client = grantee_of(Given(store.node.path, grantee, "grantee"))
        check_region(store, client, "grantee")
        open_store(store, client)
        return sign_in(store, client, user)

    @checked_arguments
    def network_access(self, grantee: iam.IGrantable | ecs.BaseService) -> None:
        """Add security-group rules only, for a store with open access or if the permissions are granted elsewhere.

        Args:
            grantee: The client; if it has no security groups, nothing is added.

        Raises:
            ConfigurationError: If the grantee is a function outside any VPC.
        """
        client = grantee_of(Given(self._store.node.path, grantee, "grantee"))
        check_region(self._store, client, "grantee")
        open_store(self._store, client)
