"""`EngineSet`: engines start available, apply users and parameters, and end without leaving processes or files."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from cdk_redis_local import (
    OPEN_DEFAULT,
    AclUser,
    CertificateAuthority,
    EngineError,
    EngineNotFoundError,
    EngineSet,
    find_engine,
)
from cdk_redis_local._engines.members import wait_for_replicas
from tests.support.concurrency import wait_until

APP = AclUser(
    "app",
    "on ~app:* resetchannels -@all +@read +@write +@connection +cluster|slots +command",
    passwords=("a-password",),
)


@pytest.fixture(scope="module")
def group() -> Iterator[EngineSet]:
    with EngineSet(replicas=2, users=[APP], parameters={"maxmemory-policy": "allkeys-lfu", "no-such": "1"}) as engines:
        yield engines


@pytest.fixture(scope="module")
def cluster() -> Iterator[EngineSet]:
    with EngineSet(shards=3, replicas=1, cluster_mode=True, users=[APP]) as engines:
        yield engines


def test_a_set_without_cluster_mode_has_a_primary_and_replicas_in_sync(group: EngineSet) -> None:
    assert [node.role for node in group.nodes] == ["primary", "replica", "replica"]
    assert group.nodes[0].admin.info("replication")["connected_slaves"] == 2
    assert group.endpoint != group.reader_endpoint


def test_a_cluster_covers_all_slots_and_announces_host_names(cluster: EngineSet) -> None:
    slots = cluster.nodes[0].admin.execute_command("CLUSTER", "SLOTS")
    assert sum(last - first + 1 for first, last, *_ in slots) == 16384
    assert [len(members) for _, _, *members in slots] == [2, 2, 2]
    assert {host for _, _, *members in slots for host, *_ in members} == {"localhost"}


def test_a_cluster_client_reads_and_writes_every_shard_over_verified_tls(cluster: EngineSet) -> None:
    host, port = cluster.endpoint
    client = redis.RedisCluster(
        host=host, port=port, username="app", password="a-password", ssl=True, ssl_ca_certs=cluster.ca_file
    )
    assert all(client.set(f"app:{number}", number) for number in range(50))
    assert [client.get(f"app:{number}") for number in range(50)] == [str(number).encode() for number in range(50)]


@pytest.mark.parametrize(
    ("user", "password", "refusal"),
    [
        (None, None, "NOAUTH|Authentication required"),
        ("app", "another", "invalid username-password pair"),
        ("default", "", "invalid username-password pair"),
    ],
)
def test_a_client_without_valid_credentials_is_refused(
    group: EngineSet, user: str | None, password: str | None, refusal: str
) -> None:
    with pytest.raises(redis.AuthenticationError, match=refusal):
        group.nodes[0].client(user, password).ping()


def test_the_engine_enforces_the_access_string_of_a_user(group: EngineSet) -> None:
    client = group.nodes[0].client("app", "a-password")
    client.set("app:a", "1")
    for forbidden in (lambda: client.get("other:a"), lambda: client.execute_command("ACL", "WHOAMI")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            forbidden()


def test_users_can_be_added_changed_and_removed_while_the_engine_runs() -> None:
    with EngineSet(users=[APP]) as engines:
        node = engines.nodes[0]
        engines.set_user(AclUser("second", "on ~* +@all", passwords=("second-password",)))
        assert node.client("second", "second-password").ping()
        engines.set_user(AclUser("app", "on ~other:* +@all", passwords=("a-password",)))
        assert node.client("app", "a-password").set("other:a", "1")
        engines.set_users([APP])
        with pytest.raises(redis.AuthenticationError):
            node.client("second", "second-password").ping()
        with pytest.raises(EngineError, match="access string of user odd"):
            engines.set_user(AclUser("odd", "on +@no-such-category"))


def test_a_set_with_an_open_default_user_needs_no_sign_in() -> None:
    with EngineSet(users=[OPEN_DEFAULT], tls=False) as engines:
        assert engines.nodes[0].client().set("a", "b")


def test_known_parameters_are_applied_and_unknown_ones_are_reported(group: EngineSet) -> None:
    assert group.nodes[1].admin.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lfu"}
    assert group.ignored_parameters == {"no-such": "1"}


def test_a_parameter_with_an_invalid_value_is_an_error(cluster: EngineSet) -> None:
    with pytest.raises(EngineError, match="maxmemory-policy=sometimes"):
        cluster.set_parameters({"maxmemory-policy": "sometimes"})


def test_a_client_refuses_a_certificate_of_another_authority(tmp_path: Path, group: EngineSet) -> None:
    with EngineSet(users=[APP], authority=CertificateAuthority(tmp_path / "other")) as engines:
        host, port = engines.endpoint
        trusting_another = ssl.create_default_context(cafile=group.ca_file)
        with (
            socket.create_connection((host, port)) as connection,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            trusting_another.wrap_socket(connection, server_hostname=host)


def test_a_stopped_node_refuses_connections_and_a_frozen_node_hangs() -> None:
    with EngineSet(replicas=1, users=[APP]) as engines:
        engines.nodes[1].freeze()
        with socket.create_connection((engines.nodes[1].host, engines.nodes[1].port), timeout=2) as connection:
            connection.settimeout(0.2)
            connection.sendall(b"x")
            with pytest.raises(TimeoutError):
                connection.recv(1)
        engines.stop_node(1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((engines.nodes[1].host, engines.nodes[1].port), timeout=2)


def test_delete_slots_removes_the_slots_of_a_shard() -> None:
    with EngineSet(shards=3, cluster_mode=True, users=[APP]) as engines:
        assert engines.delete_slots(1) == 5462
        time.sleep(1.5)  # long enough for gossip to restore them
        for node in engines.nodes:
            assert "cluster_slots_assigned:10922" in node.admin.execute_command("CLUSTER", "INFO")


def test_shards_need_cluster_mode() -> None:
    with pytest.raises(EngineError, match="2 shards need cluster mode"):
        EngineSet(shards=2)


def test_the_error_of_a_missing_engine_is_one_line_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineNotFoundError, match="apt-get install redis-server") as caught:
        find_engine()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo 'Redis server v=6.2.14 sha=0'", "redis 6.2.14, but 7.0 or newer is needed"),
        ("case $1 in --version) echo 'Valkey server v=8.1.1 x';; *) echo \"Bad directive\" >&2;; esac", "without TLS"),
        ("echo nonsense", "prints no known version"),
    ],
)
def test_an_unusable_engine_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, complaint: str
) -> None:
    program = tmp_path / "valkey-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(EngineNotFoundError, match=complaint):
        find_engine()


def _lives(process: int) -> bool:
    # An orphan that is never reaped stays in /proc as a zombie, without memory and ports.
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_the_owner_leaves_no_process_port_or_file(number: signal.Signals, tmp_path: Path) -> None:
    program = (
        "import signal, time\nfrom cdk_redis_local import EngineSet\n"
        # A shell makes background jobs ignore Ctrl-C, and the tests may run as one.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with EngineSet(replicas=1) as engines:\n"
        "    print(engines.endpoint[1], *[node.process.pid for node in engines.nodes], flush=True)\n"
        "    time.sleep(60)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert owner.stdout is not None
    port, *processes = [int(word) for word in owner.stdout.readline().split()]
    assert list(tmp_path.iterdir())
    owner.send_signal(number)
    owner.communicate()
    wait_until(lambda: list(tmp_path.iterdir()) == [])
    assert not [process for process in processes if _lives(process)]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def test_resize_changes_shards_and_replicas_and_keeps_the_keys() -> None:
    with EngineSet(shards=3, replicas=0, cluster_mode=True, users=[APP]) as engines:
        host, port = engines.endpoint
        client = redis.RedisCluster(
            host=host, port=port, username="app", password="a-password", ssl=True, ssl_ca_certs=engines.ca_file
        )
        keys = {f"app:{number}": str(number).encode() for number in range(400)}
        for key, value in keys.items():
            client.set(key, value)
        assert engines.resize(shards=4, replicas=1) == []
        assert len(engines.nodes) == 8
        assert {key: client.get(key) for key in keys} == keys
        assert all(node.admin.dbsize() > 50 for node in engines.primaries)
        gone = engines.resize(shards=2, replicas=0)
        assert len(gone) == 6
        assert not any(node.running for node in gone)
        assert {key: client.get(key) for key in keys} == keys


def test_resize_changes_replicas_without_cluster_mode() -> None:
    with EngineSet(replicas=1, users=[APP], parameters={"maxmemory-policy": "noeviction"}) as engines:
        engines.resize(shards=1, replicas=2)
        assert [node.role for node in engines.nodes] == ["primary", "replica", "replica"]
        assert engines.nodes[2].admin.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        engines.resize(shards=1, replicas=0)
        assert [node.role for node in engines.nodes] == ["primary"]
        with pytest.raises(EngineError, match="2 shards need cluster mode"):
            engines.resize(shards=2, replicas=0)


def test_a_replica_that_is_still_a_primary_is_waited_for() -> None:
    # As a killed primary of a cluster, for a moment after its start.
    with EngineSet(replicas=1) as engines:
        (replica,) = engines.replica_nodes
        replica.admin.replicaof("NO", "ONE")
        host, port = engines.endpoint
        threading.Timer(0.3, lambda: replica.admin.replicaof(host, str(port))).start()
        wait_for_replicas(engines.nodes)
        assert replica.admin.info("replication")["master_link_status"] == "up"
