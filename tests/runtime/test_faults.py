"""Each fault is found by the check that is there for it, said in words that lead to the cure, and within the budget."""

from __future__ import annotations

import functools
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_redis_local import OPEN_DEFAULT, CertificateAuthority, EngineSet

# What may heal is tried again for half of it: long enough for a busy machine, short enough for a test.
BUDGET = 5.0


@pytest.fixture
def battery(battery: Any) -> Any:
    return functools.partial(battery, budget=BUDGET)


def test_stopped_endpoint_is_a_refused_connection(broken_cluster: EngineSet, battery: Any) -> None:
    for index in range(len(broken_cluster.nodes)):
        broken_cluster.stop_node(index)
    verdicts = battery(broken_cluster, port=broken_cluster.nodes[0].port)
    assert verdicts.failed == {"tls"}
    assert "connection refused: no engine listens there; it is down" in verdicts["tls"]
    assert verdicts["topology"] == "needs what tls found missing; see there"
    assert verdicts.seconds < BUDGET


def test_stopped_node_is_named(broken_cluster: EngineSet, battery: Any) -> None:
    index, node = next((i, node) for i, node in enumerate(broken_cluster.nodes) if node in broken_cluster.primaries[1:])
    broken_cluster.stop_node(index)
    verdicts = battery(broken_cluster)
    assert {"tls", "topology", "write-read", "replica-read"} <= verdicts.failed
    assert verdicts.passed == {"auth", "anonymous-refused", "plaintext-refused", "acl-enforced"}
    assert f"{node.host}:{node.port}: connection refused" in verdicts["tls"]
    assert f"localhost:{node.port}: connection refused" in verdicts["topology"]
    assert verdicts.seconds < BUDGET


def test_stopped_replica_is_missed(broken_cluster: EngineSet, battery: Any) -> None:
    index = next(i for i, node in enumerate(broken_cluster.nodes) if node.started_as == "replica")
    port = broken_cluster.nodes[index].port
    broken_cluster.stop_node(index)
    verdicts = battery(broken_cluster)
    assert {"topology", "replica-read"} <= verdicts.failed
    assert "write-read" in verdicts.passed
    assert str(port) in verdicts["topology"] or "0 replicas in service, declared are 1" in verdicts["topology"]
    assert verdicts.seconds < BUDGET


def test_missing_slots_are_counted(broken_cluster: EngineSet, battery: Any) -> None:
    gone = broken_cluster.delete_slots(1)
    verdicts = battery(broken_cluster)
    assert "topology" in verdicts.failed
    assert f"{gone:,} of 16,384 slots are served by no shard (8192-16383)" in verdicts["topology"]
    assert verdicts.seconds < BUDGET


def test_certificate_of_another_authority_is_refused(cluster: EngineSet, battery: Any, tmp_path: Path) -> None:
    other = CertificateAuthority(tmp_path / "other")
    verdicts = battery(cluster, trust=str(other.ca_file))
    assert verdicts.failed == {"tls"}
    assert "CERTIFICATE_VERIFY_FAILED" in verdicts["tls"]
    assert "an authority that this machine does not trust" in verdicts["tls"]
    # Nobody signs in to a server that did not prove who it is.
    assert {"auth", "write-read"} <= verdicts.skipped
    assert verdicts.seconds < 1


def test_certificate_for_another_name_is_refused(
    cluster: EngineSet, battery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *args, **options: resolve("localhost", *args, **options))
    verdicts = battery(cluster, host="orders.cache.example.com")
    assert verdicts.failed == {"tls"}
    assert "the certificate is for another host name" in verdicts["tls"]
    assert "orders.cache.example.com" in verdicts["tls"]
    assert verdicts.seconds < 1


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"shards": 4}, "3 shards with slots, declared are 4"),
        ({"shards": 2}, "3 shards with slots, declared are 2"),
        ({"replicas": 2}, r"1 replica in service, declared are 2: a replica is down or still copying"),
        ({"engine_version": "6.2"}, r"runs \w+ \d+\.\d+\.\d+, declared is \w+ 6\.2"),
        ({"engine_version": "7.0.14.1"}, r"declared is \w+ 7\.0\.14\.1"),
        ({"engine": "keydb"}, r"runs \w+ \d+\.\d+\.\d+, declared is keydb"),
    ],
)
def test_cluster_other_than_declared_is_found(
    declared: dict[str, Any], reason: str, cluster: EngineSet, battery: Any
) -> None:
    verdicts = battery(cluster, **declared)
    assert verdicts.failed == {"topology"}
    assert re.search(reason, verdicts["topology"])
    assert verdicts.seconds < BUDGET


