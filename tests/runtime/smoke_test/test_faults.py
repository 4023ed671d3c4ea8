"""Faults outside the fault matrix: the same faults in other forms, and wrong declarations."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import pytest
from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis_local import EngineSet
from cdk_redis_local._engines.node import wait_until
from cdk_redis_runtime import smoke_test
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, Problem, failed
from cdk_redis_runtime._smoke_test.checks.data import TTL_SECONDS
from cdk_redis_runtime._smoke_test.report import Outcome
from tests.runtime.support.battery import COMMANDS, PASSWORD, Battery, Verdicts, connection_to, declared_for
from tests.runtime.support.fault_proxy import FaultProxy

# Long enough for a busy machine, short enough for a test.
BUDGET = 3.0
Run = Callable[..., Verdicts]
NO_TTL = -1


@pytest.fixture
def battery(battery: Battery) -> Run:
    return functools.partial(battery, budget=BUDGET)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"shards": 4}, r"3 shards with slots \(declared: 4\)"),
        ({"shards": 2}, r"3 shards with slots \(declared: 2\)"),
        ({"replicas": 2}, r"1 replica in service \(declared: 2\): a replica is down or still copying data"),
        ({"engine_version": "6.2"}, r"runs \w+ \d+\.\d+\.\d+ \(declared: \w+ 6\.2\)"),
        ({"engine_version": "7.0.14.1"}, r"\(declared: \w+ 7\.0\.14\.1\)"),
        ({"engine": "keydb"}, r"runs \w+ \d+\.\d+\.\d+ \(declared: keydb"),
    ],
)
def test_cluster_other_than_declared_is_found(
    declared: dict[str, Any], reason: str, cluster: EngineSet, battery: Run
) -> None:
    verdicts = battery(cluster, **declared)
    assert verdicts.failed == {"topology"}
    assert re.search(reason, verdicts["topology"])


def test_replicas_other_than_declared_are_found_without_cluster_mode(single: EngineSet, battery: Run) -> None:
    verdicts = battery(single, replicas=2)
    assert verdicts.failed == {"topology"}
    assert "1 replica in sync (declared: 2)" in verdicts["topology"]


def test_missing_cluster_mode_is_found(single: EngineSet, battery: Run) -> None:
    verdicts = battery(single, cluster_mode=True, reader=None)
    assert "topology" in verdicts.failed
    assert "cluster support disabled" in verdicts["topology"]


def test_user_without_a_prefix_is_found(cluster: EngineSet, battery: Run, let: Any) -> None:
    let(cluster, "on ~* resetchannels &cdk-redis-smoke:* -@all " + COMMANDS)
    verdicts = battery(cluster)
    assert verdicts.failed == {"acl-enforced"}
    assert "can read a key outside its prefix, write a key outside its prefix;" in verdicts["acl-enforced"]
    assert "~cdk-redis-smoke:*" in verdicts["acl-enforced"]


def test_missing_command_is_reported(cluster: EngineSet, battery: Run, let: Any) -> None:
    let(
        cluster,
        "on ~cdk-redis-smoke:* resetchannels -@all +acl|whoami +cluster|slots +command +info +readonly +get +set +del",
    )
    verdicts = battery(cluster)
    assert {"write-read", "replica-read", "latency", "topology"} <= verdicts.passed
    assert verdicts.failed == {"durability", "data-types", "transaction", "pubsub"}
    assert "NOPERM: the user lacks a permission" in verdicts["durability"]
    assert "'wait' command" in verdicts["durability"]


def test_node_that_hangs_is_reported(cluster: EngineSet, battery: Run) -> None:
    node = cluster.replica_nodes[2]
    node.freeze()
    try:
        verdicts = battery(cluster)
    finally:
        node.resume()
    assert {"tls", "topology", "replica-read"} <= verdicts.failed
    assert {"auth", "anonymous-refused", "write-read", "acl-enforced"} <= verdicts.passed
    for name in ("tls", "topology", "replica-read"):
        assert str(node.port) in verdicts[name]


def test_keys_of_unfinished_checks_expire_or_are_deleted(single: EngineSet, battery: Run) -> None:
    [primary] = single.primaries
    # Too slow for every check to end, fast enough for all to begin.
    with FaultProxy(primary.port, up_delay=0.2) as proxy:
        verdicts = battery(single, port=proxy.port)
        assert "transaction" in verdicts.failed
        for key in primary.admin.scan_iter():
            # The key may have expired.
            assert primary.admin.ttl(key) != NO_TTL
            assert primary.admin.ttl(key) <= TTL_SECONDS
        # While the process runs, unfinished checks delete their keys, usually within a second. On a busy machine this
        # can time out, too, and the keys expire.
        wait_until(lambda: primary.admin.dbsize() == 0, "the deletion of all keys", seconds=TTL_SECONDS + 10)


def test_prefix_with_a_hash_tag_is_rejected(cluster: EngineSet, battery: Run, let: Any) -> None:
    let(cluster, "on ~{tag}:* resetchannels &cdk-redis-smoke:* -@all " + COMMANDS)
    verdicts = battery(cluster, key_prefix="{tag}:")
    assert verdicts.failed >= {"write-read", "replica-read", "data-types", "latency"}
    assert "choose a prefix without braces" in verdicts["write-read"]


def test_check_reports_its_number_of_tries(cluster: EngineSet, battery: Run) -> None:
    verdicts = battery(cluster, host="localhost", port=1)
    assert re.search(r"connection refused.* \(after \d+ tries\)$", verdicts["tls"])
    (observed,) = [check.outcome.observed for check in verdicts.report.checks if check.name == "dns"]
    assert observed == "1 name, 1 IP addresses in all"


def test_a_finding_is_kept_if_the_last_try_does_not_finish(single: EngineSet) -> None:
    tries: list[int] = []

    def find_then_run_out_of_time(context: Context) -> Outcome:
        tries.append(context.number)
        first = Problem("node: the key is gone right after it was written", heals=True)
        return failed(first if len(tries) < 3 else context.problem("node", None), "the value")

    check = Check("fading", "the value is there", find_then_run_out_of_time)
    credentials = UsernamePasswordCredentialProvider("smoke", PASSWORD)
    report = smoke_test(connection_to(single), declared_for(single), credentials=credentials, checks=[check])

    assert len(tries) == 3
    assert report.checks[0].outcome.reason == "node: the key is gone right after it was written (after 2 tries)"
