"""The processes that run functions end when their version is deleted or idle, and no line of their logs is lost."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
import types
from pathlib import Path
from typing import Any

import pytest
from ministack.core import lambda_runtime

from cdk_redis_local._core.keeper import marked_processes
from cdk_redis_local._emulator.ministack.functions import keep_log_lines
from tests.local.support.clouds import ROLE_OF_FUNCTIONS, Cloud
from tests.support.concurrency import wait_until

pytestmark = pytest.mark.long

_CODE = "def handler(event, context):\n    return {number}\n"


def _resources(number: int, *versions: int) -> dict[str, Any]:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "changing",
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Code": {"ZipFile": _CODE.format(number=number)},
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }
    # As the CDK does for a trigger: each change adds a version with another logical id.
    published = {
        f"Version{version}": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}}
        for version in versions
    }
    return {"Role": ROLE_OF_FUNCTIONS, "Function": function, **published}


def _call(cloud: Cloud, version: str) -> object:
    answer = cloud.client("lambda").invoke(FunctionName="changing", Qualifier=version)
    return json.loads(answer["Payload"].read())


def _function_processes(cloud: Cloud) -> int:
    def runs_a_function(process: int) -> bool:
        try:
            return b"_worker.py" in Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            return False

    return sum(map(runs_a_function, marked_processes(cloud.local.workspace.path)))


def test_processes_of_a_deleted_version_end(cloud: Cloud) -> None:
    for number in range(1, 4):
        cloud.deploy("functions", _resources(number, number))
        assert _call(cloud, str(number)) == number
        wait_until(lambda: _function_processes(cloud) == 1, 5)
    cloud.delete("functions")
    wait_until(lambda: _function_processes(cloud) == 0, 5)


def test_processes_of_an_idle_version_end_and_start_again_at_the_next_call(cloud: Cloud) -> None:
    cloud.deploy("functions", _resources(1, 1))
    cloud.deploy("functions", _resources(2, 1, 2))
    assert [_call(cloud, "1"), _call(cloud, "2")] == [1, 2]
    assert _function_processes(cloud) == 2
    wait_until(lambda: _function_processes(cloud) == 0, 40)
    assert _call(cloud, "1") == 1
    cloud.delete("functions")


def test_a_function_logs_while_it_runs(cloud: Cloud) -> None:
    code = """import os, time
def handler(event, context):
    print("first")
    deadline = time.monotonic() + 30
    while not os.path.exists(event["path"]) and time.monotonic() < deadline:
        time.sleep(0.01)
    print("last")
    raise ValueError("the reason")
"""
    resources = _resources(1)
    resources["Function"]["Properties"] |= {"Code": {"ZipFile": code}, "Timeout": 60}
    cloud.deploy("functions", resources)
    logs, proceed = cloud.client("logs"), cloud.local.workspace.path / "proceed"

    def lines() -> list[str]:
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/changing")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in events]

    payload = json.dumps({"path": str(proceed)}).encode()
    running = threading.Thread(
        target=lambda: cloud.client("lambda").invoke(FunctionName="changing", Payload=payload), daemon=True
    )
    running.start()
    wait_until(lambda: "first" in lines(), 20)
    assert "last" not in lines()
    proceed.touch()
    running.join(20)
    found = lines()
    assert [line for line in found if line in ("first", "last")] == ["first", "last"]
    assert found.count("ValueError: the reason") == 1, found
    cloud.delete("functions")


def test_lines_that_a_busy_machine_reads_late_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    emulated = lambda_runtime.Worker._drain_stderr_bounded
    monkeypatch.setattr(lambda_runtime.Worker, "_drain_stderr_bounded", emulated)
    read, write = os.pipe()
    worker: Any = object.__new__(lambda_runtime.Worker)
    worker._proc, worker._stderr_queue = types.SimpleNamespace(stderr=os.fdopen(read)), queue.Queue()

    def read_late() -> None:
        time.sleep(0.5)
        worker._read_stderr()

    with worker._proc.stderr, os.fdopen(write, "w") as log:
        print("the report", file=log, flush=True)
        reader = threading.Thread(target=read_late)
        reader.start()
        assert emulated(worker) == ""
        keep_log_lines()
        assert worker._drain_stderr_bounded() == "the report"
        log.close()
        reader.join()
