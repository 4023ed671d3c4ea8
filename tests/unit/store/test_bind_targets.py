"""`bind` gives each kind of target the permission, the security-group rules and the variables."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from cdk_redis import AccessString, ConfigurationError, MemoryDbCluster, RedisNetwork, ReplicationGroup
from tests.unit.store.support.targets import (
    IMAGE,
    KINDS,
    Kind,
    auto_scaling_group,
    duplicates,
    ec2_service,
    fargate_service,
    fargate_task,
    function,
    instance,
    rules,
    template_of,
    user_data,
    variables,
)

ACCESS = AccessString.read_write("app:*")


@pytest.fixture
def cache(stack: cdk.Stack, network: RedisNetwork) -> ReplicationGroup:
    return ReplicationGroup(stack, "Cache", network=network)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_target_gets_the_permission_the_rules_and_the_variables(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, kind: Kind
) -> None:
    user = cache.add_iam_user("app", ACCESS)
    cache.bind(kind.define(stack, network), user=user)

    template = template_of(stack)
    found = variables(template)
    assert found["CDK_REDIS_USER"] == user.user_name
    assert found["CDK_REDIS_AUTHENTICATION"] == "iam"
    assert {"CDK_REDIS_SERVICE", "CDK_REDIS_STORE", "CDK_REDIS_HOST", "CDK_REDIS_PORT"} <= found.keys()
    assert ("CDK_REDIS_REGION" in found) == (kind.resource != "AWS::Lambda::Function")
    (opened,) = [rule for rule in rules(template, "Ingress") if rule["Description"] == "to Stack/Cache"]
    assert opened["FromPort"] == opened["ToPort"] == 6379
    assert str(template).count("elasticache:Connect") == 1
    assert duplicates([template]) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_rules_and_the_policy_are_deleted_after_the_program(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, kind: Kind
) -> None:
    cache.bind(kind.define(stack, network), user=cache.add_iam_user("app", ACCESS))

    resources = template_of(stack)["Resources"]
    (program,) = [
        one
        for name, one in resources.items()
        if one["Type"] == kind.runs and ("App" in name or "Service" in name) and "Default" not in name
    ]
    (policy,) = [name for name, one in resources.items() if "elasticache:Connect" in str(one)]
    opened = [
        name
        for name, one in resources.items()
        if one["Type"].startswith("AWS::EC2::SecurityGroup") and "to Stack/Cache" in str(one)
    ]
    assert opened
    assert {policy, *opened} <= set(program["DependsOn"])


def test_grant_connect_accepts_an_ecs_service(stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup) -> None:
    service = fargate_service(stack, network)
    cache.grant_connect(service, user=cache.add_iam_user("app", ACCESS))

    template = template_of(stack)
    (policy,) = [one for one in template["Resources"].values() if "elasticache:Connect" in str(one)]
    assert policy["Properties"]["Roles"] == [stack.resolve(service.task_definition.task_role.role_name)]
    (group,) = service.connections.security_groups
    sources = [rule["SourceSecurityGroupId"] for rule in rules(template, "Ingress")]
    assert stack.resolve(group.security_group_id) in sources
    assert variables(template) == {}


def test_grant_connect_of_a_task_definition_grants_its_task_role(stack: cdk.Stack, cache: ReplicationGroup) -> None:
    task = fargate_task(stack)
    cache.grant_connect(task, user=cache.add_iam_user("app", ACCESS))

    (policy,) = [one for one in template_of(stack)["Resources"].values() if "elasticache:Connect" in str(one)]
    assert policy["Properties"]["Roles"] == [stack.resolve(task.task_role.role_name)]


def test_another_container_gets_the_variables_by_its_name(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup
) -> None:
    service = fargate_service(stack, network)
    cache.bind(service, user=cache.add_iam_user("app", ACCESS), container="log")

    template = template_of(stack)
    assert variables(template, "web") == {}
    assert variables(template, "log")["CDK_REDIS_AUTHENTICATION"] == "iam"


def test_two_containers_of_a_task_are_bound_to_two_stores_without_names(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup
) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    service = fargate_service(stack, network)
    cache.bind(service, user=cache.add_iam_user("app", ACCESS))
    ledger.bind(service, user=ledger.add_iam_user("app", ACCESS), container="log")

    template = template_of(stack)
    assert variables(template, "web")["CDK_REDIS_SERVICE"] == "elasticache"
    assert variables(template, "log")["CDK_REDIS_SERVICE"] == "memorydb"


@pytest.mark.parametrize("given", ["task definition", "container"])
def test_a_task_is_bound_with_the_security_groups_that_it_runs_with(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, given: str
) -> None:
    task = fargate_task(stack)
    group = ec2.SecurityGroup(stack, "Tasks", vpc=network.vpc, allow_all_outbound=False)
    user = cache.add_iam_user("app", ACCESS)
    target = task if given == "task definition" else task.default_container
    assert target is not None
    for _ in range(2):
        cache.bind(target, user=user, security_groups=[group])

    template = template_of(stack)
    assert variables(template)["CDK_REDIS_USER"] == user.user_name
    own = stack.resolve(group.security_group_id)
    assert [rule["SourceSecurityGroupId"] for rule in rules(template, "Ingress")].count(own) == 1
    assert [rule["GroupId"] for rule in rules(template, "Egress")].count(own) == 1
    assert str(template).count("elasticache:Connect") == 1


def test_a_service_with_the_security_groups_of_its_instances_is_bound(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup
) -> None:
    service = ec2_service(stack, network, known=False)
    group = ec2.SecurityGroup(stack, "Instances", vpc=network.vpc)
    user = cache.add_iam_user("app", ACCESS)
    cache.bind(service, user=user, security_groups=[group])

    template = template_of(stack)
    sources = [rule["SourceSecurityGroupId"] for rule in rules(template, "Ingress")]
    assert stack.resolve(group.security_group_id) in sources
    assert variables(template)["CDK_REDIS_USER"] == user.user_name


def test_the_environment_file_has_the_variables_for_shells_and_systemd(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup
) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    target = instance(stack, network)
    cache.bind(target, user=cache.add_iam_user("app", ACCESS))
    ledger.bind(target, user=ledger.add_iam_user("app", ACCESS), name="ledger")

    text = user_data(template_of(stack))
    assert text.splitlines()[:6] == [
        "#!/bin/bash",
        "install -d -m 755 /etc/cdk-redis",
        "cat >> /etc/cdk-redis/env <<'CDK_REDIS_ENVIRONMENT'",
        "CDK_REDIS_SERVICE='elasticache'",
        "CDK_REDIS_STORE='<Cache18F6EE16>'",
        "CDK_REDIS_HOST='<Cache18F6EE16.PrimaryEndPoint.Address>'",
    ]
    assert "CDK_REDIS_REGION='eu-west-1'" in text
    assert "CDK_REDIS_LEDGER_SERVICE='memorydb'" in text


def test_a_shell_reads_what_user_data_writes(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, tmp_path: Any
) -> None:
    target = instance(stack, network)
    user = cache.add_iam_user("app", ACCESS)
    cache.bind(target, user=user)
    target.add_user_data(f"set -a; . {tmp_path}/etc/env; env > {tmp_path}/seen")
    script = user_data(template_of(stack)).replace("/etc/cdk-redis", f"{tmp_path}/etc")

    subprocess.run(["bash", "-eu", "-c", script], check=True, env={"PATH": "/usr/bin:/bin"})

    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines() if "=" in line)
    assert seen["CDK_REDIS_HOST"] == "<Cache18F6EE16.PrimaryEndPoint.Address>"
    assert seen["CDK_REDIS_USER"] == user.user_name


@pytest.mark.parametrize("value", ["plain", "it's", '{"host":"a b","port":"1"}', "$HOME `id` \\n #"])
def test_every_value_reaches_a_shell_unchanged(value: str, tmp_path: Any) -> None:
    from cdk_redis._store.environment_file import add_environment_file

    commands = ec2.UserData.for_linux()
    add_environment_file(commands, {"CDK_REDIS_RECORD": value})
    script = commands.render().replace("/etc/cdk-redis", shlex.quote(str(tmp_path)))

    show = f'set -a; . {tmp_path}/env; printf %s "$CDK_REDIS_RECORD"'
    done = subprocess.run(["bash", "-eu", "-c", f"{script}\n{show}"], check=True, capture_output=True, text=True)

    assert done.stdout == value


@pytest.mark.parametrize("templates", [True, False], ids=["launch template", "launch configuration"])
def test_an_auto_scaling_group_is_bound_with_both_settings_of_the_feature_flag(templates: bool) -> None:
    flag = {"@aws-cdk/aws-autoscaling:generateLaunchTemplateInsteadOfLaunchConfig": templates}
    stack = cdk.Stack(cdk.App(context=flag), "Stack", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    network = RedisNetwork(stack, "Network")
    cache = ReplicationGroup(stack, "Cache", network=network)
    user = cache.add_iam_user("app", ACCESS)
    cache.bind(auto_scaling_group(stack, network), user=user)

    assert variables(template_of(stack))["CDK_REDIS_USER"] == user.user_name


def test_a_launch_template_of_the_app_is_bound(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup
) -> None:
    launch = ec2.LaunchTemplate(
        stack,
        "Launch",
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.generic_linux({"eu-west-1": "ami-0123456789abcdef0"}),
        role=iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com")),
        security_group=ec2.SecurityGroup(stack, "Group", vpc=network.vpc),
        user_data=ec2.UserData.for_linux(),
    )
    group = autoscaling.AutoScalingGroup(
        stack, "App", vpc=network.vpc, vpc_subnets=network.subnet_selection, launch_template=launch
    )
    user = cache.add_iam_user("app", ACCESS)
    cache.bind(group, user=user)

    assert variables(template_of(stack))["CDK_REDIS_USER"] == user.user_name


def test_synth_without_services_and_groups_does_not_import_their_modules() -> None:
    code = (
        "import sys, aws_cdk as cdk; from cdk_redis import *; s = cdk.Stack(); n = RedisNetwork(s, 'N')\n"
        "c = ReplicationGroup(s, 'C', network=n); u = c.add_iam_user('app', 'on ~app:* +@read')\n"
        "from aws_cdk import aws_lambda as l\n"
        "f = l.Function(s, 'F', runtime=l.Runtime.PYTHON_3_13, handler='a.b', code=l.Code.from_inline('#'),"
        " vpc=n.vpc, vpc_subnets=n.subnet_selection)\n"
        "c.bind(f, user=u)\n"
        "print([m for m in ('aws_ecs', 'aws_autoscaling', 'aws_ssm') if f'aws_cdk.{m}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"


def _windows(stack: cdk.Stack, network: RedisNetwork) -> ec2.Instance:
    image = ec2.MachineImage.generic_windows({"eu-west-1": "ami-0123456789abcdef0"})
    return instance(stack, network, machine_image=image)


def _pattern(stack: cdk.Stack, network: RedisNetwork) -> patterns.QueueProcessingFargateService:
    return patterns.QueueProcessingFargateService(
        stack,
        "App",
        vpc=network.vpc,
        task_subnets=network.subnet_selection,
        image=ecs.ContainerImage.from_registry(IMAGE),
        min_healthy_percent=50,
    )


def _imported_function(stack: cdk.Stack, network: RedisNetwork) -> lambda_.IFunction:
    return lambda_.Function.from_function_attributes(
        stack,
        "App",
        function_arn="arn:aws:lambda:eu-west-1:111122223333:function:app",
        security_group=ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0"),
        role=iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/app"),
    )


def _imported_alias(stack: cdk.Stack, network: RedisNetwork) -> lambda_.IAlias:
    version = lambda_.Version.from_version_arn(stack, "Version", "arn:aws:lambda:eu-west-1:111122223333:function:app:1")
    return lambda_.Alias.from_alias_attributes(stack, "App", alias_name="live", alias_version=version)


def _outside(stack: cdk.Stack, network: RedisNetwork) -> lambda_.Function:
    code = lambda_.Code.from_inline("#")
    return lambda_.Function(stack, "App", runtime=lambda_.Runtime.PYTHON_3_13, handler="app.handler", code=code)


def _bare_launch_template(stack: cdk.Stack, network: RedisNetwork) -> autoscaling.AutoScalingGroup:
    launch = ec2.LaunchTemplate(
        stack,
        "Launch",
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.generic_linux({"eu-west-1": "ami-0123456789abcdef0"}),
    )
    subnets = network.subnet_selection
    return autoscaling.AutoScalingGroup(stack, "App", vpc=network.vpc, vpc_subnets=subnets, launch_template=launch)


IMPORTED = (
    "but its function is imported, and this app cannot change its environment; bind it in the app that defines it, "
    "with `share` here and `ConnectionRecord.from_parameter` there"
)
OTHER = (
    "but the library does not know how it passes variables to its program; bind a Lambda function, an ECS service or "
    "task, an EC2 instance or an Auto Scaling group of this app; for anything else, call `grant_connect`, and pass the "
    "variables of `connection_environment`"
)
REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "a function outside a VPC": (
        _outside,
        {},
        "target: got 'Stack/App', but it is in no VPC; give the function `vpc=network.vpc` and "
        "`vpc_subnets=network.subnet_selection`",
    ),
    "an imported function": (_imported_function, {}, f"target: got 'Stack/App', {IMPORTED}"),
    "an imported alias": (_imported_alias, {}, f"target: got 'Stack/App', {IMPORTED}"),
    "a role": (
        lambda stack, _: iam.Role(stack, "App", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com")),
        {},
        f"target: got 'Stack/App', {OTHER}",
    ),
    "a bastion host": (
        lambda stack, network: ec2.BastionHostLinux(
            stack, "App", vpc=network.vpc, subnet_selection=network.subnet_selection
        ),
        {},
        "target: got 'Stack/App', but it runs its program in its `instance`; bind that: `bind(it.instance, ...)`",
    ),
    "a pattern with a service": (
        _pattern,
        {},
        "target: got 'Stack/App', but it runs its program in its `service`; bind that: `bind(it.service, ...)`",
    ),
    "an instance with Windows": (
        _windows,
        {},
        "target: got 'Stack/App', but it runs Windows, and the environment file is for Linux; call `grant_connect`, "
        "and set the variables of `connection_environment` in your own user data",
    ),
    "a launch template without a role": (
        _bare_launch_template,
        {},
        "target: got 'Stack/App', but its launch template does not expose a role, security groups and user data; give "
        "ec2.LaunchTemplate(..., role=, security_group=, user_data=)",
    ),
    "a task without security groups": (
        lambda stack, _: fargate_task(stack),
        {},
        "security_groups: got None, but a task has the security groups of what runs it; give the `security_groups` of "
        "the service, or of the call that runs the task; or bind the service",
    ),
    "a task with an empty list of security groups": (
        lambda stack, _: fargate_task(stack),
        {"security_groups": []},
        "security_groups: got [], but a task has the security groups of what runs it; give the `security_groups` of "
        "the service, or of the call that runs the task; or bind the service",
    ),
    "a service with the security groups of its instances": (
        lambda stack, network: ec2_service(stack, network, known=False),
        {},
        "security_groups: got None, but its tasks have the security groups of their instances; give them: "
        "`security_groups=group.connections.security_groups`",
    ),
    "a task without containers": (
        lambda stack, _: ecs.FargateTaskDefinition(stack, "App"),
        {},
        "target: got 'Stack/App', but its task has no essential container yet; call `add_container` first",
    ),
    "an unknown container": (
        fargate_service,
        {"container": "app"},
        "container: got 'app', but the task has no container of that name; it has web, log; call `add_container` "
        "first, or give another name",
    ),
    "a container of a function": (
        function,
        {"container": "app"},
        "container: got 'app', but only an ECS task has containers; leave it out",
    ),
    "security groups of a function": (
        function,
        {"security_groups": []},
        "security_groups: got 'a list', but it is for an ECS task, and this target has its own; leave it out",
    ),
}


@pytest.mark.parametrize(("define", "given", "message"), REFUSED.values(), ids=REFUSED)
def test_a_target_that_cannot_be_bound_is_rejected_with_what_to_do(
    stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup, define: Any, given: dict[str, Any], message: str
) -> None:
    target = define(stack, network)
    user = cache.add_iam_user("app", ACCESS)
    before = Template.from_stack(stack).to_json()

    with pytest.raises(ConfigurationError) as caught:
        cache.bind(target, user=user, **given)

    assert str(caught.value) == f"Stack/Cache: {message}"
    assert Template.from_stack(stack).to_json() == before
