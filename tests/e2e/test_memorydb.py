"""MemoryDB clusters: users and their keys, rotation under load, updates in place, a replacement, and the clean-up."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import redis
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cdk_redis_local._core.keeper import marked_processes
from tests.e2e.support.deploys import Deploys, verdicts
from tests.e2e.support.rotations import Load, rotate_in_a_row


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_users_rotate_and_change_in_place_and_a_replacement_deletes_the_old_cluster(
    deploys: Deploys, engine: str, tmp_path: Path
) -> None:
    before = deploys.synthesize("memorydb", tmp_path / "1", engine=engine, prefix="orders:", port="6379", team="two")
    after = deploys.synthesize("memorydb", tmp_path / "2", engine=engine, prefix="bills:", port="6380", team="three")
    engines_before = _engines(deploys)
    made = deploys.deploy(before, "MemoryDb")
    _all_passed(deploys, made)
    _each_reaches_its_own_keys(deploys, made, {"orders": "orders:", "carts": "carts:"})
    _sign_in_by_iam(deploys, made)
    _rotate_under_load(deploys, made)
    assert len(_engines(deploys) - engines_before) == 1 + 6

    changed = deploys.deploy(after, "MemoryDb")
    _all_passed(deploys, changed)
    # Users and ACL have changed, one with a rotated password; the cluster and its keys are the same.
    assert (changed["ShardedName"], changed["ShardedPort"]) == (made["ShardedName"], made["ShardedPort"])
    assert _user(deploys, changed, "carts").get("carts:key") == "carts"
    _each_reaches_its_own_keys(deploys, changed, {"orders": "bills:", "carts": "carts:", "stock": "stock:"})
    # Another port replaces the cluster, and deletes the old one.
    assert changed["SingleName"] != made["SingleName"]
    assert not _listens(made["SinglePort"])
    assert len(_engines(deploys) - engines_before) == 1 + 6

    deploys.run("destroy", "--app", str(after), "--force", "MemoryDb")
    assert _engines(deploys) == engines_before
    assert not any(_listens(changed[name]) for name in ("SinglePort", "ShardedPort"))


def _all_passed(deploys: Deploys, made: dict[str, str]) -> None:
    reports = deploys.reports()
    for name in ("SingleName", "ShardedName"):
        report = reports[made[name]]
        assert report["passed"], report
        assert "failed" not in verdicts(report).values(), report


def _rotate_under_load(deploys: Deploys, made: dict[str, str]) -> None:
    with Load(deploys, made["ordersRecord"], "orders:") as load:
        (passwords,) = rotate_in_a_row(deploys, 3, made["ordersSecret"])
    load.check()
    assert len(set(passwords)) == 4
    for password in passwords[:2]:
        with pytest.raises(redis.AuthenticationError):
            deploys.connect(made["ShardedPort"], made["ordersUser"], password).ping()
    # The previous one is valid until the next rotation.
    for password in passwords[2:]:
        deploys.connect(made["ShardedPort"], made["ordersUser"], password, cluster=True).close()


def _user(deploys: Deploys, made: dict[str, str], name: str) -> Any:
    password = deploys.password(made[f"{name}Secret"])
    return deploys.connect(made["ShardedPort"], made[f"{name}User"], password, cluster=True)


def _each_reaches_its_own_keys(deploys: Deploys, made: dict[str, str], prefixes: dict[str, str]) -> None:
    for name in prefixes:
        client = _user(deploys, made, name)
        for owner, prefix in {**prefixes, "nobody": "orders:" if "orders:" not in prefixes.values() else "x:"}.items():
            if owner == name:
                assert client.set(f"{prefix}key", name)
                continue
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.get(f"{prefix}key")


def _sign_in_by_iam(deploys: Deploys, made: dict[str, str]) -> None:
    """Sign in as the role that may connect, and check that it can access its own keys only."""
    assumed = deploys.client("sts").assume_role(RoleArn=made["signerRole"], RoleSessionName="test")["Credentials"]
    credentials = Credentials(assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])
    url = f"https://{made['ShardedName']}/?Action=connect&User={made['signerUser']}"
    request = AWSRequest(method="GET", url=url)
    SigV4QueryAuth(credentials, "memorydb", deploys.cloud.region, expires=900).add_auth(request)
    token = str(request.url).removeprefix("https://")
    client = deploys.connect(made["ShardedPort"], made["signerUser"], token, cluster=True)
    assert client.set("signer:key", "1")
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.get("orders:key")
    with pytest.raises(redis.AuthenticationError):
        deploys.connect(made["SinglePort"], made["signerUser"], token).ping()


def _engines(deploys: Deploys) -> set[Path]:
    """The working directories of the cloud's engines; fails if a directory has no process."""
    workspace = deploys.cloud.workspace.path
    running = {(Path("/proc") / str(process) / "cwd").resolve() for process in marked_processes(workspace)}
    of_engines = set(workspace.glob("engines-*/node-*"))
    assert {path for path in running if path.name.startswith("node-")} == of_engines
    return of_engines


def _listens(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0
