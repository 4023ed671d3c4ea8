"""Deploys small apps to a local cloud with the real CDK CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cdk_redis_local import LocalCloud
from cdk_redis_local._cloud import find_cdk
from cdk_redis_local._demo import read_reports

APPS = Path(__file__).parent / "apps"


class Deploys:
    """Runs the CDK CLI on a running and bootstrapped local cloud."""

    def __init__(self, cloud: LocalCloud, repository: Path) -> None:
        self.cloud = cloud
        self._cdk = find_cdk(repository, cloud.environment)
        self._repository = repository
        self.session = cloud.session()

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.cloud.endpoint_url)

    def run(self, *arguments: str, cwd: Path | None = None) -> None:
        command = [*self._cdk, *arguments]
        done = subprocess.run(command, env=self.cloud.environment, cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def synthesize(self, app: str, directory: Path, **context: str) -> Path:
        """Synthesize the app with these context values; returns the cloud assembly."""
        environment = {
            **os.environ,
            "CDK_OUTDIR": str(directory),
            "CDK_CONTEXT_JSON": json.dumps(
                {**json.loads((self._repository / "cdk.json").read_text())["context"], **context}
            ),
            "CDK_DEFAULT_ACCOUNT": "000000000000",
            "CDK_DEFAULT_REGION": self.cloud.region,
        }
        subprocess.run([sys.executable, str(APPS / f"{app}.py")], env=environment, check=True, cwd=self._repository)
        return directory

    def deploy(self, assembly: Path, stack: str) -> dict[str, str]:
        """Create or update the stack; returns its outputs."""
        self.run("deploy", "--app", str(assembly), "--require-approval", "never", stack)
        return self.outputs(stack)

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a deployed stack."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    def invoke(self, function: str, **event: Any) -> Any:
        """Invoke a Lambda function with this event; returns its answer."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def reports(self) -> dict[str, dict[str, Any]]:
        """The last report of each smoke test, by the name of its store."""
        return {str(report["store"]): report for report in read_reports(self.cloud)}

    def parameter(self, name: str) -> str:
        """The value of an SSM parameter."""
        return str(self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])

    def password(self, secret: str) -> str:
        text = self.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return str(json.loads(text)["password"])

    def connect(self, port: str, user: str, password: str, *, cluster: bool = False) -> Any:
        """A client of a store, through its gates."""
        options: dict[str, Any] = {
            "host": "localhost",
            "port": int(port),
            "username": user,
            "password": password,
            "ssl": True,
            "ssl_ca_certs": self.cloud.environment["SSL_CERT_FILE"],
            "decode_responses": True,
            "protocol": 2,
        }
        if cluster:
            return redis.RedisCluster(**options)
        return redis.Redis(**options, retry=Retry(NoBackoff(), 0))


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    """Name and status of each check of a report."""
    return {str(check["name"]): str(check["status"]) for check in report["checks"]}


def check(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The check with this name in a report."""
    return next(entry for entry in report["checks"] if entry["name"] == name)
