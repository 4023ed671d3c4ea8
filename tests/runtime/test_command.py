"""The command, as a process of its own, against real engines."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from cdk_redis_local import EngineSet, find_engine
from cdk_redis_runtime._command import COULD_NOT_RUN, main
from tests.runtime.battery import PASSWORD, assert_no_secret


def _run(engines: EngineSet, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    engine = find_engine()
    host, port = engines.endpoint
    fixed = ["--host", host, "--port", str(port), "--user", "smoke", "--password-from", "STORE_PASSWORD"]
    fixed += ["--engine", engine.name, "--engine-version", engine.major_minor, "--shards", str(engines.shards)]
    fixed += ["--replicas", str(engines.replicas), "--budget", "5"]
    if engines.cluster_mode:
        fixed.append("--cluster")
    else:
        fixed += ["--reader", "{}:{}".format(*engines.reader_endpoint)]
    done = subprocess.run(
        [sys.executable, "-m", "cdk_redis_runtime", "smoke", *fixed, *arguments],
        env={**os.environ, "SSL_CERT_FILE": engines.ca_file, "STORE_PASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert_no_secret([done.stdout, done.stderr], {PASSWORD, password})
    return done


def test_healthy_cluster_ends_with_zero_and_a_table(cluster: EngineSet) -> None:
    done = _run(cluster)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "durability" in done.stdout
    assert "passed" in done.stdout


def test_report_is_json_where_asked_for(single: EngineSet) -> None:
    done = _run(single, "--json", "--maxmemory-policy", "noeviction")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert {check["status"] for check in report["checks"]} == {"passed"}


def test_failed_check_ends_with_one_and_shows_no_secret(single: EngineSet) -> None:
    done = _run(single, "--budget", "2", password="not-the-password-of-the-user")
    assert done.returncode == 1
    assert "WRONGPASS" in done.stdout


@pytest.mark.parametrize(
    ("option", "given", "words"),
    [
        ("--port", "0", "a whole number from 1 to 65535"),
        ("--port", "6379x", "a whole number from 1 to 65535"),
        ("--shards", "0", "a whole number from 1 to 500"),
        ("--shards", "501", "a whole number from 1 to 500"),
        ("--replicas", "6", "a whole number from 0 to 5"),
        ("--replicas", "1.5", "a whole number from 0 to 5"),
        ("--budget", "0.5", "a number from 1 to 900"),
        ("--budget", "901", "a number from 1 to 900"),
        ("--budget", "nan", "a number from 1 to 900"),
        ("--latency-limit", "0", "a number from 1 to 60000"),
        ("--latency-limit", "fast", "a number from 1 to 60000"),
        ("--reader", "host:65536", "HOST or HOST:PORT, with a port from 1 to 65535"),
        ("--reader", ":6379", "HOST or HOST:PORT, with a port from 1 to 65535"),
        ("--engine-version", "8.x", "numbers with points between them: 8, 7.1 or 7.0.15"),
        ("--key-prefix", "", "without a prefix the test would touch anybody's keys"),
    ],
)
def test_what_is_out_of_range_is_refused_before_anything_is_dialled(
    option: str, given: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["smoke", "--host", "orders.invalid", option, given])
    assert ended.value.code == COULD_NOT_RUN
    said = capsys.readouterr()
    assert f"argument {option}: got {given!r}" in said.err
    assert words in said.err
    assert said.out == ""


def test_latency_limit_is_the_callers(single: EngineSet) -> None:
    done = _run(single, "--json", "--latency-limit", "1234.5")
    (latency,) = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "latency"]
    assert latency["expected"] == "a median round trip of at most 1234.5 ms"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--password-from", "NO_SUCH_VARIABLE"], "the variable NO_SUCH_VARIABLE is not set"),
        (["--reader", "host:port"], "allowed is HOST or HOST:PORT"),
        (["--iam", "orders"], "not allowed with argument"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_what_cannot_run_ends_with_two(arguments: list[str], words: str, single: EngineSet) -> None:
    done = _run(single, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
