"""Programs that are bound to stores, and the names of their bindings."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_redis import ConnectionRecord, Endpoint, RedisNetwork, ReplicationGroup
from tests.compliance.refused.rows import Accepted, Refused, Scene
from tests.unit.store.support import targets

_THE_LIBRARY = "the library"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"
_ENVIRONMENT = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"
_RBAC = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html"
_TASKS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking.html"
_ROLES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html"
_SSM = "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html"
_ATTACHING = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html"
_ENDPOINTS = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/vpc-endpoint-overview.html"

_IMPORTED = (
    "target: got '.../App', but its function is imported, and this app cannot change its environment; bind it in the "
    "app that defines it, with `share` here and `ConnectionRecord.from_parameter` there"
)


def _bind(it: Scene, target: Any, **given: Any) -> None:
    cache = it.group()
    cache.bind(target, user=cache.add_iam_user("app", "on ~app:* +@read"), **given)


def _outside(scope: Construct) -> lambda_.Function:
    code = lambda_.Code.from_inline("def handler(event, context): pass")
    return lambda_.Function(scope, "App", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code)


def _function_arn(it: Scene) -> lambda_.IFunction:
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:app"
    group = ec2.SecurityGroup.from_security_group_id(it.scope, "Group", "sg-0123456789abcdef0")
    role = iam.Role.from_role_arn(it.scope, "Role", "arn:aws:iam::111122223333:role/app")
    return lambda_.Function.from_function_attributes(it.scope, "App", function_arn=arn, security_group=group, role=role)


def _alias_of_import(it: Scene) -> lambda_.IAlias:
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:app:1"
    version = lambda_.Version.from_version_arn(it.scope, "Version", arn)
    return lambda_.Alias.from_alias_attributes(it.scope, "App", alias_name="live", alias_version=version)


def _roleless(it: Scene) -> lambda_.IFunction:
    group = ec2.SecurityGroup.from_security_group_id(it.scope, "Group", "sg-0123456789abcdef0")
    return lambda_.Function.from_function_attributes(
        it.scope, "App", function_arn="arn:aws:lambda:eu-west-1:111122223333:function:app", security_group=group
    )


def _grant_without_a_role(it: Scene) -> None:
    cache = it.group()
    cache.grant_connect(_roleless(it), user=cache.add_iam_user("app", "on ~app:* +@read"))


def _bind_twice(it: Scene, **given: Any) -> None:
    function = targets.function(it.scope, it.network)
    _bind(it, function, **given)
    ledger = it.cluster()
    ledger.bind(function, user=ledger.add_iam_user("app", "on ~app:* +@read"), **given)


def _bind_as_the_user_of_another_store(it: Scene) -> None:
    user = it.cluster().add_iam_user("app", "on ~*")
    it.group().bind(targets.function(it.scope, it.network), user=user)


def _bind_in_isolated_subnets(it: Scene) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        it.scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )
    network = RedisNetwork(it.scope, "Network", vpc=vpc)
    cache = it.group(network=network)
    cache.bind(targets.function(it.scope, network), user=cache.add_password_user("app", "on ~app:* +@read"))


def _windows(it: Scene) -> ec2.Instance:
    image = ec2.MachineImage.generic_windows({"eu-west-1": "ami-0123456789abcdef0"})
    return targets.instance(it.scope, it.network, machine_image=image)


def _bastion(it: Scene) -> ec2.BastionHostLinux:
    return ec2.BastionHostLinux(
        it.scope,
        "App",
        vpc=it.network.vpc,
        subnet_selection=it.network.subnet_selection,
        machine_image=targets.AMI,
        instance_type=targets.SMALL,
    )


def _record(it: Scene, name: str = "/orders/cache") -> ConnectionRecord:
    return ConnectionRecord.from_parameter(it.scope, "Record", name)


def _share(it: Scene, name: str, *, times: int = 1) -> None:
    cache = it.group()
    user = cache.add_iam_user("app", "on ~app:* +@read")
    for _ in range(times):
        cache.share(name, user=user)


def _share_import(it: Scene) -> None:
    ReplicationGroup.from_replication_group_attributes(
        it.scope,
        "Imported",
        replication_group_id="orders",
        endpoint=Endpoint("orders.example.com", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(it.scope, "Group", "sg-0123456789abcdef0")],
        unsafe_open_access=True,
    ).share("/orders/cache")


def _function_with_an_imported_role(it: Scene) -> lambda_.Function:
    role = iam.Role.from_role_arn(it.scope, "Role", "arn:aws:iam::111122223333:role/app")
    return targets.function(it.scope, it.network, role=role)


REFUSED = [
    Refused(
        "A bound function is in a VPC.",
        lambda it: _bind(it, _outside(it.scope)),
        "target: got '.../App', but it is in no VPC; give the function `vpc=network.vpc` and "
        "`vpc_subnets=network.subnet_selection`",
        _LAMBDA,
    ),
    Refused(
        "A bound function is defined in this app.",
        lambda it: _bind(it, _function_arn(it)),
        _IMPORTED,
        _ENVIRONMENT,
    ),
    Refused(
        "The function of a bound alias is defined in this app.",
        lambda it: _bind(it, _alias_of_import(it)),
        _IMPORTED,
        _ENVIRONMENT,
    ),
    Refused(
        "A grantee has a role.",
        _grant_without_a_role,
        "grantee: got '.../App', but its role is not known in this app; import it with its role, such as `role=` of "
        "the import",
        _RBAC,
    ),
    Refused(
        "A target is a function, an ECS service or task, an instance or an Auto Scaling group.",
        lambda it: _bind(it, iam.Role(it.scope, "App", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))),
        "target: got '.../App', but the library does not know how it passes variables to its program; bind a Lambda "
        "function, an ECS service or task, an EC2 instance or an Auto Scaling group of this app; for anything else, "
        "call `grant_connect`, and pass the variables of `connection_environment`",
        _THE_LIBRARY,
    ),
    Refused(
        "Of a construct with a service or an instance, that is bound.",
        lambda it: _bind(it, _bastion(it)),
        "target: got '.../App', but it runs its program in its `instance`; bind that: `bind(it.instance, ...)`",
        _THE_LIBRARY,
    ),
    Refused(
        "The environment file of an instance is for Linux.",
        lambda it: _bind(it, _windows(it)),
        "target: got '.../App', but it runs Windows, and the environment file is for Linux; call `grant_connect`, and "
        "set the variables of `connection_environment` in your own user data",
        _THE_LIBRARY,
    ),
    Refused(
        "A task is bound with the security groups that it runs with.",
        lambda it: _bind(it, targets.fargate_task(it.scope)),
        "security_groups: got None, but a task has the security groups of what runs it; give the `security_groups` of "
        "the service, or of the call that runs the task; or bind the service",
        _TASKS,
    ),
    Refused(
        "A service without the network mode awsvpc is bound with the security groups of its instances.",
        lambda it: _bind(it, targets.ec2_service(it.scope, it.network, known=False)),
        "security_groups: got None, but its tasks have the security groups of their instances; give them: "
        "`security_groups=group.connections.security_groups`",
        _TASKS,
    ),
    Refused(
        "A task has an essential container.",
        lambda it: _bind(it, ecs.FargateTaskDefinition(it.scope, "App")),
        "target: got '.../App', but its task has no essential container yet; call `add_container` first",
        _ROLES,
    ),
    Refused(
        "A container is one of the task.",
        lambda it: _bind(it, targets.fargate_service(it.scope, it.network), container="app"),
        "container: got 'app', but the task has no container of that name; it has web, log; call `add_container` "
        "first, or give another name",
        _ROLES,
    ),
    Refused(
        "Only a task has containers.",
        lambda it: _bind(it, targets.function(it.scope, it.network), container="app"),
        "container: got 'app', but only an ECS task has containers; leave it out",
        _THE_LIBRARY,
    ),
    Refused(
        "A target has one binding without a name.",
        _bind_twice,
        "target: got '.../App', but it is bound to .../Cache as .../Cache/Users/app, and a target has one binding "
        "without a name; give this one a name: with bind(..., name='ledger'), the program calls connect('ledger')",
        _THE_LIBRARY,
    ),
    Refused(
        "A name is that of one binding.",
        lambda it: _bind_twice(it, name="ledger"),
        "name: got 'ledger', but this is the name of the binding of .../App to .../Cache as .../Cache/Users/app; use "
        "another name for each binding",
        _THE_LIBRARY,
    ),
    Refused(
        "The name of a binding is part of names of variables.",
        lambda it: _bind(it, targets.function(it.scope, it.network), name="Ledger"),
        "name: got 'Ledger', but a name has 1 to 32 lower-case letters, digits and hyphens, and begins with a letter; "
        "use for example 'ledger'",
        _ENVIRONMENT,
    ),
    Refused(
        "The variables of a binding are not those of another.",
        lambda it: _bind(it, targets.function(it.scope, it.network), name="reader"),
        "name: got 'reader', but a name does not end in 'reader', because CDK_REDIS_READER_... are other variables; "
        "use for example 'ledger'",
        _THE_LIBRARY,
    ),
    Refused(
        "A target is bound as a user.",
        lambda it: it.group().bind(targets.function(it.scope, it.network)),
        "user: got None, but clients sign in as a user; add one with `add_iam_user`",
        _RBAC,
    ),
    Refused(
        "A target is bound as a user of the store.",
        _bind_as_the_user_of_another_store,
        "user: got '.../Cluster/Users/app', but it is not a user of this store; add it with `add_iam_user`",
        _RBAC,
    ),
    Refused(
        "In isolated subnets of an existing VPC, a password is read by a named endpoint.",
        _bind_in_isolated_subnets,
        "secrets_endpoint: got None, but a password is read from Secrets Manager, and the subnets need an endpoint to "
        "reach it; set secrets_endpoint=True to create one, or give the one that the VPC has",
        _ENDPOINTS,
    ),
    Refused(
        "The name of a shared parameter is one of SSM.",
        lambda it: _share(it, "orders/cache"),
        "parameter_name: got 'orders/cache', but a name has up to 1011 letters, digits and characters of '_.-', in up "
        "to 15 levels that begin with '/'; write for example '/orders/cache'",
        _SSM,
    ),
    Refused(
        "The name of a shared parameter is not reserved by AWS.",
        lambda it: _record(it, "/aws/orders"),
        "parameter_name: got '/aws/orders', but names that begin with 'aws' or 'ssm' are reserved",
        _SSM,
    ),
    Refused(
        "A store is shared once in a parameter.",
        lambda it: _share(it, "/orders/cache", times=2),
        "parameter_name: got '/orders/cache', but the store is shared in a parameter of that name; use another",
        _SSM,
    ),
    Refused(
        "A store is shared as a user.",
        lambda it: it.group().share("/orders/cache"),
        "user: got None, but clients sign in as a user; add one with `add_iam_user`",
        _RBAC,
    ),
    Refused(
        "A shared store has a network.",
        _share_import,
        "network: got None, but the security group of its clients needs the VPC of the store; give `network` to the "
        "import",
        _LAMBDA,
    ),
    Refused(
        "A policy is attached to a role of this app.",
        lambda it: _record(it).bind(_function_with_an_imported_role(it)),
        "target: got '.../App', but its role is imported, and no policy can be attached to it; give it a role of this "
        "app, or attach the policy of the record where the role is defined",
        _ATTACHING,
    ),
    Refused(
        "A task joins a security group only with the network mode awsvpc.",
        lambda it: _record(it).bind(targets.ec2_service(it.scope, it.network)),
        "target: got '.../Service', but its tasks have the security groups of their instances; bind the Auto Scaling "
        "group of its cluster, or use the network mode awsvpc",
        _TASKS,
    ),
]


def _each_kind(it: Scene) -> None:
    """One target of each kind, bound to two stores."""
    cache, ledger = it.group(), it.cluster()
    password = cache.add_password_user("app", "on ~app:* +@read")
    user = ledger.add_iam_user("app", "on ~app:* +@read")
    for name, kind in targets.KINDS.items():
        scope = Construct(it.scope, name)
        target = kind.define(scope, it.network)
        cache.bind(target, user=password)
        ledger.bind(target, user=user, name="order-ledger")


def _each_kind_with_a_record(it: Scene) -> None:
    cache = it.group()
    cache.share("/orders/shared", user=cache.add_password_user("app", "on ~app:* +@read"))
    record = _record(it)
    for name, kind in targets.KINDS.items():
        if name != "EC2 service":
            record.bind(kind.define(Construct(it.scope, name), it.network))


ACCEPTED = [
    Accepted("One target of each kind is bound to two stores.", _each_kind),
    Accepted("One target of each kind is bound to a record of another app.", _each_kind_with_a_record),
]
