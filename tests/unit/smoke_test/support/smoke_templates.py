"""Reads the templates of smoke tests."""

from __future__ import annotations

from aws_cdk.assertions import Template

FUNCTION = "AWS::Lambda::Function"


def function_of(template: Template) -> dict[str, object]:
    """Properties of the smoke test's function."""
    (function,) = template.find_resources(
        FUNCTION, {"Properties": {"Handler": "cdk_redis_runtime.smoke_lambda.handler"}}
    ).values()
    return function["Properties"]


def environment_of(template: Template) -> dict[str, object]:
    """Environment variables of the smoke test's function."""
    return function_of(template)["Environment"]["Variables"]  # type: ignore[index]


def rules_of(template: Template, direction: str, group: object) -> list[tuple[object, int, int]]:
    """The ``Egress`` or ``Ingress`` rules of a security group: the other group, the first port and the last."""
    other = {"Egress": "DestinationSecurityGroupId", "Ingress": "SourceSecurityGroupId"}[direction]
    rules = [rule["Properties"] for rule in template.find_resources(f"AWS::EC2::SecurityGroup{direction}").values()]
    return [(rule[other], rule["FromPort"], rule["ToPort"]) for rule in rules if rule["GroupId"] == group]
