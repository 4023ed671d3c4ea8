"""One construct of each kind that can be bound to a store, and what a binding gave it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from cdk_redis import RedisNetwork

IMAGE = "public.ecr.aws/docker/library/python:3.13"
AMI = ec2.MachineImage.generic_linux({"eu-west-1": "ami-0123456789abcdef0"})
SMALL = ec2.InstanceType("t4g.micro")


def function(scope: cdk.Stack, network: RedisNetwork, id: str = "App", **given: Any) -> lambda_.Function:
    return lambda_.Function(
        scope,
        id,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="app.handler",
        code=lambda_.Code.from_inline("#"),
        vpc=network.vpc,
        vpc_subnets=network.subnet_selection,
        **given,
    )


def alias(scope: cdk.Stack, network: RedisNetwork) -> lambda_.Alias:
    return lambda_.Alias(scope, "Live", alias_name="live", version=function(scope, network).current_version)


def version(scope: cdk.Stack, network: RedisNetwork) -> lambda_.Version:
    return function(scope, network).current_version


def fargate_task(scope: cdk.Stack, id: str = "App") -> ecs.FargateTaskDefinition:
    task = ecs.FargateTaskDefinition(scope, id)
    task.add_container("web", image=ecs.ContainerImage.from_registry(IMAGE))
    task.add_container("log", image=ecs.ContainerImage.from_registry(IMAGE), essential=False)
    return task


def fargate_service(
    scope: cdk.Stack, network: RedisNetwork, task: ecs.FargateTaskDefinition | None = None, **given: Any
) -> ecs.FargateService:
    return ecs.FargateService(
        scope,
        "Service",
        cluster=ecs.Cluster(scope, "Cluster", vpc=network.vpc),
        task_definition=task or fargate_task(scope),
        vpc_subnets=network.subnet_selection,
        min_healthy_percent=50,
        **given,
    )


def ec2_service(
    scope: cdk.Stack, network: RedisNetwork, mode: ecs.NetworkMode = ecs.NetworkMode.BRIDGE, *, known: bool = True
) -> ecs.Ec2Service:
    cluster = ecs.Cluster(scope, "Cluster", vpc=network.vpc)
    capacity = auto_scaling_group(scope, network, "Capacity")
    cluster.add_asg_capacity_provider(ecs.AsgCapacityProvider(scope, "Provider", auto_scaling_group=capacity))
    if known:
        cluster.connections.add_security_group(*capacity.connections.security_groups)
    task = ecs.Ec2TaskDefinition(scope, "App", network_mode=mode)
    task.add_container("web", image=ecs.ContainerImage.from_registry(IMAGE), memory_limit_mib=128)
    return ecs.Ec2Service(scope, "Service", cluster=cluster, task_definition=task, min_healthy_percent=50)


def awsvpc_service(scope: cdk.Stack, network: RedisNetwork) -> ecs.Ec2Service:
    return ec2_service(scope, network, ecs.NetworkMode.AWS_VPC)


def instance(scope: cdk.Stack, network: RedisNetwork, **given: Any) -> ec2.Instance:
    common = {"instance_type": SMALL, "machine_image": AMI, **given}
    return ec2.Instance(scope, "App", vpc=network.vpc, vpc_subnets=network.subnet_selection, **common)


def auto_scaling_group(
    scope: cdk.Stack, network: RedisNetwork, id: str = "App", **given: Any
) -> autoscaling.AutoScalingGroup:
    common = {"instance_type": SMALL, "machine_image": AMI, **given}
    return autoscaling.AutoScalingGroup(scope, id, vpc=network.vpc, vpc_subnets=network.subnet_selection, **common)


@dataclass(frozen=True)
class Kind:
    """A kind of target: how to define one, and the resource that has its variables."""

    define: Callable[[cdk.Stack, RedisNetwork], Any]
    resource: str
    runs: str


KINDS = {
    "function": Kind(function, "AWS::Lambda::Function", "AWS::Lambda::Function"),
    "alias": Kind(alias, "AWS::Lambda::Function", "AWS::Lambda::Function"),
    "version": Kind(version, "AWS::Lambda::Function", "AWS::Lambda::Function"),
    "Fargate service": Kind(fargate_service, "AWS::ECS::TaskDefinition", "AWS::ECS::Service"),
    "EC2 service": Kind(ec2_service, "AWS::ECS::TaskDefinition", "AWS::ECS::Service"),
    "EC2 service with awsvpc": Kind(awsvpc_service, "AWS::ECS::TaskDefinition", "AWS::ECS::Service"),
    "instance": Kind(instance, "AWS::EC2::Instance", "AWS::EC2::Instance"),
    "Auto Scaling group": Kind(
        auto_scaling_group, "AWS::AutoScaling::LaunchConfiguration", "AWS::AutoScaling::AutoScalingGroup"
    ),
}


def variables(template: dict[str, Any], container: str = "web") -> dict[str, Any]:
    """The variables of the only target in a template."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function" and properties["Handler"] == "app.handler":
            return properties["Environment"]["Variables"]
        if resource["Type"] == "AWS::ECS::TaskDefinition":
            (found,) = [one for one in properties["ContainerDefinitions"] if one["Name"] == container]
            return {one["Name"]: one["Value"] for one in found.get("Environment", [])}
    return dict(_lines(user_data(template)))


def user_data(template: dict[str, Any]) -> str:
    """User data of the only target, with its references as ``<Resource.Attribute>``."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        found = properties.get("LaunchTemplateData", properties).get("UserData")
        if found is not None and "cdk-redis" in str(found):
            text = found["Fn::Base64"]
            return text if isinstance(text, str) else "".join(map(_text, text["Fn::Join"][1]))
    raise AssertionError("no resource has an environment file")


def _text(part: Any) -> str:
    if isinstance(part, str):
        return part
    ((kind, value),) = part.items()
    if kind == "Fn::GetStackOutput":
        return f"<{value['StackName']}.{value['OutputName']}>"
    return f"<{value if isinstance(value, str) else '.'.join(map(str, value))}>"


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if found := re.fullmatch(r"(CDK_REDIS_\w+)='(.*)'", line):
            yield found[1], found[2]


def rules(template: dict[str, Any], way: str) -> list[dict[str, Any]]:
    """Properties of the rules ``Ingress`` or ``Egress``."""
    kind = f"AWS::EC2::SecurityGroup{way}"
    return [one["Properties"] for one in template.get("Resources", {}).values() if one["Type"] == kind]


def duplicates(templates: list[dict[str, Any]]) -> list[Any]:
    """Rules that EC2 refuses, because another one has the same groups and ports."""
    seen: list[Any] = []
    found: list[Any] = []
    for template in templates:
        for way in ("Ingress", "Egress"):
            for rule in rules(template, way):
                key = {name: value for name, value in rule.items() if name != "Description"}
                (found if key in seen else seen).append(key)
    return found


def template_of(stack: cdk.Stack) -> dict[str, Any]:
    return dict(Template.from_stack(stack).to_json())
