"""The environment of a container of an ECS service, for a process in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from cdk_redis_local import LocalCloud, LocalCloudError, task_environment

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
WEB = {"name": "web", "image": "web", "environment": [{"name": "COLOUR", "value": "blue"}]}
_PARAMETER = "arn:aws:ssm:eu-west-1:000000000000:parameter/shop/size"
LOG = {"name": "log", "image": "log"}


@pytest.fixture(scope="module")
def cloud(repository: Path) -> Iterator[LocalCloud]:
    """A cloud with three services: of one container, of two containers, and without a role."""
    with LocalCloud(node_modules=repository / "node_modules") as cloud:
        role = cloud.client("iam").create_role(RoleName="task", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        secret = cloud.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "hidden"}')["ARN"]
        cloud.client("ssm").put_parameter(Name="/shop/size", Value="large", Type="String")
        references = {"ALL": secret, "PASSWORD": f"{secret}:password::", "SIZE": _PARAMETER}
        secrets = [{"name": name, "valueFrom": value} for name, value in references.items()]
        ecs = cloud.client("ecs")
        ecs.create_cluster(clusterName="Shop")
        for name, containers, options in (
            ("Web", [WEB], {"taskRoleArn": role["Arn"]}),
            ("Both", [WEB, {**LOG, "secrets": secrets}], {"taskRoleArn": role["Arn"]}),
            ("NoRole", [WEB], {}),
        ):
            ecs.register_task_definition(family=name, containerDefinitions=containers, **options)
            ecs.create_service(cluster="Shop", serviceName=name, taskDefinition=name, desiredCount=1)
        yield cloud


def test_a_container_has_its_variables_and_the_credentials_of_its_role(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THIS_PROCESS", "yes")

    environment = task_environment(cloud, cluster="Shop", service="Web")

    assert environment["COLOUR"] == "blue"
    assert environment["AWS_REGION"] == cloud.region
    assert "OF_THIS_PROCESS" not in environment
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment["AWS_SESSION_TOKEN"],
        region_name=environment["AWS_REGION"],
    )
    caller = session.client("sts", endpoint_url=environment["AWS_ENDPOINT_URL"]).get_caller_identity()
    assert caller["Arn"].endswith(":assumed-role/task/task")


def test_one_of_several_containers_is_named_and_has_its_secrets(cloud: LocalCloud) -> None:
    environment = task_environment(cloud, cluster="Shop", service="Both", container="log")

    assert "COLOUR" not in environment
    assert (environment["ALL"], environment["PASSWORD"]) == ('{"password": "hidden"}', "hidden")
    assert environment["SIZE"] == "large"


@pytest.mark.parametrize(
    ("service", "container", "message"),
    [
        ("Gone", None, "there is no ECS service Gone in the cluster Shop"),
        ("Both", None, "Both: `container` is one of web, log"),
        ("Web", "log", "Web: `container` is one of web"),
        ("NoRole", None, "the task of NoRole has no role: bind the service to a store, or give it one"),
    ],
)
def test_what_is_missing_is_said(cloud: LocalCloud, service: str, container: str | None, message: str) -> None:
    with pytest.raises(LocalCloudError) as caught:
        task_environment(cloud, cluster="Shop", service=service, container=container)

    assert str(caught.value) == message
