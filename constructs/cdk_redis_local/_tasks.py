"""ECS tasks without Docker: the program of a container runs as a process with the environment of the container."""

from __future__ import annotations

import json

from cdk_redis_local._cloud import LocalCloud
from cdk_redis_local._core.errors import LocalCloudError


def task_environment(cloud: LocalCloud, *, cluster: str, service: str, container: str | None = None) -> dict[str, str]:
    """The environment that a container of a deployed ECS service has, for a process in place of the container.

    It has the variables and the secrets that the task definition declares, credentials of the task's role, the Region,
    and what leads to the local cloud: the endpoint of the AWS APIs and the certificate authority of the stores. Nothing
    of this process's environment is in it but ``PATH``.

    Example:
        >>> environment = task_environment(cloud, cluster="Shop", service="Web")
        >>> process = cloud.workspace.spawn([sys.executable, "main.py"], environment=environment, cwd=folder)

    Args:
        cloud: The cloud that the service is deployed to.
        cluster: Name or ARN of the ECS cluster.
        service: Name or ARN of the service.
        container: Name of the container. Default: - the only one.

    Raises:
        LocalCloudError: The service or the container does not exist, or the task has no role.
    """
    ecs = cloud.client("ecs")
    found = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not found:
        raise LocalCloudError(f"there is no ECS service {service} in the cluster {cluster}")
    task = ecs.describe_task_definition(taskDefinition=found[0]["taskDefinition"])["taskDefinition"]
    containers = {one["name"]: one for one in task["containerDefinitions"]}
    name = container or next(iter(containers))
    if name not in containers or (container is None and len(containers) > 1):
        raise LocalCloudError(f"{service}: `container` is one of {', '.join(containers)}")
    declared = {entry["name"]: entry["value"] for entry in containers[name].get("environment", [])}
    secrets = {entry["name"]: _secret(cloud, entry["valueFrom"]) for entry in containers[name].get("secrets", [])}
    return {
        "PATH": cloud.environment["PATH"],
        "AWS_REGION": cloud.region,
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SSL_CERT_FILE": cloud.environment["SSL_CERT_FILE"],
        **_credentials(cloud, service, str(task.get("taskRoleArn") or "")),
        **declared,
        **secrets,
    }


def _secret(cloud: LocalCloud, reference: str) -> str:
    """The value of a secret, of one key of its JSON, or of a parameter, as an ECS agent reads it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """
    if ":secretsmanager:" not in reference:
        name = reference.partition(":parameter")[2] or reference
        return str(cloud.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
    # The ARN has seven parts; JSON key, stage and id of the version follow, each of which may be empty.
    parts = reference.split(":")
    key, stage, version = [*parts[7:], "", "", ""][:3]
    which = {"VersionStage": stage, "VersionId": version}
    secret = cloud.client("secretsmanager").get_secret_value(
        SecretId=":".join(parts[:7]), **{name: value for name, value in which.items() if value}
    )
    text = str(secret["SecretString"])
    return str(json.loads(text)[key]) if key else text


def _credentials(cloud: LocalCloud, service: str, role: str) -> dict[str, str]:
    """Temporary credentials of the task's role. On AWS, the container fetches them from the agent."""
    if not role:
        raise LocalCloudError(f"the task of {service} has no role: bind the service to a store, or give it one")
    made = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="task")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }
