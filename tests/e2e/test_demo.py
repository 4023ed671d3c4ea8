"""The demo deploys both stores and shows their reports; when it is stopped, it leaves no files or processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.concurrency import wait_until

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.timeout(300)]
DEMO = [sys.executable, "-m", "cdk_redis_local", "demo"]
CHECKS = (
    "tls",
    "auth",
    "anonymous-refused",
    "plaintext-refused",
    "topology",
    "write-read",
    "replica-read",
    "acl-enforced",
)


def test_the_demo_deploys_both_stores_shows_their_reports_and_destroys(
    repository: Path, engine: str, room: Callable[[], list[str]]
) -> None:
    demo = subprocess.run(
        [*DEMO, "-c", f"engine={engine}"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    for service in ("elasticache", "memorydb"):
        assert re.search(rf"^{service} \S+: passed", demo.stdout, re.MULTILINE), demo.stdout
    for check in CHECKS:
        assert len(re.findall(rf"{check}\W+passed", demo.stdout)) == 2, (check, demo.stdout)
    assert demo.stdout.count("engines stopped") == 2
    assert room() == []


# Mounts the checkout read-only, also for root.
_READ_ONLY = (
    "unshare", "--mount", "sh", "-c",
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"',
)  # fmt: skip
# The environment of a user with a proxy and a profile, but without a home directory.
_ELSEWHERE = {
    "AWS_PROFILE": "names-nothing",
    "HOME": "/sys/none",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
}


def _may_mount() -> bool:
    done = subprocess.run([*_READ_ONLY, "/usr", "true"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="this user may not mount a folder read-only")
def test_two_demos_run_at_the_same_time_in_a_read_only_checkout(
    repository: Path, engine: str, room: Callable[[], list[str]]
) -> None:
    command = [*_READ_ONLY, str(repository), *DEMO, "-c", f"engine={engine}"]
    demos = [
        subprocess.Popen(
            command, env={**os.environ, **extra}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for extra in ({}, _ELSEWHERE)
    ]
    for demo in demos:
        said = demo.communicate()[0]
        assert demo.returncode == 0, said
        assert len(re.findall(r"^(?:elasticache|memorydb) \S+: passed", said, re.MULTILINE)) == 2, said
    assert room() == []


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "Starting the local cloud"),
        (signal.SIGTERM, "Bootstrapping"),
        (signal.SIGINT, "are available"),
        (signal.SIGKILL, "are available"),
    ],
)
def test_a_stopped_demo_leaves_no_files_or_processes(
    number: signal.Signals, moment: str, repository: Path, room: Callable[[], list[str]]
) -> None:
    demo = subprocess.Popen(DEMO, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert demo.stdout is not None
    said: list[str] = []
    for line in demo.stdout:
        said.append(line)
        if moment in line:
            room()
            demo.send_signal(number)
            break
    else:
        pytest.fail("".join(said))
    code = demo.wait()
    demo.stdout.close()
    assert code == (-number if number is signal.SIGKILL else 130)
    # A killed demo does not wait until its keeper has cleaned up.
    wait_until(lambda: room() == [])
