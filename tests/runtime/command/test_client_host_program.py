"""The program on a client host signs in to real engines."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cdk_redis._client_host import program
from cdk_redis_runtime._client import environment as env
from tests.runtime.support.battery import AWS_CREDENTIALS, assert_no_secret
from tests.runtime.support.bound_cluster import USERS, BoundCluster

IAM, BY_PASSWORD = env.AUTHENTICATION_IAM, env.AUTHENTICATION_PASSWORD

# The AWS CLI of the image, as far as the program needs it.
AWS = f"""#!{sys.executable}
import argparse, boto3
parser = argparse.ArgumentParser()
parser.add_argument("service"), parser.add_argument("operation")
for option in ("region", "output", "query", "secret-id"):
    parser.add_argument("--" + option, required=True)
given = parser.parse_args()
assert (given.service, given.operation, given.output) == ("secretsmanager", "get-secret-value", "text")
client = boto3.client(given.service, region_name=given.region)
print(client.get_secret_value(SecretId=given.secret_id)[given.query])
"""


@pytest.fixture
def metadata_service() -> Iterator[str]:
    """The instance metadata service, version 2: without the token of a session, it answers 401."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert self.path == "/latest/api/token"
            assert self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
            self._answer(200, "a-session")

        def do_GET(self) -> None:
            folder = "/latest/meta-data/iam/security-credentials/"
            keys = (AWS_CREDENTIALS.access_key, AWS_CREDENTIALS.secret_key, AWS_CREDENTIALS.token)
            pages = {
                folder: "the-role",
                f"{folder}the-role": json.dumps(
                    dict(zip(("AccessKeyId", "SecretAccessKey", "Token"), keys, strict=True))
                ),
            }
            is_session = self.headers["X-aws-ec2-metadata-token"] == "a-session"
            self._answer(*((200, pages[self.path]) if is_session else (401, "")))

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def connect(bound: BoundCluster, authentication: str, folder: Path, *words: str, **more: str) -> str:
    """Run the program as on a host: with settings in a file, and nothing about the store in the environment."""
    environment = bound.environment(authentication)
    store = {name: value for name, value in environment.items() if name.startswith(env.PREFIX)}
    settings = folder / "store.json"
    settings.write_text(json.dumps({env.REGION: "eu-west-1", **store}))
    # The image has valkey-cli, and this machine redis-cli.
    (folder / "valkey-cli").symlink_to(str(shutil.which("redis-cli")))
    (folder / "aws").write_text(AWS)
    (folder / "aws").chmod(0o755)
    keep = environment.keys() - store.keys() - {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", inspect.getsource(program), *words],
        env={
            **{name: environment[name] for name in keep},
            "CDK_REDIS_SETTINGS": str(settings),
            "PATH": f"{folder}:{environment['PATH']}",
            **more,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert_no_secret([done.stdout, done.stderr], {bound.password})
    assert done.returncode == 0, done.stderr + str(bound.said)
    return done.stdout


def test_iam_user_signs_in_with_the_role_of_the_instance(
    bound_cluster: BoundCluster, metadata_service: str, tmp_path: Path
) -> None:
    more = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_service}
    assert connect(bound_cluster, IAM, tmp_path, "SET", "app:1", "1", **more) == "OK\n"
    assert sum(bound_cluster.keys("app:*")) == 1


def test_password_user_signs_in_with_the_secret(bound_cluster: BoundCluster, tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "an-example"}
    assert connect(bound_cluster, BY_PASSWORD, tmp_path, "ACL", "WHOAMI", **keys) == f"{USERS[BY_PASSWORD]}\n"


@pytest.mark.parametrize("serverless", [None, "true"])
def test_token_is_the_same_as_that_of_botocore(serverless: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    from cdk_redis_runtime._client.iam_token import IamTokenProvider

    store = {env.STORE: "Orders", env.SERVICE: "memorydb", env.REGION: "eu-west-1", env.USER: "app"}
    store |= {} if serverless is None else {env.SERVERLESS: serverless}
    keys = [AWS_CREDENTIALS.access_key, AWS_CREDENTIALS.secret_key, str(AWS_CREDENTIALS.token)]
    provider = IamTokenProvider(
        service="memorydb",
        store="Orders",
        user="app",
        region="eu-west-1",
        serverless=serverless is not None,
        credentials=AWS_CREDENTIALS,
    )
    # Both read the clock: at the turn of a second they differ once.
    pairs = [(parts(program.token(store, keys)), parts(provider.get_credentials()[-1])) for _ in range(3)]
    assert any(ours == theirs for ours, theirs in pairs), pairs


def parts(token: str) -> tuple[str, list[str]]:
    host, _, query = token.partition("?")
    return host, sorted(query.split("&"))
