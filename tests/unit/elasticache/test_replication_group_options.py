"""Templates of rarely used parameters of replication groups."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    Authentication,
    Durability,
    Engine,
    IpDiscovery,
    NetworkType,
    RedisNetwork,
    ReplicationGroup,
    Restore,
    ShardPlacement,
    Snapshots,
    TransitEncryptionMode,
)
from tests.unit.elasticache.support.replication_groups import DURABLE, GROUP, network_in_zones, properties_of


@pytest.fixture
def network(stack: cdk.Stack) -> RedisNetwork:
    return network_in_zones(stack)


SET: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "durability": ({**DURABLE, "durability": Durability.SYNC}, {"Durability": "sync"}),
    "dual stack": (
        {"network_type": NetworkType.DUAL_STACK, "ip_discovery": IpDiscovery.IPV6},
        {"NetworkType": "dual_stack", "IpDiscovery": "ipv6"},
    ),
    "IPv4 is left out": ({}, {"NetworkType": Match.absent(), "IpDiscovery": Match.absent()}),
    "a snapshot": ({"restore": Restore.from_snapshot("old")}, {"SnapshotName": "old", "SnapshotArns": Match.absent()}),
    "files": (
        {"restore": Restore.from_s3("arn:aws:s3:::backups/old.rdb")},
        {
            "SnapshotArns": ["arn:aws:s3:::backups/old.rdb"],
            "NodeGroupConfiguration": Match.absent(),
            "ReplicasPerNodeGroup": 1,
        },
    ),
    "files in cluster mode have slots": (
        {"restore": Restore.from_s3("arn:aws:s3:::backups/old.rdb"), "shards": 3},
        {
            "NumNodeGroups": 3,
            "ReplicasPerNodeGroup": Match.absent(),
            "NodeGroupConfiguration": [
                {"NodeGroupId": "0001", "ReplicaCount": 1, "Slots": "0-5460"},
                {"NodeGroupId": "0002", "ReplicaCount": 1, "Slots": "5461-10921"},
                {"NodeGroupId": "0003", "ReplicaCount": 1, "Slots": "10922-16383"},
            ],
        },
    ),
    "placement": (
        {"placement": [ShardPlacement("eu-west-1a", "eu-west-1b")]},
        {
            "NumNodeGroups": 1,
            "ReplicasPerNodeGroup": Match.absent(),
            "PreferredCacheClusterAZs": Match.absent(),
            "NodeGroupConfiguration": [
                {
                    "NodeGroupId": "0001",
                    "PrimaryAvailabilityZone": "eu-west-1a",
                    "ReplicaAvailabilityZones": ["eu-west-1b"],
                    "ReplicaCount": 1,
                }
            ],
        },
    ),
    "placement without replicas": (
        {"replicas": 0, "placement": [ShardPlacement("eu-west-1c")]},
        {
            "NodeGroupConfiguration": [
                {"NodeGroupId": "0001", "PrimaryAvailabilityZone": "eu-west-1c", "ReplicaCount": 0}
            ]
        },
    ),
    "cluster mode off": ({}, {"ClusterMode": "disabled"}),
    "the first step to cluster mode": ({"cluster_mode_compatible": True}, {"ClusterMode": "compatible"}),
    "the second step to cluster mode": ({"shards": 1}, {"ClusterMode": "enabled"}),
    "an engine that cannot move to cluster mode": ({"engine": Engine.redis("6.2")}, {"ClusterMode": Match.absent()}),
    "the first step to TLS": (
        {"transit_encryption_mode": TransitEncryptionMode.PREFERRED, "unsafe_open_access": True},
        {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred", "UserGroupIds": Match.absent()},
    ),
    "the second step to TLS": (
        {"transit_encryption_mode": TransitEncryptionMode.REQUIRED},
        {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "required"},
    ),
    "plaintext": (
        {"unsafe_plaintext": True, "unsafe_open_access": True},
        {"TransitEncryptionEnabled": False, "UserGroupIds": Match.absent(), "AuthToken": Match.absent()},
    ),
    "an old engine without users": (
        {"engine": Engine.redis("5.0.6"), "authentication": Authentication.auth_token()},
        {"AuthToken": Match.any_value(), "UserGroupIds": Match.absent()},
    ),
}


@pytest.mark.parametrize(("given", "expected"), SET.values(), ids=SET.keys())
def test_a_parameter_reaches_the_template(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    ReplicationGroup(stack, "Cache", network=network, **given)

    Template.from_stack(stack).has_resource_properties(GROUP, expected)


def test_both_steps_to_cluster_mode_use_the_same_new_parameter_group(stack: cdk.Stack, network: RedisNetwork) -> None:
    steps = ({}, {"cluster_mode_compatible": True}, {"shards": 1})
    for number, step in enumerate(steps):
        ReplicationGroup(stack, f"Step{number}", network=network, **step)

    ids = list(Template.from_stack(stack).find_resources("AWS::ElastiCache::ParameterGroup"))
    assert [name.removeprefix(f"Step{number}")[:-8] for number, name in enumerate(ids)] == [
        "Parameters",
        "ClusterParameters",
        "ClusterParameters",
    ]


def test_a_created_key_is_rotated_and_retained(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, create_kms_key=True)

    assert cache.kms_key is not None
    Template.from_stack(stack).has_resource(
        "AWS::KMS::Key", {"Properties": {"EnableKeyRotation": True}, "DeletionPolicy": "Retain"}
    )
    assert properties_of(stack)["KmsKeyId"] == stack.resolve(cache.kms_key.key_arn)


def test_parameters_and_extra_parameters_reach_the_parameter_group(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(
        stack, "Cache", network=network, parameters={"timeout": "20"}, extra_parameters={"newer-than-this": "yes"}
    )

    group = properties_of(stack, "AWS::ElastiCache::ParameterGroup")
    assert group["Properties"] == {"timeout": "20", "newer-than-this": "yes"}
    (parameter_group,) = Template.from_stack(stack).find_resources("AWS::ElastiCache::ParameterGroup")
    assert properties_of(stack)["CacheParameterGroupName"] == {"Ref": parameter_group}


def test_a_topic_receives_notifications(stack: cdk.Stack, network: RedisNetwork) -> None:
    topic = sns.Topic(stack, "Topic")
    ReplicationGroup(stack, "Cache", network=network, notification_topic=topic)

    assert properties_of(stack)["NotificationTopicArn"] == stack.resolve(topic.topic_arn)


def test_snapshots_can_be_turned_off(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, snapshots=Snapshots.off())

    assert properties_of(stack)["SnapshotRetentionLimit"] == 0


def test_unsafe_parameters_cause_warnings(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, unsafe_plaintext=True, unsafe_open_access=True)

    warnings = [entry.entry.data for entry in Annotations.from_stack(stack).find_warning("*", Match.any_value())]
    assert warnings == [
        "unsafe_open_access: anyone on the network can read and write all data [ack: @cdk-redis:openAccess]",
        "unsafe_plaintext: anyone on the network can read all traffic [ack: @cdk-redis:plaintext]",
    ]


def test_the_default_port_of_connections_is_the_port_of_the_store(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, port=6380)
    cache.connections.allow_default_port_from(ec2.Peer.ipv4("10.0.0.0/24"))

    rules = [
        rule
        for group in Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroup").values()
        for rule in group["Properties"].get("SecurityGroupIngress", [])
    ]
    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in rules] == [("10.0.0.0/24", 6380, 6380)]
