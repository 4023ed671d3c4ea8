"""The command cdk-redis-local: up, run, their ends and their errors."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from cdk_redis_local import LocalCloud, LocalCloudError
from cdk_redis_local.__main__ import main

pytestmark = pytest.mark.long

COMMAND = [sys.executable, "-m", "cdk_redis_local"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command with its own temporary folder, and ends it after the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        pipe = subprocess.PIPE
        started.append(subprocess.Popen([*COMMAND, *arguments], env=environment, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.terminate()  # no effect on a process that has ended
        process.communicate(timeout=20)


def test_run_passes_the_environment_to_the_command_and_returns_its_exit_code(tmp_path: Path) -> None:
    program = (
        "import boto3, os, subprocess, sys\n"
        "print(boto3.client('sts').get_caller_identity()['Account'], os.environ['SSL_CERT_FILE'])\n"
        "subprocess.Popen(['sleep', '60'])\n"  # still runs when the command ends
        "sys.exit(7)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "mine"}
    words = [*COMMAND, "run", "--", sys.executable, "-c", program]
    began = time.monotonic()
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    account, trusted = done.stdout.split()
    assert account == "000000000000"
    assert trusted.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_up_runs_until_a_signal_and_leaves_no_files(
    number: signal.Signals, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    up = start("up", "--bootstrap", "--env-file", str(tmp_path / "up.env"))
    assert up.stdout is not None
    exported: dict[str, str] = {}
    printed: list[str] = []
    for line in up.stdout:
        printed += [line] if line.startswith(("export ", "unset ")) else []
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            exported[name] = value
        if line.startswith("export no_proxy"):
            break
    keys = {name.lower(): exported[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    sts = boto3.client("sts", endpoint_url=exported["AWS_ENDPOINT_URL"], region_name=exported["AWS_REGION"], **keys)
    assert sts.get_caller_identity()["Account"] == "000000000000"
    assert Path(exported["SSL_CERT_FILE"]).exists()
    assert _account_in_another_shell("".join(printed)) == "000000000000"
    formation = boto3.client(
        "cloudformation", endpoint_url=exported["AWS_ENDPOINT_URL"], region_name="us-east-1", **keys
    )
    assert formation.describe_stacks(StackName="CDKToolkit")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    file = tmp_path / "up.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert dict(line.split("=", 1) for line in file.read_text().splitlines()) == exported
    broken = subprocess.run(
        [*COMMAND, "break", "missing", "wrong-ca"], env={**os.environ, **exported}, capture_output=True, text=True
    )
    assert (broken.returncode, broken.stderr) == (
        1,
        "cdk-redis-local: no store missing runs; the running stores: none\n",
    )
    up.send_signal(number)
    assert up.wait(10) == 130
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(exported["AWS_ENDPOINT_URL"], timeout=5)


def _account_in_another_shell(printed: str) -> str:
    """The account that STS returns in a shell with a profile and a proxy, after the lines that ``up`` printed."""
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    environment = {**os.environ, "AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "mine", "http_proxy": "http://127.0.0.1:9"}
    words = ["sh", "-c", f'{printed}exec "$0" -c "$1"', sys.executable, program]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_ends_the_command_and_its_processes_at_a_signal(
    number: signal.Signals, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    program = (
        "import os, subprocess, time\n"
        "left = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "print(os.getpid(), left.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    run = start("run", "--", sys.executable, "-c", program)
    assert run.stdout is not None
    processes = run.stdout.readline().split()
    run.send_signal(number)
    said = run.communicate(timeout=20)[1]
    assert run.returncode == 130
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert len(processes) == 2
    assert not any(Path(f"/proc/{process}/exe").exists() for process in processes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--fault", "no-such"], "unknown fault no-such; the faults are engine-stopped, wrong-ca"),
        (["demo", "-c", "novalue"], "-c must be key=value, not novalue"),
        (["run", "--", "no-such-command"], "cannot run no-such-command"),
        (["repair", "cache", "wrong-ca"], "repair needs the environment of `up` or `run`; not set: AWS_ENDPOINT_URL"),
        (["up", "--env-file", "/no/such/folder/env"], "cannot write /no/such/folder/env: No such file or directory"),
    ],
)
def test_a_wrong_argument_prints_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_missing_cdk_cli_prints_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", "/bin"]))
    monkeypatch.setattr(sys, "executable", _python_without_tools(tmp_path))
    assert main(["demo"]) == 1
    assert "no CDK CLI in node_modules or on PATH: install it with `npm install aws-cdk@2`" in capsys.readouterr().err


def _python_without_tools(directory: Path) -> str:
    launcher = directory / "bin" / "python"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    launcher.chmod(0o755)
    return str(launcher)


def test_a_cloud_that_does_not_start_reports_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "hypercorn"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('broken on purpose')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LocalCloudError, match=r"did not start:(.|\n)*broken on purpose"):
        LocalCloud().start()
