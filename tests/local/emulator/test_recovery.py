"""Nodes that crash are replaced without a call: MemoryDB keeps its keys, and a lone node of ElastiCache loses them."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
import redis
from redis.exceptions import RedisClusterException, RedisError

from tests.local.support.clouds import Cloud
from tests.support.concurrency import wait_until

NOT_BACK = (RedisError, RedisClusterException, OSError)


def client_of(cloud: Cloud, port: str | int, kind: type[Any] = redis.Redis) -> Any:
    trusted = {"ssl": True, "ssl_ca_certs": cloud.local.environment["SSL_CERT_FILE"], "decode_responses": True}
    return kind(host="localhost", port=int(port), **trusted)


def process_of(client: redis.Redis) -> int:
    return int(client.info("server")["process_id"])


def test_a_memorydb_cluster_keeps_its_keys_when_all_of_its_nodes_crash_at_once(cloud: Cloud) -> None:
    properties = {"ClusterName": "ledger", "ACLName": "open-access", "NodeType": "db.t4g.small", **cloud.engine}
    resources = {"Cluster": {"Type": "AWS::MemoryDB::Cluster", "Properties": {**properties, "NumShards": 2}}}
    port = cloud.deploy("ledger", resources, {"Port": {"Fn::GetAtt": ["Cluster", "ClusterEndpoint.Port"]}})["Port"]
    client = client_of(cloud, port, redis.RedisCluster)
    keys = {f"key:{number}": str(number) for number in range(100)}
    client.mset_nonatomic(keys)
    nodes = [client_of(cloud, node.port) for node in client.get_nodes()]
    assert len(nodes) == 4
    processes = [process_of(node) for node in nodes]
    for process in processes:
        os.kill(process, signal.SIGKILL)

    def found() -> bool:
        fresh = client_of(cloud, port, redis.RedisCluster)
        return dict(zip(keys, fresh.mget_nonatomic(list(keys)), strict=True)) == keys

    wait_until(found, 30, ignore=NOT_BACK)
    assert cloud.has_said("ledger: the node ledger-0001-001 crashed and was started again; it is a primary again")
    for node in nodes:
        wait_until(lambda node=node: process_of(node) not in processes, ignore=NOT_BACK)
        assert node.info("persistence")["aof_enabled"] == 1
    cloud.delete("ledger")


@pytest.mark.parametrize(
    ("nodes", "kept", "told"),
    [(1, None, "it is a primary again"), (2, "1", "a replica took over")],
    ids=["no replica", "one replica"],
)
def test_a_group_keeps_its_keys_only_if_a_replica_takes_over(
    cloud: Cloud, nodes: int, kept: str | None, told: str
) -> None:
    name = f"cache-{nodes}"
    properties = {"ReplicationGroupId": name, "ReplicationGroupDescription": "a group", **cloud.engine}
    properties |= {"NumCacheClusters": nodes, "TransitEncryptionEnabled": True}
    resources = {"Group": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": properties}}
    port = cloud.deploy(name, resources, {"Port": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]}})["Port"]
    client = client_of(cloud, port)
    client.set("key", "1")
    assert client.wait(nodes - 1, 5000) == nodes - 1
    killed = process_of(client)
    os.kill(killed, signal.SIGKILL)
    assert cloud.has_said(f"{name}: the node {name}-001 crashed and was started again; {told}")
    # The primary endpoint leads to the new primary.
    fresh = client_of(cloud, port)
    assert fresh.get("key") == kept
    assert process_of(fresh) != killed
    assert fresh.info("replication")["connected_slaves"] == nodes - 1
    cloud.delete(name)


def test_a_rebooted_node_is_empty_and_a_cache_cluster_has_snapshots(cloud: Cloud) -> None:
    cluster = {"ClusterName": "alone", "CacheNodeType": "cache.t4g.small", "NumCacheNodes": 1, **cloud.engine}
    cluster["TransitEncryptionEnabled"] = True
    resources = {"Cluster": {"Type": "AWS::ElastiCache::CacheCluster", "Properties": cluster}}
    resources["Cluster"]["DeletionPolicy"] = "Snapshot"
    port = {"Port": {"Fn::GetAtt": ["Cluster", "RedisEndpoint.Port"]}}
    client = client_of(cloud, cloud.deploy("alone", resources, port)["Port"])
    client.set("key", "lost")
    killed, cache = process_of(client), cloud.client("elasticache")
    answer = cache.reboot_cache_cluster(CacheClusterId="alone", CacheNodeIdsToReboot=["0001"])
    assert answer["CacheCluster"]["CacheClusterStatus"] == "rebooting cache cluster nodes"
    wait_until(lambda: process_of(client) != killed, ignore=NOT_BACK)
    assert client.get("key") is None
    client.set("key", "kept")
    cloud.delete("alone")
    [final] = cache.describe_snapshots(CacheClusterId="alone")["Snapshots"]
    cluster |= {"SnapshotName": final["SnapshotName"], "ClusterName": "restored"}
    assert client_of(cloud, cloud.deploy("restored", resources, port)["Port"]).get("key") == "kept"
    cloud.delete("restored")
