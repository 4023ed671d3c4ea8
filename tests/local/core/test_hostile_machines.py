"""On a machine that lacks something, a local cloud works, or ends with one line, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from cdk_redis_local import EngineError, LocalCloud, LocalCloudError, Workspace, own_network
from cdk_redis_local._engines.node import reserve_port
from tests.local.support.clouds import Cloud, StackFailedError

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
_MOUNT = ("unshare", "--user", "--map-root-user", "--mount")


def _private_mounts() -> tuple[str, ...]:
    """The command that runs another with mounts of its own, which end with it; empty if this machine allows none."""
    for command in (_MOUNT[:1] + _MOUNT[3:], _MOUNT):
        tried = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if shutil.which("unshare") and not subprocess.run(tried, check=False, capture_output=True).returncode:
            return command
    return ()


def store(cloud: Cloud) -> dict[str, object]:
    properties = {
        "ReplicationGroupDescription": "a store",
        "NumCacheClusters": 2,
        "AutomaticFailoverEnabled": True,
        "TransitEncryptionEnabled": True,
    }
    return {"Store": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": {**cloud.engine, **properties}}}


def deploy_and_ping(local: LocalCloud) -> None:
    """Deploy a store, and call it as a client does."""
    cloud = Cloud(local)
    port = cloud.deploy("a", store(cloud), {"Port": {"Fn::GetAtt": ["Store", "PrimaryEndPoint.Port"]}})["Port"]
    trusted = local.environment["SSL_CERT_FILE"]
    with redis.Redis("localhost", int(port), ssl=True, ssl_ca_certs=trusted, protocol=2) as client:
        assert client.ping()


def use_a_cloud() -> None:
    """The program of a test in a strange place: prints the number of files that are left."""
    with LocalCloud() as local:
        deploy_and_ping(local)
    print(len(list(Path(tempfile.gettempdir()).glob("cdk-redis-local-*"))))


def fill_the_disk() -> None:
    """The program of a test with a small disk: a deployment to a full disk fails, and one after it works."""
    with LocalCloud() as local:
        cloud, ballast = Cloud(local), Path(tempfile.gettempdir()) / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        with pytest.raises(StackFailedError, match=r"no space is left on the disk of .*: free some, or start"):
            cloud.deploy("full", store(cloud))
        ballast.unlink()
        deploy_and_ping(local)
    print(len(list(Path(tempfile.gettempdir()).iterdir())))


def _run(program: Callable[[], object], prefix: tuple[str, ...], folder: Path, script: str = "") -> str:
    """Run a function of this module in another process, after a shell script; returns its output."""
    code = f"from tests.local.core.test_hostile_machines import {program.__name__} as work; work()"
    done = subprocess.run(
        [*prefix, "sh", "-ec", f'{script} exec "$@"', "sh", sys.executable, "-c", code],
        capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder for the workspaces of one test, which must be empty at its end."""
    made = tmp_path / "temporary"
    made.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(made))
    yield made
    assert list(made.iterdir()) == []


def test_a_start_on_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    mounts = _private_mounts()
    if not mounts:
        pytest.skip("this machine allows no mounts in a namespace of one's own")
    code = (
        "import os, tempfile\nfrom cdk_redis_local import LocalCloud, LocalCloudError\n"
        "try:\n    LocalCloud().start()\nexcept LocalCloudError as error:\n    print(error)\n"
        "print(os.listdir(tempfile.gettempdir()))\n"
    )
    done = subprocess.run(
        [*mounts, "sh", "-ec", f"mount -t tmpfs -o size=64k tmpfs {tmp_path}; TMPDIR={tmp_path} exec \"$@\"", "sh",
         sys.executable, "-c", code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        f"no space is left on the disk of {tmp_path}: free some, or start the local cloud with TMPDIR set to a folder "
        "on another disk",
        "[]",
    ]


def test_a_deployment_to_a_full_disk_is_rolled_back_and_a_later_one_works(tmp_path: Path) -> None:
    mounts = _private_mounts()
    if not mounts:
        pytest.skip("this machine allows no mounts in a namespace of one's own")
    assert _run(fill_the_disk, mounts, tmp_path, f"mount -t tmpfs -o size=3m tmpfs {tmp_path};") == "0"


def test_a_cloud_needs_no_ipv6_and_no_short_temporary_folder(tmp_path: Path) -> None:
    try:
        network = own_network()
    except LocalCloudError as error:
        pytest.skip(str(error))
    long = tmp_path / ("long" * 30) / ("path" * 30)  # a socket's path may have 107 characters
    long.mkdir(parents=True)
    off = 'ip link set lo up; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; test -z "$(cat /proc/net/if_inet6)";'
    assert _run(use_a_cloud, network, long, off) == "0"


def test_two_clouds_run_at_the_same_time(folder: Path) -> None:
    with LocalCloud() as one, LocalCloud() as other:
        works = [threading.Thread(target=deploy_and_ping, args=(cloud,)) for cloud in (one, other)]
        for work in works:
            work.start()
        for work in works:
            work.join()
        stacks = [len(cloud.client("cloudformation").describe_stacks()["Stacks"]) for cloud in (one, other)]
        assert stacks == [1, 1]
        # The credentials of one are unknown to the other.
        foreign = one.session().client("sts", endpoint_url=other.endpoint_url)
        with pytest.raises(foreign.exceptions.ClientError, match="the credentials do not exist"):
            foreign.get_caller_identity()


def test_a_start_that_takes_too_long_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdk_redis_local._cloud._START_SECONDS", 0.0)
    with pytest.raises(
        LocalCloudError, match=r"did not start within 0 s, because this machine is too busy:\nits log is"
    ):
        LocalCloud().start()


def test_a_machine_without_a_writable_temporary_folder_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: ["/proc/no-such-folder"])
    with pytest.raises(LocalCloudError, match=r"no folder for temporary files is writable .*: set TMPDIR to one"):
        Workspace()


def test_an_engine_takes_another_port_if_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, reserve_port() as free:
        busy, other = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        monkeypatch.setattr("random.sample", lambda *_: [busy, other])
        with reserve_port() as reserved:
            assert reserved.getsockname()[1] == other
        monkeypatch.setattr("random.sample", lambda *_: [busy])
        with pytest.raises(
            EngineError, match=r"^found no free port from 10240 to 32767 on 127\.0\.0\.1: end programs that"
        ):
            reserve_port()
