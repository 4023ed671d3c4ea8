"""The drill against a primary that fails under load, beside an observer that asks the engines themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from cdk_redis_local import EngineSet, LocalCloudError, Node, own_network
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.drill import Attempt, Drill, outage_of
from cdk_redis_runtime.drill_lambda import handler
from tests.runtime.support.failovers import (
    NODE_TIMEOUT,
    PASSWORD,
    PREFIX,
    USERS,
    Failover,
    Seen,
    drill_of,
    fail_over,
    primaries,
)


def _answered(*ends: float) -> list[Attempt]:
    return [Attempt(end - 0.01, end) for end in ends]


@pytest.mark.parametrize(
    ("attempts", "failed", "longest", "recovered"),
    [
        (_answered(0.1, 0.4, 0.8), 0.0, 0.4, True),
        # An error in between makes the whole stretch from answer to answer a failure.
        ([*_answered(0.1), Attempt(0.2, 0.25, "TimeoutError"), *_answered(0.4, 0.8)], 0.3, 0.4, True),
        # A single slow answer is one as well.
        ([*_answered(0.1), Attempt(0.2, 0.8), *_answered(0.9)], 0.7, 0.7, True),
        # It never came back.
        ([*_answered(0.1), Attempt(0.2, 0.95, "TimeoutError")], 0.9, 0.9, False),
        ([Attempt(0.0, 0.5, "ConnectionError")], 1.0, 1.0, False),
    ],
)
def test_outage_is_the_time_between_answers(
    attempts: list[Attempt], failed: float, longest: float, recovered: bool
) -> None:
    outage = outage_of(attempts, 0.0, 1.0)
    assert outage.failed_seconds == pytest.approx(failed)
    assert outage.longest_gap_seconds == pytest.approx(longest)
    assert outage.as_dict()["recovered"] is recovered


@pytest.fixture(scope="module")
def engines() -> Iterator[EngineSet]:
    """One cluster for all: a killed primary leaves a shard with one node, of three that elect a new primary."""
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=USERS, node_timeout=NODE_TIMEOUT) as engines:
        yield engines


@pytest.fixture(autouse=True)
def _trust(engines: EngineSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)


@pytest.fixture
def drill(engines: EngineSet) -> Drill:
    return drill_of(engines, primaries(engines)[0])


def test_outage_of_a_killed_primary_is_the_one_that_an_observer_sees(engines: EngineSet) -> None:
    standby = engines.replica_nodes[0]

    def kill(victim: Node) -> None:
        # The replica is cut off first: what is acknowledged from then on, it does not have.
        standby.admin.config_set("masterauth", "wrong")
        victim.admin.client_kill_filter(_type="replica")
        time.sleep(0.5)
        victim.stop()

    seen = fail_over(engines, engines.primaries[0], kill)
    _agree(seen)
    assert seen.lost


def test_outage_of_a_frozen_primary_is_the_one_that_an_observer_sees(engines: EngineSet) -> None:
    victim = engines.primaries[1]
    try:
        seen = fail_over(engines, victim, Node.freeze)
    finally:
        victim.resume()
    _agree(seen)


def test_outage_of_an_unreachable_primary_is_the_one_that_an_observer_sees(repository: Path) -> None:
    try:
        own = own_network()
    except LocalCloudError as refused:
        pytest.skip(str(refused))
    lost = subprocess.run(
        [*own, sys.executable, "-m", "tests.runtime.support.failovers"],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(repository / "constructs"), str(repository)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert lost.returncode == 0, lost.stderr
    words = json.loads(lost.stdout)
    _agree(Failover(**{**words, "writes": Seen(**words["writes"]), "reads": Seen(**words["reads"])}))


def _agree(seen: Failover) -> None:
    """What the drill reported is what the observer saw, under a load that is worth the name."""
    assert seen.load_per_second > 1000, seen
    assert seen.observed > NODE_TIMEOUT / 2, seen
    for operation in (seen.writes, seen.reads):
        # Back within a second of the moment the new primary answers.
        assert operation.late < 1.0, seen
        assert operation.gap == pytest.approx(seen.observed, rel=0.2), seen
        assert operation.errors, seen
    assert seen.failed_over == [True, False, False], seen
    # Replication is asynchronous: what the engine lost is reported as lost, and nothing that it kept.
    assert seen.acknowledged, seen
    assert seen.lost == seen.gone, seen
    assert seen.left == 0, seen


def test_acknowledged_writes_that_are_gone_are_counted(engines: EngineSet, drill: Drill) -> None:
    drill.start()
    time.sleep(1)
    gone = sum(int(node.admin.delete(*node.admin.keys(f"{PREFIX}*")[:3])) for node in primaries(engines))
    report = drill.stop()
    assert gone == 9
    assert report.as_dict()["acknowledged_writes_lost"] == gone
    assert report.as_dict()["failover_seen"] is False
    drill.clean_up()
    assert [node.admin.keys(f"{PREFIX}*") for node in primaries(engines)] == [[], [], []]


def test_function_drills_within_its_time_and_leaves_nothing_behind(
    engines: EngineSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = f'{{"username": "drill", "password": "{PASSWORD}"}}'
    client = SimpleNamespace(get_secret_value=lambda **_arguments: {"SecretString": secret})
    monkeypatch.setattr("boto3.Session.client", lambda *_arguments, **_options: client)
    host, port = primaries(engines)[0].host, primaries(engines)[0].port
    variables = {
        env.SERVICE: "elasticache",
        env.STORE: "orders",
        env.HOST: host,
        env.PORT: str(port),
        env.TLS: "true",
        env.CLUSTER_MODE: "true",
        env.AUTHENTICATION: "password",
        env.USER: "drill",
        env.SECRET_ARN: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:drill",
        env.DRILL_SECONDS: "300",
        "AWS_REGION": "eu-west-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    started = time.monotonic()
    report = handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda: 61_000))
    assert time.monotonic() - started < 5
    assert report["acknowledged_writes"] > 3
    assert report["acknowledged_writes_lost"] == 0
    assert report["errors"] == {}
    line = capsys.readouterr().out
    assert line.startswith('{"cdk_redis_failover_drill":')
    assert PASSWORD not in line
    assert [node.admin.keys(f"{PREFIX}*") for node in primaries(engines)] == [[], [], []]
