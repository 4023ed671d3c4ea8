"""The drill's state machine in the local cloud fails a shard over and reports the outage in its output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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

    started = {name: machines.start_execution(stateMachineArn=made[f"{name}Machine"]) for name in STORES}
    reports = {name: _output(machines, execution["executionArn"]) for name, execution in started.items()}

    for name, (shards, shard) in STORES.items():
        report, after = reports[name], _primaries(deploys, made, name)
        # Only the declared shard has another primary, and all replicas are connected again.
        changed = [number for number in range(shards) if before[name][number][0] != after[number][0]]
        assert changed == [shard], (before, after)
        assert [replicas for _, replicas in after] == [1] * shards
        _check_report(report, made[f"{name}Name"], shards)
    deploys.run("destroy", "--app", str(assembly), "--force", "Drill")


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
