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

import cdk_redis_local
from cdk_redis_local import LocalCloud
from cdk_redis_local._demo import read_reports

APPS = Path(__file__).parent / "apps"


class Deploys:
    """The package's `Deploys` with this repository's apps, whose context is in cdk.json."""

    def __init__(self, cloud: LocalCloud, repository: Path) -> None:
        self.cloud = cloud
        self._local = cdk_redis_local.Deploys(cloud, repository)
        self._repository = repository
        self.session = self._local.session
        self.client = self._local.client
        self.run = self._local.run
        self.outputs = self._local.outputs
        self.bootstrap = self._local.bootstrap

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
        return dict(self._local.deploy(assembly, stacks=[stack]).outputs[stack])

    def invoke(self, function: str, **event: Any) -> Any:
        """Invoke a Lambda function with this event; returns its answer."""
        return self._local.invoke(function, event)

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
