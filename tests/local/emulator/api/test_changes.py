"""The actions that change stores change their engines."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.support.clouds import Cloud
from tests.local.support.resources import connect, connect_cluster
from tests.local.support.stores_in_vpc import CLUSTER, GROUP, both_stores
from tests.support.concurrency import wait_until

_FAST = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module", autouse=True)
def stores(cloud: Cloud) -> None:
    cloud.deploy("stores", both_stores(cloud.engine, shards=1))


def _available_group(cloud: Cloud) -> Any:
    elasticache = cloud.client("elasticache")
    elasticache.get_waiter("replication_group_available").wait(ReplicationGroupId=GROUP, WaiterConfig=_FAST)
    return elasticache.describe_replication_groups(ReplicationGroupId=GROUP)["ReplicationGroups"][0]


def _cluster(cloud: Cloud) -> Any:
    return cloud.client("memorydb").describe_clusters(ClusterName=CLUSTER, ShowShardDetails=True)["Clusters"][0]


def test_groups_change_with_their_engines(cloud: Cloud) -> None:
    elasticache = cloud.client("elasticache")
    port = _available_group(cloud)["NodeGroups"][0]["PrimaryEndpoint"]["Port"]
    with connect(cloud, port) as client:
        client.set("kept", "yes")
        answer = elasticache.increase_replica_count(ReplicationGroupId=GROUP, NewReplicaCount=2, ApplyImmediately=True)
        assert answer["ReplicationGroup"]["Status"] == "modifying"
        assert len(_available_group(cloud)["MemberClusters"]) == 3
        assert client.info("replication")["connected_slaves"] == 2
        elasticache.decrease_replica_count(ReplicationGroupId=GROUP, NewReplicaCount=1, ApplyImmediately=True)
        assert len(_available_group(cloud)["MemberClusters"]) == 2
        elasticache.modify_replication_group(
            ReplicationGroupId=GROUP,
            ReplicationGroupDescription="Changed",
            CacheParameterGroupName=f"default.{cloud.engine['Engine']}{cloud.engine['EngineVersion'].split('.')[0]}",
            SnapshotRetentionLimit=9,
            ApplyImmediately=True,
        )
        group = _available_group(cloud)
        assert (group["Description"], group["SnapshotRetentionLimit"]) == ("Changed", 9)
        assert client.get("kept") == "yes"
    for change in ({"NodeGroupId": "0001"}, {"AuthToken": "a-token-of-sixteen", "EngineVersion": "9"}):
        with pytest.raises(ClientError, match="the local cloud does not support"):
            elasticache.modify_replication_group(ReplicationGroupId=GROUP, **change)
    with pytest.raises(ClientError, match="NewReplicaCount must be less than the number of replicas, which is 1"):
        elasticache.decrease_replica_count(ReplicationGroupId=GROUP, NewReplicaCount=2, ApplyImmediately=True)


def test_clusters_change_with_their_engines(cloud: Cloud) -> None:
    memorydb, before = cloud.client("memorydb"), _cluster(cloud)
    with connect_cluster(cloud, before["ClusterEndpoint"]["Port"], username="writer") as client:
        for number in range(50):
            client.set(f"key-{number}", number)
        change = {"ShardConfiguration": {"ShardCount": 2}, "ReplicaConfiguration": {"ReplicaCount": 0}}
        answer = memorydb.update_cluster(ClusterName=CLUSTER, Description="Changed", **change)["Cluster"]
        assert answer["Status"] == "updating"
        wait_until(lambda: _cluster(cloud)["Status"] == "available", 60)
        after = _cluster(cloud)
        assert (after["Description"], after["NumberOfShards"], after["AvailabilityMode"]) == ("Changed", 2, "singleaz")
        assert [shard["NumberOfNodes"] for shard in after["Shards"]] == [1, 1]
        assert [client.get(f"key-{number}") for number in range(50)] == [str(number) for number in range(50)]


def test_a_change_that_fails_is_taken_back_and_told(cloud: Cloud) -> None:
    before = _cluster(cloud)
    major, minor = cloud.engine["EngineVersion"].split(".")
    newer = f"{major}.{int(minor) + 1}"
    cloud.client("memorydb").update_cluster(ClusterName=CLUSTER, EngineVersion=newer, SnapshotRetentionLimit=4)
    assert cloud.has_said(f"Cluster {CLUSTER} was not changed: the template declares {cloud.engine['Engine']} {newer}")
    wait_until(lambda: _cluster(cloud)["Status"] == "available", 30)
    after = _cluster(cloud)
    assert (after["EngineVersion"], after["SnapshotRetentionLimit"]) == (
        before["EngineVersion"],
        before["SnapshotRetentionLimit"],
    )
    with connect_cluster(cloud, after["ClusterEndpoint"]["Port"], username="writer") as client:
        assert client.get("key-1") == "1"


def test_a_change_that_the_service_refuses_is_answered_with_its_error(cloud: Cloud) -> None:
    memorydb, elasticache = cloud.client("memorydb"), cloud.client("elasticache")
    with pytest.raises(memorydb.exceptions.ACLNotFoundFault, match="ACL nobody-knows-it not found"):
        memorydb.update_cluster(ClusterName=CLUSTER, ACLName="nobody-knows-it")
    with pytest.raises(elasticache.exceptions.CacheParameterGroupNotFoundFault, match="not found: theirs"):
        elasticache.modify_replication_group(ReplicationGroupId=GROUP, CacheParameterGroupName="theirs")
    with pytest.raises(elasticache.exceptions.InvalidParameterValueException, match="Retention limit must be between"):
        elasticache.modify_replication_group(ReplicationGroupId=GROUP, SnapshotRetentionLimit=99)
    assert (_cluster(cloud)["Status"], _available_group(cloud)["Status"]) == ("available", "available")
