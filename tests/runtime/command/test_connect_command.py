"""``cdk-redis connect`` and ``cdk-redis token`` as processes, with real engines."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from redis import Redis
from redis.cluster import RedisCluster

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.record import record_text
from cdk_redis_runtime._command.main import main
from cdk_redis_runtime._command.options import COULD_NOT_RUN
from tests.runtime.support.battery import AWS_CREDENTIALS, assert_no_secret
from tests.runtime.support.bound_cluster import USERS, BoundCluster

IAM, BY_PASSWORD = env.AUTHENTICATION_IAM, env.AUTHENTICATION_PASSWORD
COMMAND = [sys.executable, "-m", "cdk_redis_runtime"]
ARGUMENTS = ["--host", "orders.example", "--user", "app", "--iam", "orders", "--region", "eu-west-1"]


def run(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def without_store(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a workstation: credentials, but no store."""
    return {name: value for name, value in environment.items() if not name.startswith(env.PREFIX)}


def record_of(environment: Mapping[str, str]) -> str:
    return record_text({**environment, env.REGION: "eu-west-1"})


class Aws:
    """Answers GetParameter and DescribeStacks."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}
        self.outputs: dict[str, str] = {}

    def __enter__(self) -> Aws:
        aws = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, kind, answer = aws.answer(self.headers.get("X-Amz-Target", ""), body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, target: str, body: str) -> tuple[int, str, bytes]:
        if target == "AmazonSSM.GetParameter":
            name = json.loads(body)["Name"]
            if name not in self.parameters:
                refusal = {"__type": "ParameterNotFound", "message": f"no {name}"}
                return 400, "application/x-amz-json-1.1", json.dumps(refusal).encode()
            parameter = {"Parameter": {"Name": name, "Type": "String", "Value": self.parameters[name]}}
            return 200, "application/x-amz-json-1.1", json.dumps(parameter).encode()
        assert parse_qs(body)["Action"] == ["DescribeStacks"]
        outputs = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in self.outputs.items()
        )
        stack = f"<member><StackName>Orders</StackName><Outputs>{outputs}</Outputs></member>"
        result = f"<DescribeStacksResult><Stacks>{stack}</Stacks></DescribeStacksResult>"
        return 200, "text/xml", f"<DescribeStacksResponse>{result}</DescribeStacksResponse>".encode()

    @property
    def variables(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL_SSM": self.url, "AWS_ENDPOINT_URL_CLOUDFORMATION": self.url}


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as running:
        yield running


def from_variables(_bound: BoundCluster, environment: dict[str, str], _aws: Aws) -> tuple[list[str], dict[str, str]]:
    return [], environment


def from_named_variables(
    _bound: BoundCluster, environment: dict[str, str], _aws: Aws
) -> tuple[list[str], dict[str, str]]:
    names = {name: env.variable(name, "ledger") for name in env.BINDING_VARIABLES}
    return ["--name", "ledger"], {names.get(name, name): value for name, value in environment.items()}


def from_record(_bound: BoundCluster, environment: dict[str, str], _aws: Aws) -> tuple[list[str], dict[str, str]]:
    return ["--record", record_of(environment)], without_store(environment)


def from_parameter(_bound: BoundCluster, environment: dict[str, str], aws: Aws) -> tuple[list[str], dict[str, str]]:
    aws.parameters["/orders/cache"] = record_of(environment)
    return ["--record", "/orders/cache"], {**without_store(environment), **aws.variables}


def from_stack(_bound: BoundCluster, environment: dict[str, str], aws: Aws) -> tuple[list[str], dict[str, str]]:
    aws.parameters["/orders/cache"] = record_of(environment)
    aws.outputs.update({"Address": "orders.example", "CacheRecord": "/orders/cache"})
    return ["--stack", "Orders"], {**without_store(environment), **aws.variables}


def from_arguments(bound: BoundCluster, environment: dict[str, str], _aws: Aws) -> tuple[list[str], dict[str, str]]:
    host, port = bound.engines.endpoint
    sign_in = ["--iam", "orders"] if environment[env.USER] == USERS[IAM] else ["--password-from", "STORE_PASSWORD"]
    arguments = ["--host", host, "--port", str(port), "--cluster", "--user", environment[env.USER], *sign_in]
    return arguments, {**without_store(environment), "STORE_PASSWORD": bound.password}


SOURCES = [from_variables, from_named_variables, from_record, from_parameter, from_stack, from_arguments]


@pytest.mark.parametrize("authentication", USERS)
@pytest.mark.parametrize("source", SOURCES)
def test_connect_runs_the_program_on_the_store(
    source: Callable[..., tuple[list[str], dict[str, str]]], authentication: str, bound_cluster: BoundCluster, aws: Aws
) -> None:
    arguments, environment = source(bound_cluster, bound_cluster.environment(authentication), aws)
    done = run(["connect", *arguments, "--", "ACL", "WHOAMI"], environment)
    assert (done.returncode, done.stdout) == (0, f"{USERS[authentication]}\n"), done.stderr + str(bound_cluster.said)
    assert done.stderr == ""


@pytest.mark.parametrize("authentication", USERS)
def test_no_process_has_the_password_among_its_arguments(authentication: str, bound_cluster: BoundCluster) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("needs /proc")
    running = subprocess.Popen(
        [*COMMAND, "connect", "--", "BLPOP", "app:waiting", "30"],
        env=bound_cluster.environment(authentication),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    seen: set[bytes] = set()
    deadline = time.monotonic() + 30
    try:
        while not blocked_clients(bound_cluster) and time.monotonic() < deadline:
            seen |= command_lines()
        seen |= command_lines()
        # The program has the password, in a place that other users of the machine cannot read.
        assert b"REDISCLI_AUTH=" in Path(f"/proc/{running.pid}/environ").read_bytes()
        for node, client in blocked_clients(bound_cluster):
            node.execute_command("CLIENT", "UNBLOCK", client)
        running.communicate(timeout=30)
    finally:
        running.kill()
        running.wait()
    assert any(b"BLPOP\0app:waiting" in line and b"--user\0" in line for line in seen)
    for line in seen:
        assert bound_cluster.password.encode() not in line
        assert b"X-Amz-Signature" not in line
        assert AWS_CREDENTIALS.secret_key.encode() not in line


def command_lines() -> set[bytes]:
    """Arguments of all processes of the machine."""
    found: set[bytes] = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # the process ended
            found.add((process / "cmdline").read_bytes())
    return found


def blocked_clients(bound_cluster: BoundCluster) -> list[tuple[Redis, str]]:
    """Clients that wait for a list, with the client of their node."""
    nodes = [node.admin for node in bound_cluster.engines.primaries]
    return [(node, client["id"]) for node in nodes for client in node.client_list() if "b" in client["flags"]]


@pytest.mark.parametrize("authentication", USERS)
@pytest.mark.parametrize("shown", [[], ["--show-password"]])
def test_printed_command_works_in_a_shell(
    authentication: str, shown: list[str], bound_cluster: BoundCluster, tmp_path: Path
) -> None:
    arguments, environment = from_arguments(bound_cluster, bound_cluster.environment(authentication), Aws())
    done = run(["connect", *arguments, "--print", *shown, "--", "SET", "app:1", "it's one"], environment)
    assert done.returncode == 0, done.stderr
    assert (bound_cluster.password in done.stdout or "X-Amz-Signature" in done.stdout) == bool(shown)
    ran = subprocess.run(
        ["sh", "-c", done.stdout], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.stdout == "OK\n", ran.stderr
    assert sum(bound_cluster.keys("app:1")) == 1


def test_printed_command_of_a_password_user_reads_the_secret(bound_cluster: BoundCluster, tmp_path: Path) -> None:
    environment = bound_cluster.environment(BY_PASSWORD)
    done = run(["connect", "--print", "--program", "valkey-cli"], environment)
    secret = "aws secretsmanager get-secret-value --region eu-west-1 --secret-id " + environment[env.SECRET_ARN]
    host, port = bound_cluster.engines.endpoint
    assert done.stdout == (
        f'REDISCLI_AUTH="$({secret} --query SecretString --output text | jq -r .password)" '
        f"valkey-cli -h {host} -p {port} --tls -c --user web\n"
    )


def test_exit_code_is_that_of_the_program(bound_cluster: BoundCluster) -> None:
    done = run(["connect", "--", "-e", "SET", "another:1", "1"], bound_cluster.environment(IAM))
    assert (done.returncode, "NOPERM" in done.stderr + done.stdout) == (1, True)


def test_valkey_cli_is_preferred(bound_cluster: BoundCluster, tmp_path: Path) -> None:
    # The same program: what differs is the name by which it is found.
    (tmp_path / "valkey-cli").symlink_to(str(shutil.which("redis-cli")))
    environment = bound_cluster.environment(IAM)
    environment["PATH"] = f"{tmp_path}{os.pathsep}{environment['PATH']}"
    assert " valkey-cli -h " in run(["connect", "--print"], environment).stdout
    done = run(["connect", "--", "ACL", "WHOAMI"], environment)
    assert done.stdout == "reports\n"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (None, "neither valkey-cli nor redis-cli is on PATH; install one"),
        ("echo 'Usage: valkey-cli [OPTIONS]'", "valkey-cli was built without TLS, and the store needs it"),
    ],
)
def test_program_that_cannot_reach_the_store_is_an_error(
    program: str | None, words: str, bound_cluster: BoundCluster, tmp_path: Path
) -> None:
    if program:
        (tmp_path / "valkey-cli").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "valkey-cli").chmod(0o755)
    done = run(["connect"], {**bound_cluster.environment(IAM), "PATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (COULD_NOT_RUN, "")
    assert words in done.stderr


def test_token_signs_in_with_any_client(bound_cluster: BoundCluster) -> None:
    token = run(["token"], bound_cluster.environment(IAM)).stdout.removesuffix("\n")
    host, port = bound_cluster.engines.endpoint
    client = RedisCluster(
        host=host, port=port, username="reports", password=token, ssl=True, ssl_ca_certs=bound_cluster.engines.ca_file
    )
    assert client.set("app:token", "1", ex=60)
    client.close()


@pytest.mark.parametrize(
    ("more", "service", "resource_type"),
    [([], "elasticache", None), (["--serverless"], "elasticache", ["ServerlessCache"])]
    + [(["--service", "memorydb"], "memorydb", None)],
)
def test_token_is_for_the_service_the_store_and_the_user(
    more: list[str],
    service: str,
    resource_type: list[str] | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example")
    assert main(["token", "--user", "app", "--iam", "Orders", "--region", "eu-west-1", *more]) == 0
    url = urlsplit("//" + capsys.readouterr().out.strip())
    query = parse_qs(url.query)
    assert (url.netloc, query["User"], query.get("ResourceType")) == ("orders", ["app"], resource_type)
    assert query["X-Amz-Credential"][0].split("/")[2:4] == ["eu-west-1", service]


RECORD = record_text(
    {
        env.SERVICE: "elasticache",
        env.STORE: "orders",
        env.HOST: "orders.example",
        env.PORT: "6379",
        env.TLS: "true",
        env.CLUSTER_MODE: "true",
        env.SERVERLESS: "false",
        env.REGION: "eu-west-1",
        env.USER: "web",
        env.AUTHENTICATION: BY_PASSWORD,
        env.SECRET_ARN: "arn:aws:secretsmanager:x",
    }
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["token", "--record", RECORD], "the user 'web' signs in with a password: a token needs an IAM user"),
        (["token", "--host", "orders.example"], "no user signs in: a token needs an IAM user, --user and --iam"),
        (["token", *ARGUMENTS, "--", "GET"], "arguments after -- are for connect; token takes none"),
        (["connect", "--record", RECORD, *ARGUMENTS], "--record cannot be combined with --host"),
        (["connect", "--record", RECORD, "--stack", "Orders"], "--record cannot be combined with --stack"),
        (["connect", "--record", "{}"], "does not describe a store"),
        (["connect", "--output", "Record"], "give --stack, too"),
        (["connect", *ARGUMENTS, "--show-password"], "--show-password needs --print"),
        (["connect", "--user", "app", "--iam", "orders", "--region", "eu-west-1"], "--host is needed"),
        (["connect", "--host", "orders.example", "--user", "app"], "--user needs --iam or --password-from"),
        (["connect", *ARGUMENTS, "--serverless", "--service", "memorydb"], "memorydb has no serverless stores"),
        (["connect"], "the environment does not describe a store: CDK_REDIS_"),
        (["connect", "--name", "Ledger"], "name: got 'Ledger'"),
    ],
)
def test_wrong_arguments_exit_with_two(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", env.PREFIX))]:
        monkeypatch.delenv(name)
    assert main(arguments) == COULD_NOT_RUN
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.startswith("cdk-redis: ")


@pytest.mark.parametrize(
    ("outputs", "more", "words"),
    [
        (
            {},
            [],
            "has 0 outputs with a connection record, and one is needed; its outputs: none; name one with --output",
        ),
        (
            {"Address": "orders.example"},
            [],
            "has 0 outputs with a connection record, and one is needed; its outputs: A",
        ),
        ({"ARecord": "/a", "BRecord": "/b"}, [], "has 2 outputs with a connection record"),
        ({"Address": "x"}, ["--output", "Record"], "the stack Orders has no output Record; its outputs: Address"),
        ({"Record": "/gone"}, [], "the SSM parameter /gone could not be read (ParameterNotFound: no /gone); --region"),
    ],
)
def test_stack_without_a_record_is_an_error(
    outputs: dict[str, str],
    more: list[str],
    words: str,
    aws: Aws,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws.outputs.update(outputs)
    for name, value in {
        **aws.variables,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "an-example",
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["connect", "--stack", "Orders", "--region", "eu-west-1", *more]) == COULD_NOT_RUN
    assert words in capsys.readouterr().err


def test_no_aws_credentials_are_an_error_without_a_secret(bound_cluster: BoundCluster) -> None:
    environment = bound_cluster.environment(IAM)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        del environment[name]
    done = run(["token"], environment)
    assert (done.returncode, done.stdout) == (COULD_NOT_RUN, "")
    assert done.stderr.startswith("cdk-redis: no AWS credentials were found to sign an IAM token with")
    assert_no_secret([done.stderr], {bound_cluster.password})
