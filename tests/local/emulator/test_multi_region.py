"""Multi-Region clusters in the local cloud: every member accepts writes, and they reach all others."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import redis

from cdk_redis_local._engines.program import find_engines
from tests.local.support.clouds import Cloud, StackFailedError
from tests.local.support.resources import PASSWORD, connect_cluster
from tests.local.support.waiting import eventually

OTHER = "eu-west-1"
CHANGES = 100


@pytest.fixture(scope="module")
def other(cloud: Cloud) -> Cloud:
    """The same cloud in another Region."""
    return Cloud(cloud.local, OTHER)


# AWS has them with Valkey only.
PROGRAM = min(find_engines(), key=lambda program: program.name != "valkey")


def everywhere(shards: int = 1) -> dict[str, Any]:
    properties = {"MultiRegionClusterNameSuffix": "ledger", "NodeType": "db.r7g.xlarge", "NumShards": shards}
    engine = {"Engine": PROGRAM.name, "EngineVersion": PROGRAM.major_minor}
    return {"Everywhere": {"Type": "AWS::MemoryDB::MultiRegionCluster", "Properties": {**properties, **engine}}}


def member(name: Any) -> dict[str, Any]:
    mode = {"Type": "password", "Passwords": [PASSWORD]}
    user = {"UserName": "app", "AccessString": "on ~* &* +@all", "AuthenticationMode": mode}
    cluster = {
        "ClusterName": "ledger",
        "MultiRegionClusterName": name,
        "NodeType": "db.r7g.xlarge",
        "NumReplicasPerShard": 0,
        "ACLName": {"Ref": "Acl"},
    }
    return {
        "User": {"Type": "AWS::MemoryDB::User", "Properties": user},
        "Acl": {"Type": "AWS::MemoryDB::ACL", "Properties": {"ACLName": "acl", "UserNames": [{"Ref": "User"}]}},
        "Cluster": {"Type": "AWS::MemoryDB::Cluster", "Properties": cluster},
    }


OUTPUTS: dict[str, Any] = {"Port": {"Fn::GetAtt": ["Cluster", "ClusterEndpoint.Port"]}}


@pytest.fixture(scope="module")
def ports(cloud: Cloud, other: Cloud) -> dict[str, str]:
    """The ports of both members, and the name of the Multi-Region cluster. The first had a key before."""
    resources = {**everywhere(), **member({"Ref": "Everywhere"})}
    made = cloud.deploy("ledger", resources, {**OUTPUTS, "Name": {"Ref": "Everywhere"}})
    with connect_cluster(cloud, made["Port"]) as client:
        client.hset("before", mapping={"one": "1", "two": "2"})
    joined = other.deploy("ledger", member(made["Name"]), OUTPUTS)
    return {"first": made["Port"], "second": joined["Port"], "name": made["Name"]}


@pytest.fixture
def clients(cloud: Cloud, ports: dict[str, str]) -> list[redis.RedisCluster]:
    return [connect_cluster(cloud, ports[name]) for name in ("first", "second")]


def everything(client: redis.RedisCluster) -> list[Any]:
    found: list[Any] = [client.hgetall("hash"), client.smembers("set"), client.get("string")]
    return [*found, client.zrange("sorted", 0, -1, withscores=True), sorted(map(str, client.scan_iter(count=100)))]


def test_a_write_in_each_region_reaches_the_other(clients: list[redis.RedisCluster]) -> None:
    first, second = clients
    assert second.hgetall("before") == {"one": "1", "two": "2"}
    first.set("from-first", "1")
    second.set("from-second", "2")
    eventually(lambda: (second.get("from-first"), first.get("from-second")) == ("1", "2"))
    second.hincrby("before", "one", 9)
    first.hdel("before", "two")
    eventually(lambda: [client.hgetall("before") for client in clients] == [{"one": "10"}, {"one": "10"}])
    second.delete("from-first")
    eventually(lambda: first.get("from-first") is None)


def test_members_have_the_engine_of_the_multi_region_cluster(clients: list[redis.RedisCluster]) -> None:
    for client in clients:
        (node,) = client.get_primaries()
        info: Any = client.info("server", target_nodes=node)
        assert info.get("valkey_version" if PROGRAM.name == "valkey" else "redis_version") == PROGRAM.version


def test_concurrent_writes_of_both_regions_are_merged(clients: list[redis.RedisCluster]) -> None:
    def write(client: redis.RedisCluster, name: str) -> None:
        for number in range(CHANGES):
            client.hset("hash", f"{name}-{number}", number)
            client.sadd("set", f"{name}-{number}")
            client.zadd("sorted", {f"{name}-{number}": number + 0.1})
            client.set("string", f"{name}-{number}")

    writers = [threading.Thread(target=write, args=(client, name)) for client, name in zip(clients, "ab", strict=True)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    first, second = clients
    eventually(lambda: first.hlen("hash") == first.scard("set") == first.zcard("sorted") == 2 * CHANGES)
    eventually(lambda: everything(first) == everything(second))
    assert first.get("string") in (f"a-{CHANGES - 1}", f"b-{CHANGES - 1}")


def test_what_multi_region_clusters_do_not_support_is_refused(clients: list[redis.RedisCluster]) -> None:
    for command in [("EXPIRE", "string", "9"), ("RPUSH", "list", "1"), ("XADD", "stream", "*", "a", "1")]:
        with pytest.raises(redis.exceptions.NoPermissionError):
            clients[0].execute_command(*command)


def test_all_members_get_more_shards_and_keep_replicating(
    cloud: Cloud, ports: dict[str, str], clients: list[redis.RedisCluster]
) -> None:
    before = everything(clients[0])
    cloud.deploy("ledger", {**everywhere(shards=2), **member({"Ref": "Everywhere"})}, OUTPUTS)
    with connect_cluster(cloud, ports["first"]) as first, connect_cluster(cloud, ports["second"]) as second:
        assert [len(client.get_primaries()) for client in (first, second)] == [2, 2]
        eventually(lambda: everything(first) == everything(second) == before)
        for number in range(20):
            (first if number % 2 else second).set(f"scaled-{number}", number)
        eventually(lambda: all(client.get(f"scaled-{n}") == str(n) for client in (first, second) for n in range(20)))


def test_members_are_described_and_must_leave_first(cloud: Cloud, other: Cloud, ports: dict[str, str]) -> None:
    (found,) = cloud.client("memorydb").describe_multi_region_clusters(ShowClusterDetails=True)["MultiRegionClusters"]
    assert (found["MultiRegionClusterName"], found["Status"]) == (ports["name"], "available")
    assert found["ARN"] == f"arn:aws:memorydb::000000000000:multiregioncluster/{ports['name']}"
    assert [one["Region"] for one in found["Clusters"]] == [cloud.region, OTHER]
    with pytest.raises(StackFailedError, match="has a member in eu-west-1 already"):
        other.deploy("again", {**member(ports["name"]), "Cluster": second_of(ports["name"])})
    other.delete("ledger")
    with connect_cluster(cloud, ports["first"]) as client:
        assert client.set("alone", "1")
    cloud.delete("ledger")
    assert cloud.client("memorydb").describe_multi_region_clusters()["MultiRegionClusters"] == []


def second_of(name: str) -> dict[str, Any]:
    """Another member in the same Region."""
    cluster = member(name)["Cluster"]
    return {**cluster, "Properties": {**cluster["Properties"], "ClusterName": "again", "ACLName": "acl"}}
