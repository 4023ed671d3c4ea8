"""The drill during failovers under load, compared with an observer that asks the engines directly."""

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
from cdk_redis_runtime._client.timeouts import ANSWER_SECONDS
from cdk_redis_runtime._smoke_test.drill import Drill
from cdk_redis_runtime._smoke_test.drill_report import Attempt, outage_of
from cdk_redis_runtime.drill_lambda import handler
from tests.runtime.support.environment import bound_environment
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
        # An error makes the whole gap between two answers a failure.
        ([*_answered(0.1), Attempt(0.2, 0.25, "TimeoutError"), *_answered(0.4, 0.8)], 0.3, 0.4, True),
        # A single slow answer is a failure, too.
        ([*_answered(0.1), Attempt(0.2, 0.8), *_answered(0.9)], 0.7, 0.7, True),
        # The store did not recover.
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
    """One cluster for all tests: a killed primary leaves its shard with one node."""
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=USERS, node_timeout=NODE_TIMEOUT) as engines:
        yield engines


@pytest.fixture(autouse=True)
def _trust(engines: EngineSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)


@pytest.fixture
def drill(engines: EngineSet) -> Drill:
    return drill_of(engines, primaries(engines)[0])


def test_outage_of_a_killed_primary_matches_the_observer(engines: EngineSet) -> None:
    standby = engines.replica_nodes[0]

    def kill(victim: Node) -> None:
        # The replica is disconnected first, so it misses writes that are acknowledged from then on.
        standby.admin.config_set("masterauth", "wrong")
        victim.admin.client_kill_filter(_type="replica")
        time.sleep(0.5)
        victim.stop()

    seen = fail_over(engines, engines.primaries[0], kill)
    _agree(seen)
    assert seen.lost


def test_outage_of_a_frozen_primary_matches_the_observer(engines: EngineSet) -> None:
    victim = engines.primaries[1]
    try:
        seen = fail_over(engines, victim, Node.freeze)
    finally:
        victim.resume()
    _agree(seen)


def test_outage_of_an_unreachable_primary_matches_the_observer(repository: Path) -> None:
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
    """Assert that the drill and the observer agree, under real load."""
    assert seen.load_per_second > 1000, seen
    assert seen.observed > NODE_TIMEOUT / 2, seen
    # Clients recover within a second after the new primary answers. In the worst case they have just begun to wait for
    # the old one, and then connect to a node that knows the new one, and to that. On a busy machine this takes longer:
    # how long was measured at the same time, with plain redis-py.
    longest = max(1.0, ANSWER_SECONDS + 3 * seen.handshake)
    for operation in (seen.writes, seen.reads):
        assert operation.late < longest, seen
        assert operation.gap == pytest.approx(seen.observed, rel=0.2), seen
        assert operation.errors, seen
    assert seen.failed_over == [True, False, False], seen
    # Replication is asynchronous: the writes that the engine lost are reported as lost, and no others.
    assert seen.acknowledged, seen
    assert seen.lost == seen.gone, seen
    assert seen.left == 0, seen


def test_lost_acknowledged_writes_are_counted(engines: EngineSet, drill: Drill) -> None:
    drill.start()
    time.sleep(1)
    gone = sum(int(node.admin.delete(*node.admin.keys(f"{PREFIX}*")[:3])) for node in primaries(engines))
    report = drill.stop()
    assert gone == 9
    assert report.as_dict()["acknowledged_writes_lost"] == gone
    assert report.as_dict()["failover_seen"] is False
    drill.clean_up()
    assert [node.admin.keys(f"{PREFIX}*") for node in primaries(engines)] == [[], [], []]


def test_function_ends_in_time_and_leaves_no_key(
    engines: EngineSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = f'{{"username": "drill", "password": "{PASSWORD}"}}'
    client = SimpleNamespace(get_secret_value=lambda **_arguments: {"SecretString": secret})
    monkeypatch.setattr("botocore.session.Session.create_client", lambda *_arguments, **_options: client)
    # The node that the endpoint leads to may be stopped by another test.
    primary = primaries(engines)[0]
    bound = bound_environment(engines, "drill", HOST=primary.host, PORT=str(primary.port), DRILL_SECONDS="300")
    for name, value in bound.items():
        monkeypatch.setenv(name, value)
    started = time.monotonic()
    # One minute is reserved for the end. On a busy machine, connecting all six clients takes a second.
    report = handler({"execution": "the-execution"}, SimpleNamespace(get_remaining_time_in_millis=lambda: 63_000))
    assert time.monotonic() - started < 10
    assert report["acknowledged_writes"] > 3
    assert report["acknowledged_writes_lost"] == 0
    assert report["errors"] == {}
    printed = capsys.readouterr().out
    assert PASSWORD not in printed
    *progress, last = [json.loads(line) for line in printed.splitlines()]
    assert last == {"cdk_redis_failover_drill": report}
    seconds = [line["cdk_redis_drill_progress"] for line in progress]
    assert [second["second"] for second in seconds] == [1, 2, 3]
    # Each shard answers in each second; only the first line has the slots.
    slots = ["0-5460", "5461-10922", "10923-16383"]
    assert [second.get("slots") for second in seconds] == [slots, None, None]
    assert [shard["slots"] for shard in report["shards"]] == slots
    assert all(len(second[kind]) == 3 for second in seconds for kind in ("writes", "reads", "silent"))
    assert sum(sum(second["writes"]) for second in seconds) <= report["acknowledged_writes"]
    assert seconds[-1]["execution"] == "the-execution"
    assert [node.admin.keys(f"{PREFIX}*") for node in primaries(engines)] == [[], [], []]
