"""Clients of other languages, and other clients of Python, reach a cluster with three shards.

Each test runs a program on a page in docs/clients/, with the variables that ``store.bind()`` writes.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.cluster import RedisCluster

from cdk_redis_runtime._client import environment as env
from tests.runtime.support.battery import assert_no_secret
from tests.runtime.support.bound_cluster import USERS, BoundCluster
from tests.runtime.support.documented_programs import write_programs

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).resolve().parents[3]


def run(bound_cluster: BoundCluster, command: list[str], authentication: str, folder: Path, **more: str) -> str:
    """Run a program as it would run beside the store; returns what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**bound_cluster.environment(authentication), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert_no_secret([done.stdout, done.stderr], {bound_cluster.password})
    assert done.returncode == 0, "\n".join([done.stdout, done.stderr, *bound_cluster.said])
    return done.stdout


@pytest.mark.parametrize("authentication", USERS)
@pytest.mark.parametrize(
    ("page", "program"), [("node.md", "ioredis"), ("node.md", "redis"), ("valkey-glide.md", "glide")]
)
def test_node_client_writes_and_reads_on_all_shards(
    page: str, program: str, authentication: str, bound_cluster: BoundCluster, tmp_path: Path
) -> None:
    folder = write_programs(page, tmp_path / "program")
    (folder / "node_modules").symlink_to(REPOSITORY / "node_modules")
    # valkey-glide prints its warnings, such as one about a slow answer, to the same stream.
    assert run(bound_cluster, ["node", f"{program}.mjs"], authentication, folder).splitlines()[-1] == "30"
    assert all(bound_cluster.keys(f"app:{program}:*"))


@pytest.fixture(scope="module")
def c_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the C page, compiled as the page says."""
    library = REPOSITORY / ".venv" / "libvalkey"
    if not (library / ".made").exists():
        pytest.skip("needs libvalkey: .ci/setup client")
    folder = write_programs("c.md", tmp_path_factory.mktemp("c"))
    paths = ["-I", str(library / "include"), "-L", str(library / "lib")]
    libraries = ["-lvalkey_tls", "-lvalkey", "-lssl", "-lcrypto"]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *warnings, "-o", "cluster", "cluster.c", *paths, *libraries], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("authentication", USERS)
def test_c_client_writes_and_reads_on_all_shards(
    authentication: str, bound_cluster: BoundCluster, c_program: Path
) -> None:
    # ECS gives a container a field of a secret in a variable: the program needs no SDK of AWS.
    assert run(bound_cluster, ["./cluster"], authentication, c_program, STORE_PASSWORD=bound_cluster.password) == "30\n"
    assert all(bound_cluster.keys("app:c:*"))


@pytest.mark.parametrize("authentication", USERS)
def test_redis_cli_writes_and_reads_on_all_shards(
    authentication: str, bound_cluster: BoundCluster, tmp_path: Path
) -> None:
    folder = write_programs("redis-cli.md", tmp_path / "program")
    printed = run(
        bound_cluster, ["sh", f"{authentication}.sh"], authentication, folder, STORE_PASSWORD=bound_cluster.password
    )
    assert printed.splitlines().count("OK") == 30
    assert [line for line in printed.splitlines() if line.startswith("the")] == [f"the-value-of-{n}" for n in range(30)]
    assert all(bound_cluster.keys("app:cli:*"))


def test_java_signs_tokens(bound_cluster: BoundCluster, tmp_path: Path) -> None:
    if shutil.which("javac") is None:
        pytest.skip("needs a JDK 17 or newer")
    folder = write_programs("java.md", tmp_path / "program")
    token = run(
        bound_cluster, ["java", "-XX:TieredStopAtLevel=1", "IamToken.java"], env.AUTHENTICATION_IAM, folder
    ).strip()
    host, port = bound_cluster.engines.endpoint
    client = RedisCluster(
        host=host,
        port=port,
        username=USERS[env.AUTHENTICATION_IAM],
        password=token,
        ssl=True,
        ssl_ca_certs=bound_cluster.engines.ca_file,
    )
    assert client.set("app:java", "1", ex=60), bound_cluster.said
    client.close()


@pytest.mark.parametrize("authentication", USERS)
@pytest.mark.parametrize(
    ("program", "prefix"), [("sync", "sync"), ("with_asyncio", "asyncio"), ("with_valkey", "valkey")]
)
def test_python_client_writes_and_reads_on_all_shards(
    program: str, prefix: str, authentication: str, bound_cluster: BoundCluster, tmp_path: Path
) -> None:
    folder = write_programs("python.md", tmp_path / "program")
    assert run(bound_cluster, [sys.executable, f"{program}.py"], authentication, folder) == "30\n"
    assert all(bound_cluster.keys(f"app:{prefix}:*"))


@pytest.fixture
def stranger(bound_cluster: BoundCluster) -> Iterator[tuple[int, list[bytes]]]:
    """A server on 127.0.0.2 with a trusted certificate that is not for this address: its port, and what it receives."""
    certificate = bound_cluster.engines.authority.issue("stranger")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.2", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                connection, _ = listener.accept()
                connection.settimeout(2)
                with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as encrypted:
                    received.append(encrypted.recv(1024))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1]), received
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.mark.parametrize("program", ["cluster", "redis", "glide"])
def test_client_sends_nothing_to_a_server_with_the_certificate_of_another_host(
    program: str, bound_cluster: BoundCluster, stranger: tuple[int, list[bytes]], tmp_path: Path, c_program: Path
) -> None:
    port, received = stranger
    folder = c_program
    if program != "cluster":
        folder = write_programs("node.md" if program == "redis" else "valkey-glide.md", tmp_path / "program")
        (folder / "node_modules").symlink_to(REPOSITORY / "node_modules")
    done = subprocess.run(
        ["./cluster"] if program == "cluster" else ["node", f"{program}.mjs"],
        cwd=folder,
        env={
            **bound_cluster.environment(env.AUTHENTICATION_PASSWORD),
            env.HOST: "127.0.0.2",
            env.PORT: str(port),
            "STORE_PASSWORD": bound_cluster.password,
        },
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert b"".join(received) == b""
