"""Global datastores in the local cloud: keys of the primary are read in another Region, and roles change for real."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.local.support.clouds import Cloud, StackFailedError
from tests.local.support.resources import connect, connect_cluster, elasticache_users
from tests.local.support.two_engines import needs_two_engines
from tests.local.support.waiting import eventually

OTHER = "eu-west-1"


@pytest.fixture(scope="module")
def other(cloud: Cloud) -> Cloud:
    """The same cloud in another Region."""
    return Cloud(cloud.local, OTHER)


def primary(cloud: Cloud, name: str, *, shards: int = 0, replicas: int = 1, **properties: Any) -> dict[str, Any]:
    """The resources of a primary with its global datastore, and its outputs."""
    group = {
        "ReplicationGroupId": name,
        "ReplicationGroupDescription": name,
        "TransitEncryptionEnabled": True,
        "AutomaticFailoverEnabled": replicas > 0,
        "CacheNodeType": "cache.r7g.large",
        "UserGroupIds": [{"Ref": "Users"}],
        "ReplicasPerNodeGroup": replicas,
        **({"ClusterMode": "enabled", "NumNodeGroups": shards} if shards else {}),
        **cloud.engine,
        **properties,
    }
    member = {"ReplicationGroupId": {"Ref": "Group"}, "ReplicationGroupRegion": cloud.region, "Role": "PRIMARY"}
    return {
        **elasticache_users(cloud.engine["Engine"], user=name),
        "Group": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": group},
        "Everywhere": {
            "Type": "AWS::ElastiCache::GlobalReplicationGroup",
            "Properties": {"GlobalReplicationGroupIdSuffix": name, "Members": [member]},
        },
    }


def secondary(cloud: Cloud, name: str, global_id: Any, replicas: int = 0) -> dict[str, Any]:
    group = {
        "ReplicationGroupId": f"{name}-copy",
        "ReplicationGroupDescription": name,
        "GlobalReplicationGroupId": global_id,
        "ReplicasPerNodeGroup": replicas,
        "UserGroupIds": [{"Ref": "Users"}],
    }
    return {
        **elasticache_users(cloud.engine["Engine"], user=name),
        "Group": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": group},
    }


def outputs(endpoint: str) -> dict[str, Any]:
    return {"Id": {"Ref": "Group"}, "Port": {"Fn::GetAtt": ["Group", f"{endpoint}.Port"]}}


def roles(cloud: Cloud, name: str) -> dict[str, str]:
    found = cloud.client("elasticache").describe_global_replication_groups(
        GlobalReplicationGroupId=name, ShowMemberInfo=True
    )
    (datastore,) = found["GlobalReplicationGroups"]
    assert datastore["ARN"] == f"arn:aws:elasticache::000000000000:globalreplicationgroup:{name}"
    return {member["ReplicationGroupRegion"]: member["Role"] for member in datastore["Members"]}


def test_a_secondary_without_cluster_mode_replicates_and_takes_over(cloud: Cloud, other: Cloud) -> None:
    resources = primary(cloud, "plain")
    parameters = {
        "CacheParameterGroupFamily": "redis7",
        "Description": "p",
        "Properties": {"maxmemory-policy": "noeviction"},
    }
    resources["Parameters"] = {"Type": "AWS::ElastiCache::ParameterGroup", "Properties": parameters}
    resources["Group"]["Properties"]["CacheParameterGroupName"] = {"Ref": "Parameters"}
    exported = {**outputs("PrimaryEndPoint"), "Global": {"Ref": "Everywhere"}}
    made = cloud.deploy("plain", resources, exported)
    first = connect(cloud, made["Port"], "plain")
    first.set("before", "1")
    # As the library's stacks do, the stack in the other Region reads the id from an output.
    global_id = {"Fn::GetStackOutput": {"StackName": "plain", "OutputName": "Global", "Region": cloud.region}}
    copy = other.deploy("plain", secondary(other, "plain", global_id, replicas=1), outputs("PrimaryEndPoint"))
    second = connect(cloud, copy["Port"], "plain")
    assert second.get("before") == "1"
    assert (second.info("replication")["role"], second.info("replication")["connected_slaves"]) == ("slave", 1)
    assert second.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    with pytest.raises(redis.exceptions.ReadOnlyError):
        second.set("refused", "1")
    first.set("after", "2")
    eventually(lambda: second.get("after") == "2")
    # The primary reports its own replica only, which a smoke test compares with the declared number.
    eventually(lambda: first.info("replication")["connected_slaves"] == 1)
    assert roles(cloud, made["Global"]) == {cloud.region: "PRIMARY", OTHER: "SECONDARY"}
    (described,) = other.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    assert described["GlobalReplicationGroupInfo"]["GlobalReplicationGroupMemberRole"] == "SECONDARY"

    # The other Region takes over, with a change in the template.
    members: list[Any] = resources["Everywhere"]["Properties"]["Members"]
    members[0]["Role"] = "SECONDARY"
    members.append({"ReplicationGroupId": copy["Id"], "ReplicationGroupRegion": OTHER, "Role": "PRIMARY"})
    cloud.deploy("plain", resources, exported)
    assert roles(cloud, made["Global"]) == {cloud.region: "SECONDARY", OTHER: "PRIMARY"}
    assert second.set("taken-over", "3")
    eventually(lambda: first.get("taken-over") == "3")
    assert (first.info("replication")["role"], second.info("replication")["role"]) == ("slave", "master")
    with pytest.raises(redis.exceptions.ReadOnlyError):
        first.set("refused", "1")

    # A node fails over within the new secondary, which follows the primary afterwards too.
    cloud.client("elasticache").test_failover(ReplicationGroupId="plain", NodeGroupId="0001")
    assert cloud.has_said("plain: shard 0001 failed over")
    second.set("failed-over", "4")
    eventually(lambda: first.get("failed-over") == "4")
    with pytest.raises(redis.exceptions.ReadOnlyError):
        first.set("refused", "1")

    # And back, with the API.
    cloud.client("elasticache").failover_global_replication_group(
        GlobalReplicationGroupId=made["Global"], PrimaryRegion=cloud.region, PrimaryReplicationGroupId="plain"
    )
    eventually(lambda: first.set("back", "5"))
    eventually(lambda: second.get("back") == "5")


def clients(cloud: Cloud, port: str) -> redis.RedisCluster:
    return connect_cluster(cloud, port, username="clustered")


@pytest.fixture(scope="module")
def clustered(cloud: Cloud, other: Cloud) -> dict[str, str]:
    """A global datastore in cluster mode; the ports of its members, and its id."""
    exported = {**outputs("ConfigurationEndPoint"), "Global": {"Ref": "Everywhere"}}
    made = cloud.deploy("clustered", primary(cloud, "clustered", shards=2, replicas=0), exported)
    with clients(cloud, made["Port"]) as client:
        for number in range(100):
            client.set(f"key-{number}", number)
    copy = other.deploy("clustered", secondary(other, "clustered", made["Global"]), outputs("ConfigurationEndPoint"))
    return {"first": made["Port"], "second": copy["Port"], "id": made["Global"]}


def test_a_secondary_in_cluster_mode_replicates_each_shard(cloud: Cloud, clustered: dict[str, str]) -> None:
    with clients(cloud, clustered["first"]) as first, clients(cloud, clustered["second"]) as second:
        ports = {node.port for node in second.get_primaries()}
        assert len(ports) == 2
        assert not ports & {node.port for node in first.get_primaries()}
        assert [second.get(f"key-{number}") for number in range(100)] == [str(number) for number in range(100)]
        first.set("expires", "soon", ex=100)
        first.delete("key-1")
        first.eval("return redis.call('rpush', KEYS[1], 'a', 'b')", 1, "list")
        eventually(lambda: (second.get("key-1"), second.lrange("list", 0, -1)) == (None, ["a", "b"]))
        assert 90 < second.ttl("expires") <= 100
        for command in [("SET", "key-2", "refused"), ("EVAL", "return redis.call('del', KEYS[1])", "1", "key-2")]:
            with pytest.raises(redis.exceptions.ResponseError, match=r"no permissions|can't run this command"):
                second.execute_command(*command)
        assert second.get("key-2") == "2"


@needs_two_engines
def test_shards_parameters_and_engine_of_a_global_datastore_change_in_all_members(
    cloud: Cloud, clustered: dict[str, str]
) -> None:
    resources = primary(cloud, "clustered", shards=2, replicas=0)
    resources["Parameters"] = {
        "Type": "AWS::ElastiCache::ParameterGroup",
        "Properties": {
            "CacheParameterGroupFamily": "redis7",
            "Description": "p",
            "Properties": {"maxmemory-policy": "noeviction"},
        },
    }
    everywhere = resources["Everywhere"]["Properties"]
    everywhere |= {"GlobalNodeGroupCount": 3, "CacheParameterGroupName": {"Ref": "Parameters"}}
    exported = {**outputs("ConfigurationEndPoint"), "Global": {"Ref": "Everywhere"}}
    cloud.deploy("clustered", resources, exported)
    assert_members(cloud, clustered, "redis_version")
    everywhere |= {"Engine": "valkey", "EngineVersion": "9.1"}
    cloud.deploy("clustered", resources, exported)
    assert_members(cloud, clustered, "valkey_version")


def assert_members(cloud: Cloud, clustered: dict[str, str], version: str) -> None:
    """Both members have three shards, the parameter, this engine and all keys, and still replicate."""
    with clients(cloud, clustered["first"]) as first, clients(cloud, clustered["second"]) as second:
        first.set("changed", version)
        eventually(lambda: second.get("changed") == version)
        for client in (first, second):
            nodes = client.get_primaries()
            assert len(nodes) == 3
            assert version in client.info("server", target_nodes=nodes[0])
            policy = client.config_get("maxmemory-policy", target_nodes=nodes[0])
            assert policy == {"maxmemory-policy": "noeviction"}
            numbers = range(2, 100)
            assert [client.get(f"key-{number}") for number in numbers] == list(map(str, numbers))


def test_members_in_cluster_mode_change_roles_and_leave(cloud: Cloud, other: Cloud, clustered: dict[str, str]) -> None:
    cache = cloud.client("elasticache")
    with clients(cloud, clustered["first"]) as first, clients(cloud, clustered["second"]) as second:
        cache.failover_global_replication_group(
            GlobalReplicationGroupId=clustered["id"], PrimaryRegion=OTHER, PrimaryReplicationGroupId="clustered-copy"
        )
        eventually(lambda: second.set("now-here", "1"))
        eventually(lambda: first.get("now-here") == "1")
        with pytest.raises(redis.exceptions.NoPermissionError):
            first.set("refused", "1")
        cache.disassociate_global_replication_group(
            GlobalReplicationGroupId=clustered["id"],
            ReplicationGroupId="clustered",
            ReplicationGroupRegion=cloud.region,
        )
        assert roles(cloud, clustered["id"]) == {OTHER: "PRIMARY"}
        first.set("own", "1")
        assert (first.get("own"), second.get("own")) == ("1", None)


def test_a_global_datastore_is_created_with_one_member_that_exists(cloud: Cloud) -> None:
    resources = primary(cloud, "wrong", replicas=0)
    members: list[Any] = resources["Everywhere"]["Properties"]["Members"]
    members.append({"ReplicationGroupId": "unknown", "ReplicationGroupRegion": OTHER, "Role": "SECONDARY"})
    with pytest.raises(StackFailedError, match="GlobalReplicationGroup cannot be created with multiple members"):
        cloud.deploy("wrong", resources)
    error = cloud.client("elasticache").exceptions.GlobalReplicationGroupNotFoundFault
    with pytest.raises(error, match="not found"):
        cloud.client("elasticache").describe_global_replication_groups(GlobalReplicationGroupId="abcde-none")
