"""Other users of the machine cannot access a local cloud, even with its credentials."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_redis_local._core.keeper import marked_processes
from cdk_redis_local._emulator.ministack.isolation import _refuse_public_listeners
from tests.local.support.clouds import Cloud
from tests.local.support.other_user import NOBODY, as_nobody, needs_root
from tests.local.support.raw_requests import Raw, Signer

LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
LISTENING = "0A"


@pytest.fixture(scope="module")
def own(cloud: Cloud) -> Signer:
    """Signs with the cloud's own credentials."""
    return Signer(cloud)


@pytest.fixture(scope="module")
def store(cloud: Cloud) -> str:
    """The port of a replication group, so that an engine runs."""
    properties = {"ReplicationGroupDescription": "g", "TransitEncryptionEnabled": True, "AuthToken": "a" * 16}
    group = {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": {**properties, **cloud.engine}}
    outputs = {"Port": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]}}
    return cloud.deploy("store", {"Group": group}, outputs)["Port"]


@needs_root
@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_a_request_of_another_user_is_refused_even_with_the_credentials(cloud: Cloud, own: Signer, host: str) -> None:
    signed = own.action()
    assert signed.send(own.port, host).status == 200
    status, body = as_nobody(lambda: (answer := signed.send(own.port, host)) and [answer.status, answer.body])
    refusal = f"only the user who started the local cloud (uid 0) may call it, and this is uid {NOBODY}"
    assert (status, refusal in body) == (403, True)


@needs_root
@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/health", "/"])
def test_an_unsigned_request_of_another_user_is_refused_on_every_path(own: Signer, path: str) -> None:
    status, body = as_nobody(
        lambda: (answer := Raw("POST", path, b"", {"Host": own.host}).send(own.port)) and [answer.status, answer.body]
    )
    assert (status, "only the user who started the local cloud" in body) == (403, True)


@needs_root
def test_a_request_is_refused_when_its_sender_has_closed_the_socket(own: Signer) -> None:
    # The kernel reports root as the owner of closed sockets.
    signed = [own.action("CreateUser", UserName=f"closed{number}") for number in range(20)]
    as_nobody(lambda: [raw.send_and_go(own.port) for raw in signed] and None)
    time.sleep(0.5)
    assert "closed" not in own.action().send(own.port).body


@pytest.mark.usefixtures("store")
def test_command_lines_contain_no_secrets(cloud: Cloud) -> None:
    environment = cloud.local.environment
    processes = marked_processes(cloud.local.workspace.path)
    lines = [Path(f"/proc/{process}/cmdline").read_bytes().decode() for process in processes]
    assert len(lines) >= 2
    for secret in (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], "a" * 16):
        assert not [line for line in lines if secret in line]


@needs_root
@pytest.mark.usefixtures("store")
def test_another_user_cannot_read_files_or_environments(cloud: Cloud) -> None:
    workspace = cloud.local.workspace.path
    assert stat.S_IMODE(workspace.stat().st_mode) == 0o700
    files = [str(path) for path in workspace.rglob("*") if path.is_file()]
    files += [f"/proc/{process}/environ" for process in marked_processes(workspace)]

    assert len(files) > 10
    assert as_nobody(lambda: [path for path in files if os.access(path, os.R_OK)]) == []


@pytest.mark.usefixtures("store")
def test_all_processes_listen_on_loopback_only(cloud: Cloud) -> None:
    sockets = {
        link.removeprefix("socket:[").removesuffix("]")
        for process in marked_processes(cloud.local.workspace.path)
        for link in _links(Path(f"/proc/{process}/fd"))
        if link.startswith("socket:")
    }
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    listening = [row[1] for row in rows if row[3] == LISTENING and row[9] in sockets]
    assert len(listening) >= 3
    assert [address for address in listening if address.split(":")[0] not in LOOPBACK] == []


def _links(directory: Path) -> Iterator[str]:
    for entry in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in the meantime
            yield os.readlink(entry)  # noqa: PTH115 - the target is no path


RUNTIME = """#!/bin/sh
exec "$AWS_LAMBDA_TEST_PYTHON" - <<'END'
import json, os, time, urllib.request

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urllib.request.urlopen(f"{api}/next") as answer:
        number, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
    time.sleep(event["seconds"])
    body = json.dumps({"api": os.environ["AWS_LAMBDA_RUNTIME_API"]}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{api}/{number}/response", body)).close()
END
"""


@pytest.fixture(scope="module")
def runtime(cloud: Cloud) -> str:
    """Host and port of the API from which a function with a custom runtime gets its events."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        package.writestr(entry, RUNTIME)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = cloud.client("iam").create_role(RoleName="runtime", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="runtime",
        Runtime="provided.al2023",
        Role=role,
        Handler="bootstrap",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"AWS_LAMBDA_TEST_PYTHON": sys.executable}},
        Timeout=20,
    )
    return str(_invoke(cloud, seconds=0)["api"])


def _invoke(cloud: Cloud, **event: Any) -> dict[str, Any]:
    answer = cloud.client("lambda").invoke(FunctionName="runtime", Payload=json.dumps(event))
    text = answer["Payload"].read()
    assert "FunctionError" not in answer, text
    return json.loads(text)


NEXT = "/2018-06-01/runtime/invocation/next"


def test_a_custom_runtime_gets_its_events_and_a_web_page_does_not(cloud: Cloud, runtime: str) -> None:
    port = int(runtime.rpartition(":")[2])
    for headers, reason in (
        ({"Host": runtime, "Origin": "http://evil.example"}, "web pages may not call the local cloud"),
        ({"Host": runtime, "Sec-Fetch-Site": "cross-site"}, "web pages may not call the local cloud"),
        ({"Host": f"evil.example:{port}"}, "the Host header must be"),
    ):
        answer = Raw("GET", NEXT, b"", headers).send(port)
        assert (answer.status, reason in answer.body) == (403, True)
    assert _invoke(cloud, seconds=0)["api"] == runtime


@needs_root
def test_another_user_cannot_get_a_function_s_events(cloud: Cloud, runtime: str) -> None:
    port = int(runtime.rpartition(":")[2])
    raw = Raw("GET", NEXT, b"", {"Host": runtime})
    status, body = as_nobody(lambda: (answer := raw.send(port)) and [answer.status, answer.body])
    assert (status, f"this is uid {NOBODY}" in body) == (403, True)
    assert _invoke(cloud, seconds=0)["api"] == runtime


@pytest.mark.parametrize(
    ("host", "outcome"),
    [
        ("127.0.0.1", "bound"),
        ("localhost", "bound"),
        ("0.0.0.0", "the local cloud listens on loopback only, not on '0.0.0.0'"),
        ("", "the local cloud listens on loopback only, not on ''"),
    ],
)
def test_the_emulator_can_listen_on_loopback_only(host: str, outcome: str) -> None:
    program = (
        "import socket\n"
        "from cdk_redis_local._emulator.ministack.isolation import restrict_listeners\n"
        "restrict_listeners()\n"
        f"socket.socket().bind(({host!r}, 0))\n"
        "print('bound')\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (run.stdout + run.stderr).strip().endswith(outcome)


def test_the_emulator_cannot_listen_on_a_name_of_the_machine() -> None:
    with socket.socket() as listener, pytest.raises(PermissionError, match=r"on loopback only, not on 'example\.com'"):
        _refuse_public_listeners("socket.bind", (listener, ("example.com", 0)))