def test_replicas_other_than_declared_are_found_without_cluster_mode(single: EngineSet, battery: Any) -> None:
    verdicts = battery(single, replicas=2)
    assert verdicts.failed == {"topology"}
    assert "1 replica in sync, declared are 2" in verdicts["topology"]


def test_cluster_mode_that_is_off_is_found(single: EngineSet, battery: Any) -> None:
    verdicts = battery(single, cluster_mode=True, reader=None)
    assert "topology" in verdicts.failed
    assert "cluster support disabled" in verdicts["topology"]


def test_store_that_needs_no_sign_in_is_found(cluster: EngineSet, battery: Any, let: Any) -> None:
    cluster.set_users([*cluster.users, OPEN_DEFAULT])
    verdicts = battery(cluster)
    assert verdicts.failed == {"anonymous-refused"}
    assert "answers PING to a client that did not sign in: the user default is on" in verdicts["anonymous-refused"]


def test_plaintext_store_is_found_where_tls_is_declared(battery: Any, tmp_path: Path) -> None:
    with EngineSet(tls=False) as engines:
        verdicts = battery(engines, tls=True)
    assert verdicts.failed == {"tls", "plaintext-refused"}
    assert "encryption in transit is off" in verdicts["tls"]
    assert "answers commands without TLS" in verdicts["plaintext-refused"]
    assert verdicts.seconds < BUDGET


def test_wrong_password_is_found(cluster: EngineSet, battery: Any) -> None:
    verdicts = battery(cluster, password="not-the-password")
    assert verdicts.failed == {"auth"}
    assert "WRONGPASS" in verdicts["auth"]
    assert "check that the secret holds the password that user 'smoke' has now" in verdicts["auth"]
    assert {"tls", "anonymous-refused", "plaintext-refused"} == verdicts.passed


def test_user_without_a_prefix_is_found(cluster: EngineSet, battery: Any, let: Any) -> None:
    let(cluster, "on ~* resetchannels -@all +acl|whoami +cluster|slots +command +info +readonly +get +set +del")
    verdicts = battery(cluster)
    assert verdicts.failed == {"acl-enforced"}
    assert "is allowed to read a key outside its prefix, to write a key outside its prefix;" in verdicts["acl-enforced"]
    assert "~cdk-redis-smoke:*" in verdicts["acl-enforced"]
    assert [node.admin.dbsize() for node in cluster.primaries] == [0, 0, 0]


def test_user_with_too_many_commands_is_found(single: EngineSet, battery: Any, let: Any) -> None:
    let(single, "on ~cdk-redis-smoke:* &* +@all")
    verdicts = battery(single)
    assert verdicts.failed == {"acl-enforced"}
    assert (
        "is allowed the administrative command CLIENT LIST, the administrative command SLOWLOG"
        in (verdicts["acl-enforced"])
    )


def test_user_with_too_few_commands_is_told_which(cluster: EngineSet, battery: Any, let: Any) -> None:
    let(cluster, "on ~cdk-redis-smoke:* resetchannels -@all +acl|whoami +cluster|slots +command +info +readonly +get")
    verdicts = battery(cluster)
    assert {"write-read", "replica-read"} == verdicts.failed
    assert (
        "NOPERM: the user may not do this (this user has no permissions to run the 'set' command)"
        in (verdicts["write-read"])
    )


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


def test_server_that_never_answers_is_given_up(cluster: EngineSet, battery: Any, silent_port: int) -> None:
    verdicts = battery(cluster, port=silent_port)
    assert verdicts.failed == {"tls"}
    assert "accepted the connection and did not answer the TLS handshake" in verdicts["tls"]
    assert verdicts.passed == set()
    assert verdicts.seconds < BUDGET


def test_node_that_hangs_is_named(cluster: EngineSet, battery: Any) -> None:
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
    assert verdicts.seconds < BUDGET + 0.5


def test_name_that_does_not_resolve_is_found(cluster: EngineSet, battery: Any) -> None:
    verdicts = battery(cluster, host="orders.invalid", budget=2)
    assert verdicts.failed == {"tls"}
    assert "the host name does not resolve" in verdicts["tls"]


def test_prefix_with_a_hash_tag_is_refused(cluster: EngineSet, battery: Any, let: Any) -> None:
    let(cluster, "on ~{tag}:* resetchannels -@all +acl|whoami +cluster|slots +command +info +readonly +get +set +del")
    verdicts = battery(cluster, key_prefix="{tag}:")
    assert verdicts.failed == {"write-read", "replica-read"}
    assert "choose one without braces" in verdicts["write-read"]
