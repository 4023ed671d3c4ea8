"""Clients connect with their defaults where a process has little of a processor, as a Lambda function with 128 MB."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cdk_redis_local import EngineSet
from cdk_redis_local._core.held import held
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.pool import _handshake
from cdk_redis_runtime._client.pool_async import _within
from cdk_redis_runtime._client.timeouts import ClientTimeouts
from tests.runtime.support.battery import AWS_CREDENTIALS, PASSWORD
from tests.runtime.support.blocking import KINDS
from tests.runtime.support.environment import bound_environment
from tests.runtime.support.secrets_manager import SecretsManager

OF_128_MB = 0.07
PROGRAM = """
import asyncio, json, sys, time
from cdk_redis_runtime import connect, connect_async

def work(client):
    for number in range(20):
        client.set(f"cdk-redis-smoke:small:{number}", number, ex=60)
        assert client.get(f"cdk-redis-smoke:small:{number}") == str(number)
        client.delete(f"cdk-redis-smoke:small:{number}")

async def work_async(client):
    for number in range(20):
        await client.set(f"cdk-redis-smoke:small:{number}", number, ex=60)
        assert await client.get(f"cdk-redis-smoke:small:{number}") == str(number)
        await client.delete(f"cdk-redis-smoke:small:{number}")
    await client.aclose()

async def run_async():
    await work_async(connect_async())

print("ready", flush=True)
sys.stdin.readline()
began, computed = time.monotonic(), time.process_time()
if sys.argv[1] == "threads":
    work(connect())
else:
    asyncio.run(run_async())
print(json.dumps({"seconds": time.monotonic() - began, "computed": time.process_time() - computed}), flush=True)
"""


def _run_held(kind: str, environment: dict[str, str]) -> dict[str, float]:
    """Run the program, which is held as soon as it has imported the client."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    with program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
            with held(program.pid, OF_128_MB):
                said, errors = program.communicate("\n", timeout=60)
        except BaseException:
            program.kill()
            raise
    assert program.returncode == 0, errors
    return json.loads(said)


@pytest.mark.long
@pytest.mark.parametrize("store", ["single", "cluster"])
@pytest.mark.parametrize("kind", KINDS)
def test_small_function_connects_with_a_password_and_serves(
    kind: str, store: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines: EngineSet = request.getfixturevalue(store)
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
    with SecretsManager("smoke", PASSWORD) as manager:
        manager.announce(monkeypatch)
        measured = _run_held(kind, bound_environment(engines))
    # It was held: what it computed took many times as long.
    assert measured["seconds"] > 5 * measured["computed"]


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_small_function_connects_with_a_token_and_serves(
    kind: str, iam_store: EngineSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", iam_store.ca_file)
    variables = bound_environment(
        iam_store, AUTHENTICATION="iam", SERVICE="memorydb", SECRET_ARN="", REGION="eu-west-1"
    )
    credentials = {
        "AWS_ACCESS_KEY_ID": AWS_CREDENTIALS.access_key,
        "AWS_SECRET_ACCESS_KEY": AWS_CREDENTIALS.secret_key,
        "AWS_SESSION_TOKEN": str(AWS_CREDENTIALS.token),
    }
    measured = _run_held(kind, {**variables, **credentials, env.STORE: "orders"})
    assert measured["seconds"] > 5 * measured["computed"]


@pytest.fixture
def slow_server(single: EngineSet) -> Iterator[tuple[ssl.SSLContext, Any]]:
    """Forwards connections to an engine with TLS 1.2, each answer later by a given time; returns how to connect."""
    context = ssl.create_default_context(cafile=single.ca_file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    listener = socket.create_server(("127.0.0.1", 0))
    opened: list[socket.socket] = [listener]

    def forward(source: socket.socket, sink: socket.socket, pause: float) -> None:
        try:
            while data := source.recv(65536):
                time.sleep(pause)
                sink.sendall(data)
        except OSError:
            return

    def connect_to(pause: float) -> socket.socket:
        client = socket.create_connection(listener.getsockname(), timeout=0.5)
        inside, _ = listener.accept()
        engine = socket.create_connection(single.endpoint)
        opened.extend((client, inside, engine))
        for pair in ((inside, engine, 0), (engine, inside, pause)):
            threading.Thread(target=forward, args=pair, daemon=True).start()
        return client

    yield context, connect_to
    for one in opened:
        one.close()


def test_limit_of_a_handshake_is_to_each_answer_and_not_to_their_sum(slow_server: tuple[ssl.SSLContext, Any]) -> None:
    context, connect_to = slow_server
    with pytest.raises(TimeoutError):
        context.wrap_socket(connect_to(0.35), server_hostname="localhost")
    with _handshake(context, connect_to(0.35), "localhost", 0.5) as tls:
        assert tls.version() == "TLSv1.2"
        assert tls.gettimeout() == 0.5


def test_handshake_ends_when_the_store_is_silent(slow_server: tuple[ssl.SSLContext, Any]) -> None:
    context, connect_to = slow_server
    connection = connect_to(30)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="no answer to the TLS handshake"):
        _handshake(context, connection, "localhost", 0.5)
    assert 0.5 <= time.monotonic() - began < 2
    assert connection.fileno() == -1


def test_limit_with_asyncio_does_not_count_the_time_in_which_the_loop_computes() -> None:
    async def compute() -> str:
        for _ in range(4):
            await asyncio.sleep(0)
            time.sleep(0.3)
        return "done"

    assert asyncio.run(_within(compute(), 0.5)) == "done"


def test_limit_with_asyncio_ends_a_silence() -> None:
    cancelled: list[bool] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    began = time.monotonic()
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(_within(wait(), ClientTimeouts().first_answer))
    assert time.monotonic() - began < 2
    assert cancelled == [True]
