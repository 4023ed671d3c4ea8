"""Other users of the machine cannot access a local cloud, even with its credentials."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from cdk_redis_local import find_engines
from cdk_redis_local._core.keeper import marked_processes
from cdk_redis_local._emulator.ministack.isolation import _refuse_public_listeners
from tests.local.support.clouds import Cloud
from tests.local.support.other_user import NOBODY, as_nobody, needs_root
from tests.local.support.raw_requests import Raw, Signer
from tests.support.concurrency import wait_until

LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
LISTENING = "0A"
_OPEN_CLUSTER = {
    "ClusterName": "open",
    "ACLName": "open-access",
    "NodeType": "db.t4g.small",
    "NumShards": 2,
    "NumReplicasPerShard": 0,
}


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


@pytest.fixture(scope="module")
def open_stores(cloud: Cloud) -> dict[str, str]:
    """The ports of stores without passwords: with TLS in cluster mode, without TLS, and on an engine without TLS."""
    common = {
        "ReplicationGroupDescription": "open to its owner",
        "NumCacheClusters": 2,
        "AutomaticFailoverEnabled": True,
    }
    packaged = next((program for program in find_engines() if not program.tls), cloud.local.engine)
    stores = {
        "Encrypted": {"Type": "AWS::MemoryDB::Cluster", "Properties": {**_OPEN_CLUSTER, **cloud.engine}},
        "Plain": {
            "Type": "AWS::ElastiCache::ReplicationGroup",
            "Properties": {**common, **cloud.engine, "TransitEncryptionEnabled": False},
        },
        "Packaged": {
            "Type": "AWS::ElastiCache::ReplicationGroup",
            "Properties": {
                **common,
                "Engine": packaged.name,
                "EngineVersion": packaged.major_minor,
                "TransitEncryptionEnabled": True,
            },
        },
    }
    outputs = {name: {"Fn::GetAtt": [name, "PrimaryEndPoint.Port"]} for name in ("Plain", "Packaged")}
    outputs["Encrypted"] = {"Fn::GetAtt": ["Encrypted", "ClusterEndpoint.Port"]}
    return cloud.deploy("open", stores, outputs)


def _connect(cloud: Cloud, port: str, *, tls: bool, **options: Any) -> redis.Redis:
    trusted = {"ssl": True, "ssl_ca_certs": cloud.local.environment["SSL_CERT_FILE"]} if tls else {}
    return redis.Redis("localhost", int(port), decode_responses=True, protocol=2, **trusted, **options)


def test_the_owner_needs_no_password_in_open_stores(cloud: Cloud, open_stores: dict[str, str]) -> None:
    for name, port in open_stores.items():
        for options in ({}, {"username": "default", "password": "anything"}):
            with _connect(cloud, port, tls=name != "Plain", **options) as client:
                assert client.acl_whoami() == "default", name


# Each as a whole connection would begin; the answer of an engine to the first three is PONG.
_FIRST_BYTES = (
    b"PING\r\n",
    b"*1\r\n$4\r\nPING\r\n",
    b"AUTH default anything\r\nPING\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
)


def _answer(port: int, tls: bool, sent: bytes, seconds: float) -> str:
    """The beginning of what a client gets from a port, in plaintext or over TLS, or an empty text."""
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), seconds) as plain:
        end = anyone.wrap_socket(plain) if tls else plain
        end.sendall(sent)
        return end.recv(100).decode("latin-1")
    return ""


def _all_answers(ports: list[int]) -> list[tuple[int, str]]:
    calls = list(itertools.product(ports, (False, True), _FIRST_BYTES, (0.5,)))
    with ThreadPoolExecutor(32) as pool:
        answers = pool.map(lambda call: (call[0], _answer(*call)), calls)
        return [(port, answer) for port, answer in answers if answer]


@needs_root
@pytest.mark.usefixtures("store", "runtime")
def test_another_user_gets_nothing_from_any_port(cloud: Cloud, open_stores: dict[str, str]) -> None:
    ports = sorted({int(address.split(":")[1], 16) for address in _listening(cloud)})
    # The emulator, the runtime API, and for each of the seven nodes a gate, an engine and, in cluster mode, a bus.
    assert len(ports) >= 18
    for name, port in open_stores.items():
        assert _answer(int(port), name != "Plain", _FIRST_BYTES[0], 5) == "+PONG\r\n", name
    answers = as_nobody(lambda: _all_answers(ports))
    refusal = re.compile(r"HTTP/1\.[01] 4|-NOAUTH|-WRONGPASS|-ERR wrong number|<!DOCTYPE HTML>")
    assert [(port, answer) for port, answer in answers if not refusal.match(answer)] == []


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


@pytest.fixture
def busy(cloud: Cloud, runtime: str, open_stores: dict[str, str]) -> Iterator[list[int]]:
    """All processes of the cloud during a deployment and an invocation of a function."""
    user = {"Type": "AWS::IAM::User"}
    key = {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}}
    works = [
        threading.Thread(target=_invoke, args=(cloud,), kwargs={"seconds": 2}),
        threading.Thread(target=cloud.deploy, args=(f"busy{time.time_ns()}", {"User": user, "Key": key})),
    ]
    for work in works:
        work.start()
    wait_until(lambda: "AWS_SESSION_TOKEN" in str(_environments(cloud)))
    yield marked_processes(cloud.local.workspace.path)
    for work in works:
        work.join()


def _environments(cloud: Cloud) -> list[dict[str, str]]:
    """The variables of all processes of the cloud; functions have a session token among them."""
    found: list[dict[str, str]] = []
    for process in marked_processes(cloud.local.workspace.path):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            pairs = Path(f"/proc/{process}/environ").read_bytes().decode(errors="replace").split("\0")
            found.append({name: value for name, _, value in (pair.partition("=") for pair in pairs)})
    return found


def _secrets(cloud: Cloud) -> set[str]:
    """The secrets of the cloud, its engines and its functions."""
    names = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    found = {"a" * 16, cloud.local.environment["AWS_ACCESS_KEY_ID"]}
    found |= {variables.get(name, "") for variables in _environments(cloud) for name in names}
    for path in cloud.local.workspace.path.rglob("engine.conf"):
        found |= set(re.findall(r'^masterauth "(.+)"$', path.read_text(), re.MULTILINE))
    return found - {""}


@pytest.mark.usefixtures("store")
def test_command_lines_contain_no_secrets(cloud: Cloud, busy: list[int]) -> None:
    hidden = _secrets(cloud)
    # The key of the root user and of the function, and a password of each engine's manager.
    assert len(hidden) >= 6
    lines: list[str] = []
    for process in busy:
        with contextlib.suppress(FileNotFoundError):
            lines.append(Path(f"/proc/{process}/cmdline").read_bytes().decode())
    assert len(lines) >= 9
    assert [line for line in lines if any(secret in line for secret in hidden)] == []


@needs_root
@pytest.mark.usefixtures("store")
def test_another_user_cannot_read_files_or_environments(cloud: Cloud, busy: list[int]) -> None:
    workspace = cloud.local.workspace.path
    assert stat.S_IMODE(workspace.stat().st_mode) == 0o700
    paths = [str(path) for path in workspace.rglob("*")]
    paths += [f"/proc/{process}/{name}" for process in busy for name in ("environ", "mem", "cwd", "fd")]

    assert len(paths) > 50
    assert as_nobody(lambda: [path for path in paths if os.access(path, os.R_OK)]) == []


@pytest.mark.usefixtures("store")
def test_all_processes_listen_on_loopback_only(cloud: Cloud) -> None:
    listening = _listening(cloud)
    assert len(listening) >= 3
    assert [address for address in listening if address.split(":")[0] not in LOOPBACK] == []


def _listening(cloud: Cloud) -> list[str]:
    """The addresses on which the cloud's processes listen, as in ``/proc/net/tcp``."""
    sockets = {
        link.removeprefix("socket:[").removesuffix("]")
        for process in marked_processes(cloud.local.workspace.path)
        for link in _links(Path(f"/proc/{process}/fd"))
        if link.startswith("socket:")
    }
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return [row[1] for row in rows if row[3] == LISTENING and row[9] in sockets]


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
