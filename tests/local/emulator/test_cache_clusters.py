"""AWS::ElastiCache::CacheCluster is one real engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.support.clouds import Cloud, StackFailedError
from tests.local.support.resources import connect


def _resources(cloud: Cloud, policy: str, **more: Any) -> dict[str, Any]:
    name, version = cloud.engine["Engine"], cloud.engine["EngineVersion"]
    return {
        "Parameters": {
            "Type": "AWS::ElastiCache::ParameterGroup",
            "Properties": {
                "CacheParameterGroupFamily": f"{name}{version.split('.')[0]}",
                "Description": "Evicts",
                "Properties": {"maxmemory-policy": policy},
            },
        },
        "Cache": {
            "Type": "AWS::ElastiCache::CacheCluster",
            "Properties": {
                "ClusterName": "Alone",
                **cloud.engine,
                "CacheNodeType": "cache.t4g.micro",
                "NumCacheNodes": 1,
                "TransitEncryptionEnabled": True,
                "CacheParameterGroupName": {"Ref": "Parameters"},
                "Tags": [{"Key": "team", "Value": "search"}],
                **more,
            },
        },
    }


def test_a_cache_cluster_is_an_engine_that_changes_in_place(cloud: Cloud) -> None:
    outputs = {"Port": {"Fn::GetAtt": ["Cache", "RedisEndpoint.Port"]}, "Name": {"Ref": "Cache"}}
    made = cloud.deploy("alone", _resources(cloud, "allkeys-lru"), outputs)
    assert made["Name"] == "alone"
    with connect(cloud, made["Port"], "default", "") as client:
        client.set("kept", "yes")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        cloud.deploy("alone", _resources(cloud, "allkeys-lfu", SnapshotRetentionLimit=2), outputs)
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lfu"}
        assert client.get("kept") == "yes"

    elasticache = cloud.client("elasticache")
    asked = {"ShowCacheNodeInfo": True, "ShowCacheClustersNotInReplicationGroups": True}
    (cluster,) = elasticache.describe_cache_clusters(**asked)["CacheClusters"]
    assert (cluster["CacheClusterId"], cluster["CacheClusterStatus"]) == ("alone", "available")
    assert (cluster["SnapshotRetentionLimit"], "ReplicationGroupId" in cluster) == (2, False)
    with connect(cloud, cluster["CacheNodes"][0]["Endpoint"]["Port"], "default", "") as client:
        assert client.get("kept") == "yes"
    assert elasticache.describe_replication_groups()["ReplicationGroups"] == []
    events = elasticache.describe_events(SourceIdentifier="alone")["Events"]
    assert (events[-1]["Message"], events[-1]["SourceType"]) == ("Cache cluster created", "cache-cluster")
    tags = elasticache.list_tags_for_resource(ResourceName=cluster["ARN"])["TagList"]
    assert tags == [{"Key": "team", "Value": "search"}]
    cloud.delete("alone")
    assert elasticache.describe_cache_clusters()["CacheClusters"] == []


def test_memcached_is_refused(cloud: Cloud) -> None:
    properties = {"Engine": "memcached", "CacheNodeType": "cache.t4g.micro", "NumCacheNodes": 1}
    with pytest.raises(StackFailedError, match="the local cloud has no Memcached"):
        cloud.deploy("memcached", {"Cache": {"Type": "AWS::ElastiCache::CacheCluster", "Properties": properties}})
    cloud.delete("memcached")
