"""The interpreter ends without a crash, and without waiting for threads that hang."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from cdk_redis_local import EngineSet, find_engine
from cdk_redis_runtime._smoke_test.clock import side_by_side
from tests.runtime.support.battery import PASSWORD, Battery
from tests.runtime.support.fault_proxy import silent_server

pytestmark = pytest.mark.long

_RUNS = 25


def _command(engines: EngineSet, port: int, *options: str) -> tuple[list[str], dict[str, str]]:
    engine = find_engine()
    arguments = ["--host", "localhost", "--port", str(port), "--user", "smoke", "--password-from", "STORE_PASSWORD"]
    arguments += ["--engine", engine.name, "--engine-version", engine.major_minor, "--shards", "3", "--replicas", "1"]
    # Freed memory is overwritten, so that a thread that still uses it always crashes, and not once in a thousand runs.
    environment = {
        **os.environ,
        "SSL_CERT_FILE": engines.ca_file,
        "STORE_PASSWORD": PASSWORD,
        "PYTHONMALLOC": "debug",
    }
    return [sys.executable, "-m", "cdk_redis_runtime", "smoke", *arguments, "--cluster", *options], environment


@pytest.mark.timeout(180)
def test_interpreter_ends_without_a_crash_after_a_passed_report(cluster: EngineSet) -> None:
    command, environment = _command(cluster, cluster.endpoint[1], "--json")
    ends: list[int] = []
    for _ in range(_RUNS):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        ends.append(done.returncode)
        assert not done.returncode, done.stdout + done.stderr
    assert ends == [0] * _RUNS


def test_interpreter_ends_at_once_while_a_thread_hangs(cluster: EngineSet) -> None:
    with silent_server() as port:
        command, environment = _command(cluster, port, "--json", "--budget", "2")
        started = time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "did not answer the TLS handshake in time" in done.stdout
    # The start of the interpreter included, on a busy machine.
    assert time.monotonic() - started < 15


def test_no_thread_of_the_battery_outlives_a_passed_report(cluster: EngineSet, battery: Battery) -> None:
    before = set(sys._current_frames())
    assert battery(cluster).report.passed
    assert set(sys._current_frames()) <= before


def test_threads_end_with_their_work() -> None:
    before = threading.active_count()
    for _ in range(50):
        side_by_side(lambda seconds: time.sleep(seconds), [0.0049, 0.0, 0.0101], 5)
        assert threading.active_count() == before
