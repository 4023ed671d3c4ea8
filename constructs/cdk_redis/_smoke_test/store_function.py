"""The function of a smoke test or a failover drill: it runs in the subnets of a store and signs in to it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from cdk_redis._access.access_string import AccessString
from cdk_redis._access.members import ImportedUserList
from cdk_redis._access.secrets import grant_secret_read
from cdk_redis._code.package import client_files, code_of
from cdk_redis._core.acknowledgements import INLINE_POLICY, acknowledge
from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.log_groups import create_log_group
from cdk_redis._core.naming import description_of
from cdk_redis._core.weak_reference import deploy_after, read_weakly, refer_weakly, require_order
from cdk_redis._network.security_groups import allow_connections, allow_groups, import_group
from cdk_redis._store.imported_store import ImportedStore
from cdk_redis._store.store import Store, has_user_named
from cdk_redis_runtime._client import environment as runtime

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_secretsmanager as secretsmanager

    from cdk_redis._access.users import User
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._store.interface import IStore

# Lambda needs these to connect a function to a VPC. The describing actions have no resource-level permissions, and the
# network interfaces have no ids yet: AWS asks for "*" (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html).
_NETWORK_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)

_NO_RESOURCE = "the EC2 actions for the network interfaces of a function have no resource"
_FINDINGS_OF_ROLE = {
    "AwsSolutions-IAM5[Resource::*]": _NO_RESOURCE,
    "Serverless-LambdaStarPermissions": _NO_RESOURCE,
    "CKV_AWS_111": _NO_RESOURCE,
    **INLINE_POLICY,
}
_NO_RESERVATION = "a deployment runs it once at a time; new accounts have no concurrency to reserve"
_FINDINGS_OF_FUNCTION = {
    "LambdaDLQ": "its caller waits for the result: an error fails the deployment or sets off the alarm",
    "Serverless-LambdaTracing": "its report has the time of each check",
    "CKV_AWS_173": "no variable is secret, and Lambda encrypts them with its own key",
}
_FINDINGS_OF_SCHEDULE = {
    "Serverless-LambdaAsyncFailureDestination": "a run without a report sets off the alarm, which has the notification",
}


@dataclass(frozen=True)
class FunctionOptions:
    """Parameters that `SmokeTest` and `FailoverDrill` share.

    Attributes:
        user: User of the target to sign in as; None to add one.
        key_prefix: Prefix of the keys that the added user can access.
        role: Role of the function; None to create one.
        log_group: Log group of the function; None to create one.
        log_retention: How long a new log group keeps entries; None for a month.
        log_kms_key: Key of a new log group; None for a key that CloudWatch Logs owns.
        security_groups: Security groups of the function; None to create one.
    """

    user: User | None
    key_prefix: str
    role: iam.IRole | None
    log_group: logs.ILogGroup | None
    log_retention: logs.RetentionDays | None
    log_kms_key: kms.IKey | None
    security_groups: Sequence[ec2.ISecurityGroup] | None


class StoreFunction:
    """A function with its role, log group, security group and rules, and the permission to sign in to a store.

    It reads everything that it needs from another stack from plain outputs, so that it does not lock that stack.

    Attributes:
        target: The store.
        function: The function.
        role: Its role, created or given.
        log_group: Its log group, created or given.
        security_groups: Its security groups, created or given.
        user: The user that it signs in as; None for a store with open access.
        prerequisites: Constructs that must be deployed before the function can work.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        target: IStore,
        options: FunctionOptions,
        user_name: str,
        purpose: str,
        handler: str,
        timeout: cdk.Duration,
        environment: Mapping[str, str],
        at_most_one: bool = False,
    ) -> None:
        """Define the function.

        Args:
            scope: Construct whose children the parts become.
            target: The store.
            options: Options of the smoke test or the drill.
            user_name: Name of the store's user that is added.
            purpose: Its purpose, for descriptions.
            handler: Handler within ``cdk_redis_runtime``.
            timeout: Timeout of the function.
            environment: Variables beyond those of the connection.
            at_most_one: Whether runs must not overlap, and Lambda must not retry a failed run that an event started.

        Raises:
            ConfigurationError: If the target is imported without a network or a user.
        """
        self._scope = scope
        self.target = self._target = target
        self._description = description_of(f"{purpose} of {target.node.path}")
        self._purpose = purpose
        self._network = _network_of(scope, target)
        # The function is in the subnets of the network, which the CDK would read by exports.
        refer_weakly(self._network, scope)
        if not isinstance(target, ImportedStore):
            require_order(scope, "target", target)
        self.user = self._choose_user(options.user, user_name, options.key_prefix)
        self.log_group = (
            create_log_group(scope, options.log_retention, options.log_kms_key)
            if options.log_group is None
            else self._local_log_group(options.log_group)
        )
        created_group = None if options.security_groups else self._create_security_group()
        self.security_groups: list[ec2.ISecurityGroup] = (
            [created_group] if created_group else self._local_security_groups(options.security_groups or ())
        )
        self._store_security_groups = Construct(scope, "StoreSecurityGroups")
        # Rules that another construct defines for the same groups are not below those two.
        self._rules: list[IConstruct] = []
        variables = {
            **target.connection_environment(self.user, self.weak),
            **self._path_environment(),
            **environment,
        }
        self.role = self._create_role() if options.role is None else self._local_role(options.role)
        self.function = self._create_function(handler, timeout, variables, at_most_one=at_most_one)
        self._grant_connect()
        self._acknowledge(options, at_most_one=at_most_one)
        # If the role is deleted before the network interfaces of the function, Lambda cannot delete them, and the
        # security group cannot be deleted either (aws/aws-cdk issue 6701).
        if created_group is not None:
            created_group.node.add_dependency(self.role)
        # Their children count too: the rules and the policy that the function needs.
        self.prerequisites: list[IConstruct] = [
            target,
            self.function,
            self._store_security_groups,
            *self.security_groups,
            *self._rules,
            self.role,
        ]

    def _path_environment(self) -> dict[str, str]:
        """The security groups of both sides, so that the report can explain a connection that times out."""
        groups = self._target.security_groups
        if not groups:
            return {}
        return {
            runtime.SECURITY_GROUPS: ",".join(group.security_group_id for group in self.security_groups),
            runtime.STORE_SECURITY_GROUPS: ",".join(
                self._weak_group_id(number, group) for number, group in enumerate(groups, start=1)
            ),
        }

    def _weak_group_id(self, number: int, group: ec2.ISecurityGroup) -> str:
        return self.weak(f"SecurityGroup{number}", group.security_group_id)

    def weak(self, name: str, value: str) -> str:
        """Read a value of the target without locking the target's stack."""
        return read_weakly(self._scope, self._target, name, value)

    def _choose_user(self, user: User | None, name: str, key_prefix: str) -> User | None:
        target = self._target
        if user is not None or target.open_access:
            return user
        # A store with an AUTH token has no users.
        if target.auth_token is not None:
            return target.auth_token
        if (objection := _objection_to_new_user(target)) is not None:
            raise ConfigurationError(self._scope.node.path, [problem("user", None, *objection)])
        target = cast("Store", target)
        name = self._free_name(target, name)
        engine = target.topology.engine
        access = AccessString.smoke_test(
            key_prefix, channels=engine.supports_channel_rules, sharded_pubsub=engine.supports_sharded_pubsub
        )
        if engine.supports_iam:
            return target.add_iam_user(name, access)
        return target.add_password_user(name, access)

    def _free_name(self, target: Store, name: str) -> str:
        """Name of the new user: a second test or drill of one store gets one that its own path makes unique."""
        if not has_user_named(target, name):
            return name
        return f"{name}-{hashlib.sha256(self._scope.node.path.encode()).hexdigest()[:8]}"

    def _is_from_another_stack(self, given: cdk.IResource) -> bool:
        """Whether another stack of this app owns a construct; an import belongs to the stack that imports it."""
        return isinstance(given, cdk.Resource) and cdk.Stack.of(given) is not cdk.Stack.of(self._scope)

    def _read_from_another_stack(self, given: cdk.IResource, name: str, value: str) -> str:
        owner = cast("Construct", given)
        deploy_after(self._scope, owner)
        return read_weakly(self._scope, owner, name, value)

    def _local_role(self, role: iam.IRole) -> iam.IRole:
        """The role; an import of it if another stack owns it, so that its new policy is defined in this stack."""
        if not self._is_from_another_stack(role):
            return role
        arn = self._read_from_another_stack(role, "Arn", role.role_arn)
        return iam.Role.from_role_arn(self._scope, "Role", arn)

    def _local_log_group(self, log_group: logs.ILogGroup) -> logs.ILogGroup:
        """The log group; an import of it if another stack owns it."""
        from aws_cdk import aws_logs as logs

        if not self._is_from_another_stack(log_group):
            return log_group
        name = self._read_from_another_stack(log_group, "LogGroupName", log_group.log_group_name)
        return logs.LogGroup.from_log_group_name(self._scope, "Logs", name)

    def _local_security_groups(self, groups: Sequence[ec2.ISecurityGroup]) -> list[ec2.ISecurityGroup]:
        """The groups; imports of those that another stack owns, so that their new rules are defined in this stack."""
        return [
            import_group(
                self._scope,
                f"SecurityGroup{number}",
                group,
                self._read_from_another_stack(group, "GroupId", group.security_group_id),
                allow_all_outbound=group.allow_all_outbound,
            )
            if self._is_from_another_stack(group)
            else group
            for number, group in enumerate(groups, start=1)
        ]

    def _create_role(self) -> iam.IRole:
        """Define a role that can write to the log group and use network interfaces.

        The CDK would attach AWSLambdaBasicExecutionRole and AWSLambdaVPCAccessExecutionRole: with both, a function can
        create log groups and write to all log groups of the account.
        """
        logs = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
        )
        network = iam.PolicyStatement(actions=list(_NETWORK_ACTIONS), resources=["*"])
        role = iam.Role(
            self._scope,
            "Role",
            description=self._description,
            assumed_by=cast("iam.IPrincipal", iam.ServicePrincipal("lambda.amazonaws.com")),
            # Part of the role, because Lambda deletes network interfaces with it until the role is deleted.
            inline_policies={"Function": iam.PolicyDocument(statements=[logs, network])},
        )
        acknowledge(role, _FINDINGS_OF_ROLE)
        return cast("iam.IRole", role)

    def _create_security_group(self) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self._scope,
            "SecurityGroup",
            vpc=self._network.vpc,
            description=self._description,
            allow_all_outbound=False,
        )

    def _create_function(
        self,
        handler: str,
        timeout: cdk.Duration,
        variables: Mapping[str, str],
        *,
        at_most_one: bool,
    ) -> lambda_.Function:
        from aws_cdk import aws_lambda as lambda_

        return lambda_.Function(
            self._scope,
            "Function",
            description=self._description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=handler,
            code=code_of(client_files()),
            # Lambda assigns processor time by memory; signing and TLS handshakes need some.
            memory_size=512,
            timeout=timeout,
            vpc=self._network.vpc,
            vpc_subnets=self._network.subnet_selection,
            security_groups=self.security_groups,
            role=self.role,
            log_group=self.log_group,
            environment=variables,
            reserved_concurrent_executions=1 if at_most_one else None,
            # Lambda would retry a failed run twice, and each run would count in the metrics.
            retry_attempts=0 if at_most_one else None,
            max_event_age=cdk.Duration.seconds(60) if at_most_one else None,
        )

    def _acknowledge(self, options: FunctionOptions, *, at_most_one: bool) -> None:
        concurrency = {} if at_most_one else {"LambdaConcurrency": _NO_RESERVATION}
        acknowledge(cast("Construct", self.function.node.default_child), {**_FINDINGS_OF_FUNCTION, **concurrency})
        if at_most_one:
            asynchronous = cast("Construct", self.function.node.find_child("EventInvokeConfig"))
            acknowledge(asynchronous, _FINDINGS_OF_SCHEDULE)
        policy = self.role.node.try_find_child("DefaultPolicy")
        if options.role is None and policy is not None:
            acknowledge(cast("Construct", policy), INLINE_POLICY)

    def _grant_connect(self) -> None:
        """Add the security-group rules and the permission to sign in, without locking the store's stack."""
        target = self._target
        # Imports, so that the rules are defined in this stack and not in the stack of the store's groups.
        for number, group in enumerate(target.security_groups, start=1):
            group_id = self._weak_group_id(number, group)
            store_group = import_group(self._store_security_groups, str(number), group, group_id)
            clients = self.function.connections.security_groups
            self._rules += allow_groups(clients, store_group, target.ports, self._description)
        if self.user is None:
            return
        if self.user.secret is not None:
            self._grant_secret(self.user.secret)
            return
        iam.Grant.add_to_principal(
            grantee=self.function,
            actions=[target.service.connect_action],
            resource_arns=[target.service.store_arn(target, self.weak("Name", target.store_name)), self.user.user_arn],
        )

    def _grant_secret(self, secret: secretsmanager.ISecret) -> None:
        # From isolated subnets, Secrets Manager can be reached only through an interface endpoint.
        endpoint = self._network.require_secrets_endpoint()
        description = f"{self._purpose} to Secrets Manager"
        self._rules += allow_connections(self.function, endpoint, ec2.Port.tcp(443), description)
        grant_secret_read(secret, self.function, self.weak)


