"""The demonstration deploys both stores and proves them; nothing is left of it, whenever it is stopped."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
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


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "Starting the local cloud"),
        (signal.SIGTERM, "Bootstrapping"),
        (signal.SIGINT, "are available"),
        (signal.SIGKILL, "are available"),
    ],
)
def test_nothing_is_left_when_it_is_stopped(
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
    _wait_until_empty(room)


def _wait_until_empty(room: Callable[[], list[str]]) -> None:
    # Whoever is killed cannot wait for the cleaning up; that takes a moment.
    import time

    deadline = time.monotonic() + 10
    while room() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert room() == []
