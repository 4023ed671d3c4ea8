"""A store that is as it was declared passes every check, with no more rights than it needs, and keeps no trace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_redis_local import OPEN_DEFAULT, EngineSet
from cdk_redis_runtime import _environment as env

CHECKS = {
    "tls",
    "auth",
    "anonymous-refused",
    "plaintext-refused",
    "topology",
    "write-read",
    "replica-read",
    "acl-enforced",
}


def test_healthy_cluster_passes_every_check(cluster: EngineSet, battery: Any) -> None:
    verdicts = battery(cluster)
    assert verdicts.passed == CHECKS, verdicts.report
    assert verdicts.report.passed


def test_healthy_store_without_cluster_mode_passes_every_check(single: EngineSet, battery: Any) -> None:
    verdicts = battery(single)
    assert verdicts.passed == CHECKS, verdicts.report


def test_healthy_store_does_not_cry_wolf(cluster: EngineSet, battery: Any) -> None:
    assert all(battery(cluster).report.passed for _ in range(10))


def test_every_node_is_looked_at(cluster: EngineSet, battery: Any) -> None:
    observed = {check.name: check.outcome.observed for check in battery(cluster).report.checks}
    assert "6 of 6" in observed["tls"]
    assert "6 of 6" in observed["plaintext-refused"]
    assert "6 of 6" in observed["anonymous-refused"]
    assert observed["auth"] == "6 nodes of 6"
    assert observed["topology"].startswith("3 shards with 1/1/1 replicas, 16,384 slots, ")
    assert observed["write-read"] == "3 of 3 shards"
    assert observed["replica-read"] == "read from 3 replicas"
    assert observed["acl-enforced"] == "refused at 6 nodes"


def test_no_key_is_left(cluster: EngineSet, single: EngineSet, battery: Any) -> None:
    for engines in (cluster, single):
        battery(engines)
        assert [node.admin.dbsize() for node in engines.primaries] == [0] * len(engines.primaries)


def test_every_key_is_under_the_prefix_and_short_lived(cluster: EngineSet, battery: Any) -> None:
    commands: list[list[str]] = []
    with cluster.primaries[0].admin.monitor() as monitor:
        battery(cluster)
        cluster.primaries[0].admin.echo("the end")
        for entry in monitor.listen():
            words = entry["command"].split(" ")
            if words[0].upper() == "ECHO":
                break
            commands.append(words)
    keyed = [words for words in commands if words[0].upper() in ("SET", "GET", "DEL")]
    assert {words[0].upper() for words in keyed} == {"SET", "GET", "DEL"}
    assert all(words[1].startswith("cdk-redis-smoke:") for words in keyed)
    assert all(words[3:] == ["EX", "60"] for words in keyed if words[0].upper() == "SET")


@pytest.mark.parametrize("missing", [name for name in env.SMOKE_TEST_COMMANDS if name != "acl|whoami"])
def test_no_command_of_the_rule_set_is_superfluous(missing: str, cluster: EngineSet, battery: Any, let: Any) -> None:
    kept = [name for name in env.SMOKE_TEST_COMMANDS if name != missing]
    let(cluster, "on ~cdk-redis-smoke:* resetchannels -@all " + " ".join(f"+{name}" for name in kept))
    assert battery(cluster).failed


def test_nothing_but_the_probes_is_refused(cluster: EngineSet, battery: Any) -> None:
    for node in cluster.nodes:
        node.admin.acl_log_reset()
    battery(cluster)
    refused = {str(entry["object"]) for node in cluster.nodes for entry in node.admin.acl_log()}
    outside = {name for name in refused if name.startswith("xcdk-redis-smoke:")}
    assert outside
    assert refused - outside <= {"slowlog|len", "client|list"}


def test_user_that_may_not_ask_who_it_is_has_signed_in(cluster: EngineSet, battery: Any, let: Any) -> None:
    kept = [name for name in env.SMOKE_TEST_COMMANDS if name != "acl|whoami"]
    let(cluster, "on ~cdk-redis-smoke:* resetchannels -@all " + " ".join(f"+{name}" for name in kept))
    assert battery(cluster).passed == CHECKS


def test_store_without_replicas_skips_the_reading_from_them(battery: Any) -> None:
    with EngineSet(tls=False, users=[OPEN_DEFAULT]) as engines:
        verdicts = battery(engines, authentication="none", user=None)
    assert verdicts.passed == {"auth", "topology", "write-read"}, verdicts.report
    assert verdicts.report.passed
    assert verdicts["tls"] == "the store is declared without TLS"
    assert verdicts["anonymous-refused"] == "the store is declared without authentication"
    assert verdicts["replica-read"] == "the store is declared without replicas"


def test_password_is_in_no_text(cluster: EngineSet, battery: Any) -> None:
    for password in ("correct-horse-battery-staple", "not-the-password"):
        assert password not in json.dumps(battery(cluster, password=password).report.as_dict())