@jsii.implements(ec2.IConnectable)
class StoreFunctionConstruct(Construct):
    """What `SmokeTest` and `FailoverDrill` have in common: their function and its parts."""

    target: IStore
    function: lambda_.Function
    role: iam.IRole
    log_group: logs.ILogGroup
    security_groups: list[ec2.ISecurityGroup]
    user: User | None

    @property
    def connections(self) -> ec2.Connections:
        """Security-group rules to and from the function."""
        return self.function.connections

    def _use(self, parts: StoreFunction) -> None:
        self.target = parts.target
        self.function = parts.function
        self.role = parts.role
        self.log_group = parts.log_group
        self.security_groups = parts.security_groups
        self.user = parts.user


def _objection_to_new_user(target: IStore) -> tuple[str, str] | None:
    """Return why no user can be added to a store and what to do, or None if one can be added."""
    shared = getattr(target, "user_group", None) or getattr(target, "acl", None)
    if isinstance(target, ImportedStore) or not isinstance(target, Store):
        reason = "this app does not define the store, and cannot add a user to it"
    elif isinstance(shared, ImportedUserList):
        reason = f"this app does not define {shared.node.path}, and cannot add a user to it"
    else:
        return None
    if target.users:
        names = " or ".join(repr(user.node.path) for user in target.users[:3])
        return reason, f"give a user that has the access string AccessString.smoke_test(key_prefix): {names}"
    return reason, "import a user with `from_user_attributes`, give it to `users` of the import, and to `user` here"


def _network_of(scope: Construct, target: IStore) -> RedisNetwork:
    if target.network is None:
        hint = "give `network` to the import: the function runs in its subnets"
        raise ConfigurationError(scope.node.path, [problem("target", target.node.path, "it has no network", hint)])
    return target.network
