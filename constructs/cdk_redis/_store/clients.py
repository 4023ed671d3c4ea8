"""What can be bound to a store: functions, ECS services and tasks, EC2 instances and Auto Scaling groups.

Each kind has a role, security groups and a way to pass variables to the program. The modules of aws-cdk-lib for them
are not imported here, so that an app without such constructs does not load them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from cdk_redis._core.annotations import is_instance
from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._store.environment_file import add_environment_file

if TYPE_CHECKING:
    from constructs import Construct, IConstruct

_NO_VPC = "give the function `vpc=network.vpc` and `vpc_subnets=network.subnet_selection`"


@dataclass(frozen=True)
class Grantee:
    """The role and the security groups of a client.

    Attributes:
        principal: What permissions are granted to.
        connectable: What has the security groups; None for a role, and for a task, whose service has them.
        construct: Construct that was given; None for a principal without one.
    """

    principal: iam.IGrantable
    connectable: ec2.IConnectable | None
    construct: IConstruct | None


@dataclass(frozen=True)
class Client:
    """A program that is bound to a store.

    Attributes:
        grantee: Its role and security groups.
        holder: Construct that has the variables: the function, the container, the instance.
        write: Adds variables to the program's environment.
        resource: Resource that runs the program and is deleted before its permissions and rules; None for a task.
        subnets: Returns what names its subnets; None if they are not known.
        join: Adds a security group to the program's network interface; None for a task, whose service has it.
        has_region: Whether AWS sets ``AWS_REGION`` for the program.
    """

    grantee: Grantee
    holder: Construct
    write: Callable[[Mapping[str, str]], None]
    resource: cdk.CfnResource | None = None
    subnets: Callable[[], object] = lambda: None
    join: Callable[[ec2.ISecurityGroup], None] | None = None
    has_region: bool = False


@dataclass(frozen=True)
class Given:
    """The arguments that name a client, and where they were given.

    Attributes:
        where: Path of the construct for error messages.
        target: The client.
        parameter: Name of its parameter.
        container: Name of a container of an ECS task.
        security_groups: Security groups that an ECS task runs with.
        joins: Whether the client joins a security group instead, and needs none of its own.
    """

    where: str
    target: Any
    parameter: str = "target"
    container: str | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    joins: bool = False

    @property
    def path(self) -> object:
        """Path of the client in messages; its type if it is no construct."""
        node = getattr(self.target, "node", None)
        return type(self.target) if node is None else node.path

    def is_a(self, *kinds: str) -> bool:
        """Whether the client is of one of these classes, named as in annotations."""
        return any(is_instance(self.target, kind) for kind in kinds)

    def refuse(self, reason: str, hint: str, parameter: str | None = None, given: object = None) -> NoReturn:
        """Raise the error that this client cannot be bound, or another argument cannot be used with it."""
        given = self.path if parameter is None else given
        raise ConfigurationError(self.where, [problem(parameter or self.parameter, given, reason, hint)])


def grantee_of(given: Given) -> Grantee:
    """Return the role and the security groups of a grantee.

    Raises:
        ConfigurationError: If it is a function outside any VPC, or has no role.
    """
    target = given.target
    node = getattr(target, "node", None)
    if given.is_a("ecs.BaseService"):
        return Grantee(target.task_definition.task_role, cast("ec2.IConnectable", target), target)
    if given.is_a("ecs.TaskDefinition"):
        return Grantee(target.task_role, None, target)
    # A function outside any VPC also has the attribute `connections`, but reading it raises a jsii error.
    if getattr(target, "is_bound_to_vpc", True) is False:
        given.refuse("it is in no VPC", _NO_VPC)
    if isinstance(target.grant_principal, iam.UnknownPrincipal):
        given.refuse("its role is not known in this app", "import it with its role, such as `role=` of the import")
    has_groups = getattr(target, "connections", None) is not None
    return Grantee(target, cast("ec2.IConnectable", target) if has_groups else None, target if node else None)


def client_of(given: Given) -> Client:
    """Return how to bind a target.

    Raises:
        ConfigurationError: If it cannot be bound; the message says what to do.
    """
    if given.is_a("lambda_.IFunction"):
        client = _function(given)
    elif given.is_a("ecs.BaseService"):
        client = _service(given)
    elif given.is_a("ecs.TaskDefinition", "ecs.ContainerDefinition"):
        client = _task(given)
    elif given.is_a("ec2.Instance"):
        client = _instance(given)
    elif given.is_a("autoscaling.AutoScalingGroup"):
        client = _auto_scaling_group(given)
    else:
        _refuse_other(given)
    if given.security_groups is not None and _has_security_groups(given):
        reason = "it is for an ECS task, and this target has its own"
        given.refuse(reason, "leave it out", "security_groups", "a list")
    if given.container is not None and not given.is_a("ecs.BaseService", "ecs.TaskDefinition"):
        given.refuse("only an ECS task has containers", "leave it out", "container", given.container)
    return client


def _has_security_groups(given: Given) -> bool:
    """Whether the target knows the security groups that it runs with."""
    if given.is_a("ecs.BaseService"):
        return bool(given.target.connections.security_groups)
    return not given.is_a("ecs.TaskDefinition", "ecs.ContainerDefinition")


def _function(given: Given) -> Client:
    function = given.target
    # An alias or a version has the role and the environment of its function.
    while (underlying := getattr(function, "lambda_", None)) is not None:
        function = underlying
    if not any(is_instance(function, kind) for kind in ("lambda_.Function", "lambda_.SingletonFunction")):
        reason = "its function is imported, and this app cannot change its environment"
        hint = "bind it in the app that defines it, with `share` here and `ConnectionRecord.from_parameter` there"
        given.refuse(reason, hint)
    grantee = grantee_of(Given(given.where, function, given.parameter))

    def write(variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            function.add_environment(name, value)

    # For a singleton function, the resource belongs to another construct.
    resource = _resource_of(function, "AWS::Lambda::Function")

    def join(group: ec2.ISecurityGroup) -> None:
        from aws_cdk import aws_lambda as lambda_

        if resource is None:
            given.refuse("it is a singleton function", "bind a lambda_.Function")
        own = resource.vpc_config
        # The function lists its groups when it is defined, whatever is added to its connections later.
        resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
            ipv6_allowed_for_dual_stack=own.ipv6_allowed_for_dual_stack,
            security_group_ids=[*own.security_group_ids, group.security_group_id],
            subnet_ids=own.subnet_ids,
        )

    return Client(grantee, function, write, resource, lambda: resource and resource.vpc_config, join, has_region=True)


def _service(given: Given) -> Client:
    from aws_cdk import aws_ecs as ecs

    service = given.target
    container = _container_of(given, service.task_definition)
    grantee = grantee_of(given)
    if not _has_security_groups(given):
        # Outside the network mode awsvpc, a task has those of its instance, which a capacity provider does not tell.
        if not given.security_groups and not given.joins:
            reason = "its tasks have the security groups of their instances"
            hint = "give them: `security_groups=group.connections.security_groups`"
            given.refuse(reason, hint, "security_groups", given.security_groups)
        grantee = replace(grantee, connectable=_connectable(given.security_groups))
    resource = _resource_of(service, "AWS::ECS::Service")

    def join(group: ec2.ISecurityGroup) -> None:
        # Protected, for subclasses: the service lists its groups when it is defined.
        network = service._network_configuration
        if network is None:
            hint = "bind the Auto Scaling group of its cluster, or use the network mode awsvpc"
            given.refuse("its tasks have the security groups of their instances", hint)
        own = network.awsvpc_configuration
        service._network_configuration = ecs.CfnService.NetworkConfigurationProperty(
            awsvpc_configuration=ecs.CfnService.AwsVpcConfigurationProperty(
                assign_public_ip=own.assign_public_ip,
                security_groups=[*own.security_groups, group.security_group_id],
                subnets=own.subnets,
            )
        )

    return Client(grantee, container, _writer(container), resource, lambda: service._network_configuration, join)


def _task(given: Given) -> Client:
    target = given.target
    if given.is_a("ecs.ContainerDefinition"):
        if given.container is not None:
            given.refuse("the target is a container", "leave it out", "container", given.container)
        task, container = target.task_definition, target
    else:
        task, container = target, _container_of(given, target)
    grantee = Grantee(task.task_role, _connectable(given.security_groups), task)
    return Client(grantee, container, _writer(container))


def _connectable(groups: Sequence[ec2.ISecurityGroup] | None) -> ec2.IConnectable | None:
    return cast("ec2.IConnectable", ec2.Connections(security_groups=[*groups])) if groups else None


def _container_of(given: Given, task: Any) -> Any:
    """The container of a task that gets the variables: the named one, or the first essential one."""
    if given.container is None:
        if task.default_container is None:
            given.refuse("its task has no essential container yet", "call `add_container` first")
        return task.default_container
    found = task.find_container(given.container)
    if found is None:
        names = ", ".join(child.container_name for child in task.node.children if hasattr(child, "container_name"))
        reason = f"the task has no container of that name; it has {names or 'none'}"
        given.refuse(reason, "call `add_container` first, or give another name", "container", given.container)
    return found


def _writer(container: Any) -> Callable[[Mapping[str, str]], None]:
    def write(variables: Mapping[str, str]) -> None:
        for name, value in variables.items():
            container.add_environment(name, value)

    return write


def _instance(given: Given) -> Client:
    instance = given.target
    _check_linux(given)

    def join(group: ec2.ISecurityGroup) -> None:
        instance.add_security_group(group)

    resource = _resource_of(instance, "AWS::EC2::Instance")
    return Client(
        grantee_of(given), instance, _file_writer(given), resource, lambda: resource and resource.subnet_id, join
    )


def _auto_scaling_group(given: Given) -> Client:
    group = given.target
    _check_linux(given)
    try:
        _ = (group.role, group.connections, group.user_data)
    except RuntimeError:
        reason = "its launch template does not expose a role, security groups and user data"
        hint = "give ec2.LaunchTemplate(..., role=, security_group=, user_data=)"
        given.refuse(reason, hint)

    def join(joined: ec2.ISecurityGroup) -> None:
        try:
            group.add_security_group(joined)
        except RuntimeError:
            reason = "security groups cannot be added to its launch template"
            hint = "add `client_security_group` of the record to the launch template, and call `grant_connect`"
            given.refuse(reason, hint)

    resource = _resource_of(group, "AWS::AutoScaling::AutoScalingGroup")
    return Client(
        grantee_of(given), group, _file_writer(given), resource, lambda: resource and resource.vpc_zone_identifier, join
    )


def _check_linux(given: Given) -> None:
    if given.target.os_type == ec2.OperatingSystemType.WINDOWS:
        hint = "call `grant_connect`, and set the variables of `connection_environment` in your own user data"
        given.refuse("it runs Windows, and the environment file is for Linux", hint)


def _file_writer(given: Given) -> Callable[[Mapping[str, str]], None]:
    def write(variables: Mapping[str, str]) -> None:
        try:
            add_environment_file(given.target.user_data, variables)
        except RuntimeError:
            reason = "its user data does not take commands"
            given.refuse(reason, "use ec2.UserData.for_linux(), or add_user_data_part(..., make_default=True)")

    return write


def _resource_of(construct: IConstruct, kind: str) -> Any:
    """The L1 construct of this type, as which the program runs; None if there is none."""
    for child in (construct.node.default_child, *construct.node.children):
        if isinstance(child, cdk.CfnResource) and child.cfn_resource_type == kind:
            return child
    return None


def _refuse_other(given: Given) -> NoReturn:
    """Refuse a target that is not one of the kinds, and name the part of it that can be bound, if it has one."""
    for attribute in ("service", "task_definition", "instance", "auto_scaling_group"):
        part = getattr(given.target, attribute, None)
        kinds = ("ecs.BaseService", "ecs.TaskDefinition", "ec2.Instance", "autoscaling.AutoScalingGroup")
        if any(is_instance(part, kind) for kind in kinds):
            given.refuse(f"it runs its program in its `{attribute}`", f"bind that: `bind(it.{attribute}, ...)`")
    reason = "the library does not know how it passes variables to its program"
    hint = (
        "bind a Lambda function, an ECS service or task, an EC2 instance or an Auto Scaling group of this app; for "
        "anything else, call `grant_connect`, and pass the variables of `connection_environment`"
    )
    given.refuse(reason, hint)
