"""Runs of pytest by a user: workers that share a cloud, and ends of all kinds. Nothing is left."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cdk_redis_local import LocalCloudError
from cdk_redis_local._core.keeper import marked_processes
from cdk_redis_local._emulator import own_calls
from cdk_redis_local._testing.shared import SharedCloud, address
from tests.local.support.other_user import as_nobody
from tests.support.concurrency import wait_until

pytestmark = pytest.mark.long
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:valkey", "-q", "--color=no"]
CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def local_cloud_options():
    return {"shared": True}
"""
# Each test writes a parameter, and waits for that of the other one: they run at the same time, in one cloud.
TOGETHER = """
import os, signal, time
import pytest

def put(cloud, name):
    cloud.client("ssm").put_parameter(Name=name, Value=cloud.endpoint_url, Type="String", Overwrite=True)

def get(cloud, name):
    ssm, deadline = cloud.client("ssm"), time.monotonic() + 60
    while time.monotonic() < deadline:
        found = ssm.get_parameters(Names=[name])["Parameters"]
        if found:
            return found[0]["Value"]
        time.sleep(0.05)
    raise AssertionError(f"no parameter {name}")

def test_one(local_cloud):
    put(local_cloud, "one")
    assert get(local_cloud, "two") == local_cloud.endpoint_url
    print("ONE", local_cloud.endpoint_url)
    put(local_cloud, "read")
    os.kill(os.getpid(), signal.SIGKILL)

def test_two(local_cloud, worker_id):
    put(local_cloud, "two")
    assert get(local_cloud, "read") == local_cloud.endpoint_url
    time.sleep(1)
    put(local_cloud, "still there")
    local_cloud.check()
    assert os.stat(local_cloud.log_file).st_uid == os.getuid()
"""
ENDLESS = """
import time
from cdk_redis_local import AclUser

def test_endless(local_cloud, engine):
    engine(users=[AclUser("more")])
    print("READY", flush=True)
    time.sleep(100)
"""


@pytest.fixture
def left(tmp_path: Path) -> Callable[[], list[str]]:
    """The files and processes that a run with ``TMPDIR`` in this test's folder has left."""
    room = tmp_path / "room"
    room.mkdir()
    seen: set[Path] = set()

    def look() -> list[str]:
        seen.update(room.glob("cdk-redis-local-*"))
        processes = [process for workspace in seen for process in marked_processes(workspace)]
        return [*(path.name for path in room.glob("cdk-redis-local-*")), *map(str, processes)]

    return look


def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return {**kept, "TMPDIR": str(tmp_path / "room")}


def test_workers_share_a_cloud_that_outlives_a_killed_one(tmp_path: Path, left: Callable[[], list[str]]) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_together.py").write_text(TOGETHER)

    done = subprocess.run(
        [*PYTEST, "-n", "2", "--basetemp", tmp_path / "basetemp"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )

    assert re.search(r"1 failed, 1 passed", done.stdout), done.stdout + done.stderr
    assert "crashed while running 'test_together.py::test_one'" in done.stdout
    assert left() == []
    assert not [name for name in Path("/proc/net/unix").read_text().split() if name.startswith("@cdk-redis-local-")]


def test_the_last_user_of_a_shared_cloud_ends_it(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: Callable[[], list[str]]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "room"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "room"))
    run = secrets.token_hex(8)
    where = address(run)
    with SharedCloud(run, repository, {"stand_in": True}) as one:
        with SharedCloud(run, repository, {}) as other:
            assert other.endpoint_url == one.endpoint_url
            with pytest.raises(LocalCloudError, match="no store missing runs"):
                own_calls.call(other.environment, "OpenStore", Store="missing")
        assert one.client("sts").get_caller_identity()["Account"] == "000000000000"
        assert os.getuid() != 0 or as_nobody(lambda: first_line(where)) == ""
    assert left() == []


def test_the_users_of_a_shared_cloud_are_told_when_it_is_killed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: Callable[[], list[str]]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "room"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "room"))
    cloud = SharedCloud(secrets.token_hex(8), repository, {})
    cloud.start()
    try:
        assert left()
        os.kill(host_of(cloud), signal.SIGKILL)
        wait_until(cloud._ended.is_set)
        with pytest.raises(LocalCloudError, match="the shared local cloud has ended"):
            cloud.check()
    finally:
        cloud.stop()
    wait_until(lambda: left() == [], seconds=20)


def test_a_shared_cloud_takes_only_options_that_another_process_can_get(repository: Path) -> None:
    with pytest.raises(LocalCloudError, match="runs in another process, so it cannot have this option"):
        SharedCloud("a-run", repository, {"say": print})


def first_line(address: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        with connection.makefile("r") as reader:
            return reader.readline()


def host_of(cloud: SharedCloud) -> int:
    """The process at the other end of the connection."""
    assert cloud._connection
    return struct.unpack("3i", cloud._connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_interrupted_leaves_nothing(
    number: signal.Signals, tmp_path: Path, left: Callable[[], list[str]]
) -> None:
    (tmp_path / "test_endless.py").write_text(ENDLESS)
    run = subprocess.Popen(
        [*PYTEST, "-s", "--basetemp", tmp_path / "basetemp"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # As in an interactive shell: background processes of a script ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert run.stdout is not None
    with run.stdout as output:
        lines = iter(output.readline, "")
        assert any("READY" in line for line in lines)
        assert left()
        run.send_signal(number)
        rest = "".join(lines)
    assert run.wait(30) != 0
    assert ("KeyboardInterrupt" in rest) == (number == signal.SIGINT)
    wait_until(lambda: left() == [], seconds=20)
