"""The events of stores arrive in the topics that their templates name."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._emulator.observe.events import Event
from cdk_redis_local._emulator.observe.notifications import messages
from tests.local.support.clouds import Cloud
from tests.local.support.topics import TOPIC_AND_QUEUE, next_messages


def test_the_topic_of_a_replication_group_hears_of_its_failover(cloud: Cloud) -> None:
    group: dict[str, Any] = {
        "Type": "AWS::ElastiCache::ReplicationGroup",
        "DependsOn": "Subscription",
        "Properties": {
            "ReplicationGroupId": "app",
            "ReplicationGroupDescription": "cache",
            "CacheNodeType": "cache.t4g.small",
            "NumCacheClusters": 2,
            "TransitEncryptionEnabled": True,
            "NotificationTopicArn": {"Ref": "Topic"},
            **cloud.engine,
        },
    }
    outputs = cloud.deploy("notified", {**TOPIC_AND_QUEUE, "Group": group}, {"Queue": {"Ref": "Queue"}})
    assert next_messages(cloud, outputs["Queue"], 3) == [
        {"ElastiCache:CacheClusterProvisioningComplete": "app-001"},
        {"ElastiCache:CacheClusterProvisioningComplete": "app-002"},
        {"ElastiCache:CreateReplicationGroupComplete": "app"},
    ]
    cloud.client("elasticache").test_failover(ReplicationGroupId="app", NodeGroupId="0001")
    assert next_messages(cloud, outputs["Queue"], 3) == [
        {"ElastiCache:FailoverComplete": "app"},
        {"ElastiCache:CacheNodeReplaceStarted": "app-001"},
        {"ElastiCache:CacheNodeReplaceComplete": "app-001"},
    ]
    silent = {
        **group,
        "Properties": {**group["Properties"], "NotificationTopicArn": "arn:aws:sns:us-east-1:000000000000:no"},
    }
    cloud.deploy("notified", {**TOPIC_AND_QUEUE, "Group": silent})
    cloud.delete("notified")
    assert cloud.has_said(
        "app: its events are not published: the topic arn:aws:sns:us-east-1:000000000000:no does not exist"
    )


def test_memorydb_has_names_of_its_own() -> None:
    done = Event("failover-complete", nodes=("app-0001-001", "app-0001-002"), shard="0001")
    assert list(messages("memorydb", "app", done)) == [{"MemoryDB:FailoverComplete": "app"}]
    assert list(messages("memorydb", "app", Event("created", nodes=("app-0001-001",)))) == [
        {"MemoryDB:ClusterProvisioningComplete": "app"}
    ]
    assert list(messages("memorydb", "app", Event("failover-started", shard="0001"))) == []
