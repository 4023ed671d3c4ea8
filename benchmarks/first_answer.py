"""Measures what `ClientTimeouts.first_answer` has to allow: a new connection of a small function, and of a busy store.

Run: python benchmarks/first_answer.py

First, how long a process that is held to a part of one processor takes to connect, with and without asyncio. Second,
how long TLS handshakes take with a store that `redis-benchmark` loads.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Generator

from cdk_redis_local import AclUser, EngineSet
from cdk_redis_local._core.held import held

PASSWORD = "a-password-of-the-benchmark"
PARTS = (1.0, 0.07, 0.03, 0.01)
TIMES = 3
HANDSHAKES = 1_000
LOADS = 3
PROGRAM = """
import asyncio, sys, time
from redis.credentials import UsernamePasswordCredentialProvider
from cdk_redis_runtime import ClientTimeouts, Connection
from cdk_redis_runtime._client.clients import ClientOptions, client_for
from cdk_redis_runtime._client.clients_async import async_client_for

kind, host, port, cluster_mode = sys.argv[1:]
connection = Connection("elasticache", "bench", host, int(port), cluster_mode=cluster_mode == "True", user="app")
arguments = connection, UsernamePasswordCredentialProvider("app", "a-password-of-the-benchmark")
options = ClientOptions(ClientTimeouts(retries=0))

async def get():
    client = async_client_for(*arguments, options)
    await client.get("key")
    await client.aclose()

print("ready", flush=True)
sys.stdin.readline()
began = time.monotonic()
if kind == "asyncio":
    asyncio.run(get())
else:
    client_for(*arguments, options).get("key")
print(time.monotonic() - began, flush=True)
"""


def seconds_to_connect(engines: EngineSet, kind: str, part: float) -> float:
    """Start a process, hold it, and time its first command, which is tried once.

    Raises:
        SystemExit: It could not connect.
    """
    host, port = engines.endpoint
    command = [sys.executable, "-c", PROGRAM, kind, host, str(port), str(engines.cluster_mode)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        program.stdout.readline()
        with held(program.pid, part):
            said, _ = program.communicate("\n")
    if program.returncode:
        raise SystemExit(f"{kind} did not connect with {part:.0%} of a processor")
    return float(said)


def handshakes(engines: EngineSet) -> list[float]:
    """The seconds of many handshakes."""
    context = ssl.create_default_context(cafile=engines.ca_file)
    silences: list[float] = []
    for _ in range(HANDSHAKES):
        plain = socket.create_connection(engines.endpoint, timeout=30)
        began = time.monotonic()
        with context.wrap_socket(plain, server_hostname=engines.endpoint[0]):
            # One answer of the store ends a handshake with TLS 1.3; what this process computes is included.
            silences.append(time.monotonic() - began)
    return sorted(silences)


@contextlib.contextmanager
def loaded(engines: EngineSet) -> Generator[None]:
    """Let redis-benchmark write as fast as it can.

    Raises:
        SystemExit: There is no such program.
    """
    host, port = engines.endpoint
    program = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if program is None:
        raise SystemExit("no redis-benchmark or valkey-benchmark on PATH: apt-get install redis-tools")
    command = [program, "-h", host, "-p", str(port), "--tls", "--cacert", engines.ca_file, "--user", "app"]
    command += ["-a", PASSWORD, "-t", "set", "-n", "1000000000", "-c", "50", "-q"]
    loads = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(LOADS)]
    time.sleep(2)
    try:
        yield
    finally:
        for load in loads:
            load.kill()
            load.wait()


def main() -> None:
    """Measure and print both tables."""
    user = AclUser("app", "on ~* +@all", passwords=(PASSWORD,))
    print("| part of a processor | store | threads (s) | asyncio (s) |\n| --- | --- | --- | --- |")
    for cluster_mode in (False, True):
        with EngineSet(shards=3 if cluster_mode else 1, cluster_mode=cluster_mode, users=[user]) as engines:
            os.environ["SSL_CERT_FILE"] = engines.ca_file
            for part in PARTS:
                took = [
                    f"{statistics.median(seconds_to_connect(engines, kind, part) for _ in range(TIMES)):.2f}"
                    for kind in ("threads", "asyncio")
                ]
                store = "three shards" if cluster_mode else "one node"
                print(f"| {part:.0%} | {store} | {' | '.join(took)} |", flush=True)
    with EngineSet(users=[user]) as engines, loaded(engines):
        silences = handshakes(engines)
    print(
        f"\n{HANDSHAKES:,} handshakes under load: median {statistics.median(silences) * 1000:.0f} ms, "
        f"99 % within {silences[int(HANDSHAKES * 0.99)] * 1000:.0f} ms, longest {silences[-1] * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
