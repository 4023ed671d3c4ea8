"""The drill in the local cloud: it fails a shard over, and the command starts it, follows it, and reports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from redis.crc import key_slot

from tests.e2e.support.deploys import Deploys
from tests.support.concurrency import wait_until

# Each store's number of shards, and the index of the shard that fails over.
STORES = {"Single": (1, 0), "Sharded": (2, 1), "Ledger": (1, 0)}


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_the_state_machine_fails_a_shard_over_and_reports_it(deploys: Deploys, engine: str, tmp_path: Path) -> None:
    assembly = deploys.synthesize("drill", tmp_path / "drill", engine=engine)
    made = deploys.deploy(assembly, "Drill")
    machines = deploys.client("stepfunctions")
    # Deploys do not start the state machine.
    for name in STORES:
        assert machines.list_executions(stateMachineArn=made[f"{name}Machine"])["executions"] == []
    before = {name: _primaries(deploys, made, name) for name in STORES}

    _check_refusals(deploys, made)
    reports = _run_drills(deploys, made, tmp_path / "drill.svg")

    for name, (shards, shard) in STORES.items():
        report, after = reports[name], _primaries(deploys, made, name)
        # Only the declared shard has another primary, and all replicas are connected again.
        changed = [number for number in range(shards) if before[name][number][0] != after[number][0]]
        assert changed == [shard], (before, after)
        assert [replicas for _, replicas in after] == [1] * shards
        _check_report(report, made[f"{name}Name"], shards)
    _check_last_reports(deploys, made, reports)
    deploys.run("destroy", "--app", str(assembly), "--force", "Drill")


def _command(deploys: Deploys, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cdk_redis_runtime", *arguments]
    return subprocess.run(
        command, env={**deploys.cloud.environment, "COLUMNS": "100"}, capture_output=True, text=True, check=False
    )


def _check_refusals(deploys: Deploys, made: dict[str, str]) -> None:
    """The drill does not start while its alarm is on, or what was named is not a drill."""
    alarms = deploys.client("cloudwatch")
    alarms.set_alarm_state(AlarmName=made["AlarmName"], StateValue="ALARM", StateReason="a test")
    refused = _command(deploys, "drill", made["ShardedMachine"])
    assert (refused.returncode, refused.stdout) == (2, ""), refused
    assert f'because these alarms are on: ["{made["AlarmName"]}"]' in refused.stderr
    alarms.set_alarm_state(AlarmName=made["AlarmName"], StateValue="OK", StateReason="a test")

    several = _command(deploys, "drill", "Drill")
    assert several.returncode == 2
    assert "the stack Drill has 3 drills, and one is needed; give its ARN: " in several.stderr


def _run_drills(deploys: Deploys, made: dict[str, str], picture: Path) -> dict[str, dict[str, Any]]:
    """Run all drills at the same time, one of them with the command; returns their reports."""
    machines = deploys.client("stepfunctions")
    others = [name for name in STORES if name != "Sharded"]
    started = {name: machines.start_execution(stateMachineArn=made[f"{name}Machine"]) for name in others}
    command = [sys.executable, "-m", "cdk_redis_runtime", "drill", made["ShardedMachine"], "--picture", str(picture)]
    environment = {**deploys.cloud.environment, "COLUMNS": "100"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        head = running.stderr.readline()
        execution = head.partition("started ")[2].strip()
        assert execution, head + running.stderr.read()
        live = 0
        lines: list[str] = []
        for line in running.stderr:
            lines.append(line)
            if " s  shard 1: " in line and not live:
                # The first line is there long before the end.
                assert machines.describe_execution(executionArn=execution)["status"] == "RUNNING"
                live = len(lines)
        # Lines may be folded at any space.
        table = " ".join(running.stdout.read().split())
    assert running.returncode == 0, lines
    assert live, lines
    assert any("NO ANSWER for" in line and "from slots 8192-16383" in line for line in lines), lines
    assert "passed in" in table
    assert "another node serves shard 2; none of" in table
    assert "8192-16383" in table
    drawn = ElementTree.fromstring(picture.read_text())
    svg = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{svg}g")) == 2
    assert len(drawn.findall(f"{svg}g/{svg}rect[@class='outage']")) >= 1
    reports = {name: _output(machines, execution["executionArn"]) for name, execution in started.items()}
    return {**reports, "Sharded": _output(machines, execution)}


def _check_last_reports(deploys: Deploys, made: dict[str, str], reports: dict[str, dict[str, Any]]) -> None:
    """The reports of the drills, and of a smoke test that failed in a deployment that succeeded."""
    shown = _command(deploys, "report", "Drill", "--json")
    assert shown.returncode == 1, shown
    entries = json.loads(shown.stdout)
    drills = [entry["report"] for entry in entries if entry["kind"] == "failover drill"]
    assert sorted(drills, key=str) == sorted(reports.values(), key=str)
    (smoke,) = [entry["report"] for entry in entries if entry["kind"] == "smoke test"]
    assert (smoke["store"], smoke["passed"]) == (made["SingleName"], False)
    assert "failed" in {check["status"] for check in smoke["checks"]}
    for arguments, code, text in (
        (["Drill"], 1, "failed"),
        ([made["LedgerMachine"]], 0, "Failover drill of memorydb"),
    ):
        shown = _command(deploys, "report", *arguments)
        assert shown.returncode == code, shown
        assert text in shown.stdout


def _check_report(report: dict[str, Any], store: str, shards: int) -> None:
    assert report["store"] == store
    assert report["failover_seen"] is True, report
    assert report["recovered"] is True, report
    assert report["acknowledged_writes"] > 20 * shards, report
    assert report["acknowledged_writes_lost"] == 0, report
    # The local cloud detects a failed primary after one and a half seconds.
    assert 1.0 < report["longest_gap_seconds"] < 8.0, report
    assert report["seconds_of_failed_writes"] >= 1.0, report
    assert report["seconds_of_failed_reads"] >= 1.0, report
    # Retries may hide such a short outage from the application, so errors may be empty.
    assert all(kind.endswith("Error") for kind in report["errors"]), report
    assert sorted(shard["other_primary"] for shard in report["shards"]) == [False] * (shards - 1) + [True]


def _output(machines: Any, execution: str) -> dict[str, Any]:
    wait_until(lambda: machines.describe_execution(executionArn=execution)["status"] != "RUNNING", 60)
    ended = machines.describe_execution(executionArn=execution)
    assert ended["status"] == "SUCCEEDED", ended
    return json.loads(ended["output"])


def _primaries(deploys: Deploys, made: dict[str, str], name: str) -> list[tuple[str, int]]:
    """For each shard, the run id of its primary and the number of its connected replicas."""
    shards, cluster = STORES[name][0], name != "Single"
    password = deploys.password(made[f"{name}Secret"])
    client = deploys.connect(made[f"{name}Port"], made[f"{name}User"], password, cluster=cluster)
    found: list[tuple[str, int]] = []
    for shard in range(shards):
        # Slots are distributed evenly, in order.
        key = next(str(n) for n in range(100) if key_slot(str(n).encode()) * shards // 16384 == shard)
        node = {"target_nodes": client.get_node_from_key(key)} if cluster else {}
        replicas = client.info("replication", **node)["connected_slaves"]
        found.append((client.info("server", **node)["run_id"], replicas))
    client.close()
    return found
