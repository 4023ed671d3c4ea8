"""The record of a connection in an SSM parameter, for other stacks, apps, teams and languages.

shared = cache.share("/orders/cache", user=app)                                     # in the app of the store
ConnectionRecord.from_parameter(self, "Orders", "/orders/cache").bind(function)     # in any app of the account
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_redis._access.secrets import secret_read_statements
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._core.naming import description_of
from cdk_redis._core.tokens import is_token
from cdk_redis._network.security_groups import create_security_group, mark_joined
from cdk_redis._store.access import check_user, environment_of
from cdk_redis._store.across_stacks import open_network
from cdk_redis._store.binding import add_binding, check_name, is_bound
from cdk_redis._store.clients import Given, client_of
from cdk_redis_runtime._client import environment
from cdk_redis_runtime._client.record import CLIENT_SECURITY_GROUP, POLICY_ARN, STORE_SECURITY_GROUP, record_text

if TYPE_CHECKING:
    from aws_cdk import aws_autoscaling as autoscaling
    from aws_cdk import aws_ecs as ecs
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_ssm as ssm

    from cdk_redis._access.users import User
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._store.parts import StoreParts

# "The maximum length constraint for the parameter name includes 1037 characters that are reserved": 1011 remain.
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html, read on 2026-11-21
_MAX_NAME, _MAX_LEVELS = 1011, 15
_NAME = re.compile(r"(/[a-zA-Z0-9_.-]+)+|[a-zA-Z0-9_.-]+")
_RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)


class SharedConnection(Construct):
    """What `IStore.share` defines: the record of a connection, and what it takes to use it.

    Attributes:
        parameter: SSM parameter with the record as JSON. It contains no secret.
        client_security_group: Security group whose members can connect to the store, and to the network's endpoint for
            Secrets Manager if the user has a password.
        policy: Managed policy that allows to sign in as the user, with its secret and key, and to read the parameter.
    """

    parameter: ssm.StringParameter
    client_security_group: ec2.SecurityGroup
    policy: iam.ManagedPolicy


class ConnectionRecord(Construct):
    """The record of a connection that another stack or app has shared with `IStore.share`.

    CloudFormation reads the SSM parameter at each deployment of the stacks of the bound programs (a template parameter
    of the type ``AWS::SSM::Parameter::Value<String>``), so that it works for functions, containers and instances, and
    in all template functions; a dynamic reference does not. The parameter is in their account and Region, and exists
    before the first deployment.

    Attributes:
        parameter_name: Name of the SSM parameter.
    """

    parameter_name: str

    @classmethod
    @checked_arguments
    def from_parameter(cls, scope: Construct, id: str, parameter_name: str) -> ConnectionRecord:
        """Import the record in an SSM parameter.

        Args:
            scope: Construct the import is defined in.
            id: Id within the scope.
            parameter_name: Name of the parameter, such as ``"/orders/cache"``.

        Raises:
            ConfigurationError: If SSM has no parameters of that name.
        """
        record = cls(scope, id)
        check_parameter_name(record.node.path, parameter_name)
        record.parameter_name = parameter_name
        return record

    @property
    def client_security_group(self) -> ec2.ISecurityGroup:
        """Security group whose members can connect to the store; give it to what runs an ECS task that you bind."""
        return self._client_security_group(self)

    @property
    def policy(self) -> iam.IManagedPolicy:
        """Managed policy that allows to sign in as the user."""
        return self._policy(self)

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
        name: str | None = None,
        container: str | None = None,
    ) -> None:
        """Allow a program to connect, and give it the record, which ``connect()`` reads.

        The program joins `client_security_group`, its role gets `policy`, and the variable ``CDK_REDIS_RECORD`` or
        ``CDK_REDIS_<NAME>_RECORD`` has the record. `IStore.bind` describes the kinds of targets. An ECS task definition
        or container cannot join a security group: run it with `client_security_group`.

        Args:
            target: The program, in the VPC of the store.
            name: Name of the binding, see `IStore.bind`. Default: - the program calls ``connect()``.
            container: Name of the container of an ECS service or task definition that gets the variable.
                Default: - its first essential container.

        Raises:
            ConfigurationError: If the target cannot be bound, its role is imported, or it has another binding of that
                name.
        """
        where = self.node.path
        check_name(where, name)
        given = Given(where, target, "target", container, joins=True)
        client = client_of(given)
        other_side = f"the record {self.parameter_name}"
        if is_bound(where, client, name, other_side):
            return
        role: Any = client.grantee.principal.grant_principal
        if not isinstance(role, iam.Role):
            hint = "give it a role of this app, or attach the policy of the record where the role is defined"
            given.refuse("its role is imported, and no policy can be attached to it", hint)
        if client.join is not None:
            client.join(self._client_security_group(client.holder))
        role.add_managed_policy(self._policy(client.holder))
        add_binding(client, name, other_side, {environment.RECORD: self._text(client.holder)})

    def _client_security_group(self, reader: Construct) -> ec2.ISecurityGroup:
        scope = self._in_stack_of(reader)
        if (existing := scope.node.try_find_child("ClientSecurityGroup")) is not None:
            return cast("ec2.ISecurityGroup", existing)
        # Not mutable: a rule for one member would be a rule for all, in any app.
        group = ec2.SecurityGroup.from_security_group_id(
            scope, "ClientSecurityGroup", self._field(reader, CLIENT_SECURITY_GROUP), mutable=False
        )
        mark_joined(group)
        return group

    def _policy(self, reader: Construct) -> iam.IManagedPolicy:
        scope = self._in_stack_of(reader)
        if (existing := scope.node.try_find_child("Policy")) is not None:
            return cast("iam.IManagedPolicy", existing)
        return iam.ManagedPolicy.from_managed_policy_arn(scope, "Policy", self._field(reader, POLICY_ARN))

    def _in_stack_of(self, reader: Construct) -> Construct:
        """Where imports for a program are defined: here, or in the stack of the program."""
        stack = cdk.Stack.of(reader)
        if stack is cdk.Stack.of(self):
            return self
        name = cdk.Names.node_unique_id(self.node)
        return cast("Construct", stack.node.try_find_child(name)) or Construct(stack, name)

    def _field(self, reader: Construct, field: str) -> str:
        after = cdk.Fn.select(1, cdk.Fn.split(f'"{field}":"', self._text(reader)))
        return cdk.Fn.select(0, cdk.Fn.split('"', after))

    def _text(self, reader: Construct) -> str:
        from aws_cdk import aws_ssm as ssm

        return ssm.StringParameter.value_for_string_parameter(reader, self.parameter_name)


def share_store(store: StoreParts, parameter_name: str, user: User | None) -> SharedConnection:
    """Define the record of a connection; see `IStore.share`."""
    from aws_cdk import aws_ssm as ssm

    check_user(store, user)
    check_parameter_name(store.node.path, parameter_name)
    network = _network_of(store)
    child = f"Shared{parameter_name}"
    if store.node.try_find_child(child.replace("/", "--")) is not None:
        reason = "the store is shared in a parameter of that name"
        raise ConfigurationError(store.node.path, [problem("parameter_name", parameter_name, reason, "use another")])
    shared = SharedConnection(store, child)
    description = description_of(f"Clients of {store.node.path}")
    group = create_security_group(shared, "ClientSecurityGroup", network.vpc, description)
    client = cast("ec2.IConnectable", group)
    open_network(store, store.security_groups, store.ports, client, shared)
    if user is not None and user.secret is not None and (network.owns_vpc or network.secrets_endpoint is not None):
        endpoint = network.require_secrets_endpoint()
        groups = endpoint.connections.security_groups
        open_network(cast("Construct", endpoint), groups, ec2.Port.tcp(443), client, shared)
    shared.client_security_group = group
    shared.policy = _policy_for(shared, store, parameter_name, user)
    shared.parameter = ssm.StringParameter(
        shared,
        "Parameter",
        parameter_name=parameter_name,
        description=description_of(f"Connection to {store.node.path}"),
        string_value=record_text(_fields(store, user) | _parts(store, shared)),
    )
    return shared


def check_parameter_name(where: str, name: str) -> None:
    """Check the name of an SSM parameter.

    Raises:
        ConfigurationError: If SSM refuses it.
    """
    problems = Problems(where)
    if is_token(name):
        problems.add("parameter_name", name, "a name is written out", "write for example '/orders/cache'")
    elif not _NAME.fullmatch(name) or len(name) > _MAX_NAME or name.count("/") > _MAX_LEVELS:
        reason = (
            f"a name has up to {_MAX_NAME} letters, digits and characters of '_.-', in up to {_MAX_LEVELS} levels that "
            "begin with '/'"
        )
        problems.add("parameter_name", name, reason, "write for example '/orders/cache'")
    elif _RESERVED.match(name):
        problems.add("parameter_name", name, "names that begin with 'aws' or 'ssm' are reserved")
    problems.raise_if_any()


def _network_of(store: StoreParts) -> RedisNetwork:
    if store.network is None:
        hint = "give `network` to the import"
        reason = "the security group of its clients needs the VPC of the store"
        raise ConfigurationError(store.node.path, [problem("network", None, reason, hint)])
    return store.network


def _policy_for(shared: Construct, store: StoreParts, parameter_name: str, user: User | None) -> iam.ManagedPolicy:
    stack = cdk.Stack.of(shared)
    parameter = stack.format_arn(service="ssm", resource="parameter", resource_name=parameter_name.removeprefix("/"))
    statements = [iam.PolicyStatement(actions=["ssm:GetParameter"], resources=[parameter])]
    if user is not None and user.secret is not None:
        statements += secret_read_statements(user.secret)
    elif user is not None:
        resources = [store.store_arn, user.user_arn]
        statements.append(iam.PolicyStatement(actions=[store.service.connect_action], resources=resources))
    who = "Connect" if user is None else f"Sign in as {user.user_name}"
    return iam.ManagedPolicy(
        shared, "Policy", description=description_of(f"{who} to {store.node.path}"), statements=statements
    )


def _fields(store: StoreParts, user: User | None) -> dict[str, str]:
    engine = store.topology.engine
    return {
        environment.SERVERLESS: "false",
        environment.ENGINE: engine.name,
        environment.ENGINE_VERSION: engine.version,
        environment.REGION: cdk.Stack.of(store).region,
        **environment_of(store, user, lambda _, value: value),
    }


def _parts(store: StoreParts, shared: SharedConnection) -> dict[str, str]:
    groups = store.security_groups
    return {
        STORE_SECURITY_GROUP: groups[0].security_group_id if groups else "",
        CLIENT_SECURITY_GROUP: shared.client_security_group.security_group_id,
        POLICY_ARN: shared.policy.managed_policy_arn,
    }
