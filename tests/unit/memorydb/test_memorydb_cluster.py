"""The template of a MemoryDB cluster."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    AccessString,
    Acl,
    Engine,
    IpDiscovery,
    MaintenanceWindow,
    MemoryDbCluster,
    MemoryDbParameterGroup,
    NetworkType,
    NodeType,
    RedisNetwork,
    Restore,
    Snapshots,
    SnapshotWindow,
)

CLUSTER = "AWS::MemoryDB::Cluster"


def properties_of(stack: cdk.Stack, resource_type: str = CLUSTER) -> dict[str, object]:
    (resource,) = Template.from_stack(stack).find_resources(resource_type).values()
    return resource["Properties"]


def test_the_defaults_are_secure_and_durable(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "Ledger", network=network)

    Template.from_stack(stack).has_resource(
        CLUSTER,
        {
            "Properties": Match.object_like(
                {
                    "Engine": "valkey",
                    "EngineVersion": "7.3",
                    "TLSEnabled": True,
                    "NumShards": 1,
                    "NumReplicasPerShard": 1,
                    "SnapshotRetentionLimit": 7,
                    "AutoMinorVersionUpgrade": True,
                    "ACLName": {"Ref": Match.string_like_regexp("Acl")},
                    "ParameterGroupName": {"Ref": Match.string_like_regexp("Parameters")},
                    "SubnetGroupName": {"Ref": Match.string_like_regexp("Subnets")},
                    "FinalSnapshotName": Match.any_value(),
                }
            ),
            # The resource type does not support DeletionPolicy Snapshot; a property has the name of the final snapshot.
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
        },
    )


@pytest.mark.parametrize(
    ("policy", "deletion"), [(cdk.RemovalPolicy.RETAIN, "Retain"), (cdk.RemovalPolicy.DESTROY, "Delete")]
)
def test_without_a_snapshot_policy_there_is_no_final_snapshot(
    stack: cdk.Stack, network: RedisNetwork, policy: cdk.RemovalPolicy, deletion: str
) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, removal_policy=policy)

    Template.from_stack(stack).has_resource(
        CLUSTER,
        {"DeletionPolicy": deletion, "Properties": Match.object_like({"FinalSnapshotName": Match.absent()})},
    )


def test_every_parameter_reaches_the_template(stack: cdk.Stack, network: RedisNetwork) -> None:
    key = kms.Key(stack, "Key")
    MemoryDbCluster(
        stack,
        "Ledger",
        network=network,
        engine=Engine.redis("7.1"),
        node_type="db.r6gd.xlarge",
        shards=3,
        replicas=2,
        port=6380,
        kms_key=key,
        parameters={"maxmemory-policy": "allkeys-lru"},
        snapshots=Snapshots.daily(retention_days=15, window=SnapshotWindow("03:00-04:00")),
        maintenance_window=MaintenanceWindow("sun:05:00-sun:06:00"),
        auto_minor_version_upgrade=False,
        cluster_name="ledger",
        description="Ledger",
    )

    Template.from_stack(stack).has_resource_properties(
        CLUSTER,
        {
            "ClusterName": "ledger",
            "Description": "Ledger",
            "Engine": "redis",
            "EngineVersion": "7.1",
            "NodeType": "db.r6gd.xlarge",
            "DataTiering": "true",
            "NumShards": 3,
            "NumReplicasPerShard": 2,
            "Port": 6380,
            "KmsKeyId": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]},
            "SnapshotRetentionLimit": 15,
            "SnapshotWindow": "03:00-04:00",
            "MaintenanceWindow": "sun:05:00-sun:06:00",
            "AutoMinorVersionUpgrade": False,
        },
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::MemoryDB::ParameterGroup",
        {"Family": "memorydb_redis7", "Parameters": {"maxmemory-policy": "allkeys-lru"}},
    )


def test_a_restore_reaches_the_template(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "One", network=network, cluster_name="one", restore=Restore.from_snapshot("before"))
    MemoryDbCluster(
        stack, "Two", network=network, cluster_name="two", restore=Restore.from_s3("arn:aws:s3:::backups/ledger.rdb")
    )

    template = Template.from_stack(stack)
    template.has_resource_properties(
        CLUSTER, {"ClusterName": "one", "SnapshotName": "before", "SnapshotArns": Match.absent()}
    )
    template.has_resource_properties(
        CLUSTER,
        {"ClusterName": "two", "SnapshotName": Match.absent(), "SnapshotArns": ["arn:aws:s3:::backups/ledger.rdb"]},
    )


def test_a_topic_reaches_the_template(stack: cdk.Stack, network: RedisNetwork) -> None:
    topic = sns.Topic(stack, "Topic")
    MemoryDbCluster(stack, "Ledger", network=network, notification_topic=topic)

    assert properties_of(stack)["SnsTopicArn"] == {"Ref": stack.get_logical_id(topic.node.default_child)}


def test_dual_stack_is_accepted_in_an_imported_vpc(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-1", "subnet-2"],
    )
    MemoryDbCluster(
        stack,
        "Ledger",
        network=RedisNetwork(stack, "Network", vpc=vpc),
        network_type=NetworkType.DUAL_STACK,
        ip_discovery=IpDiscovery.IPV6,
    )

    properties = properties_of(stack)
    assert (properties["NetworkType"], properties["IpDiscovery"]) == ("dual_stack", "ipv6")


def test_an_existing_acl_and_parameter_group_are_used(stack: cdk.Stack, network: RedisNetwork) -> None:
    acl = Acl(stack, "Acl")
    parameters = MemoryDbParameterGroup(stack, "Parameters", engine=Engine.valkey("7.3"))
    ledger = MemoryDbCluster(stack, "Ledger", network=network, acl=acl, parameter_group=parameters)

    properties = properties_of(stack)
    assert (ledger.acl, ledger.parameter_group) == (acl, parameters)
    assert properties["ACLName"] == {"Ref": stack.get_logical_id(acl.resource)}
    assert properties["ParameterGroupName"] == {"Ref": stack.get_logical_id(parameters.resource)}


def test_tags_reach_every_resource_of_the_cluster(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    ledger.add_iam_user("app", AccessString.read_only("*"))
    cdk.Tags.of(ledger).add("team", "ledger")

    for kind in ("Cluster", "ACL", "User", "ParameterGroup", "SubnetGroup"):
        assert {"Key": "team", "Value": "ledger"} in properties_of(stack, f"AWS::MemoryDB::{kind}")["Tags"]  # type: ignore[operator]


@pytest.mark.parametrize(("region", "warned"), [("eu-west-1", False), ("mx-central-1", True), (None, False)])
def test_a_region_that_aws_does_not_list_gets_a_warning(region: str | None, warned: bool) -> None:
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(region=region))
    MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network"))

    warnings = Annotations.from_stack(stack).find_warning(
        "/Stack/Ledger", Match.string_like_regexp("^AWS does not list mx-central-1 for MemoryDB, but us-east-2, ")
    )
    assert len(warnings) == (1 if warned else 0)


def test_snapshots_can_be_turned_off(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, snapshots=Snapshots.off())

    assert properties_of(stack)["SnapshotRetentionLimit"] == 0


@pytest.mark.parametrize(
    ("given", "properties"),
    [
        ({"engine": "redis:7.1"}, {"Engine": "redis", "EngineVersion": "7.1"}),
        ({"engine": Engine.valkey("7.2")}, {"Engine": "valkey", "EngineVersion": "7.2"}),
        ({"node_type": "db.r7g.large"}, {"NodeType": "db.r7g.large"}),
        ({"node_type": NodeType.from_text("r6gd.xlarge")}, {"NodeType": "db.r6gd.xlarge", "DataTiering": "true"}),
        ({"node_type": ec2.InstanceType("r6gd.xlarge")}, {"NodeType": "db.r6gd.xlarge", "DataTiering": "true"}),
        ({"snapshots": 14}, {"SnapshotRetentionLimit": 14}),
        ({"snapshots": "14"}, {"SnapshotRetentionLimit": 14}),
        ({"restore": "before"}, {"SnapshotName": "before"}),
        ({"restore": "arn:aws:s3:::backups/a.rdb"}, {"SnapshotArns": ["arn:aws:s3:::backups/a.rdb"]}),
        ({"maintenance_window": "sun:05:00-sun:06:00"}, {"MaintenanceWindow": "sun:05:00-sun:06:00"}),
        ({"network_type": "ipv4", "ip_discovery": "ipv4"}, {"IpDiscovery": "ipv4"}),
        ({"node_type": cdk.Token.as_string({"Ref": "NodeType"})}, {"NodeType": {"Ref": "NodeType"}}),
        (
            {"maintenance_window": cdk.Token.as_string({"Ref": "Window"}), "snapshots": 7},
            {"MaintenanceWindow": {"Ref": "Window"}},
        ),
    ],
)
def test_a_value_can_be_given_as_text(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, Any], properties: dict[str, object]
) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, **given)

    assert properties.items() <= properties_of(stack).items()


def test_a_key_can_be_created_for_the_cluster(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, create_kms_key=True)

    assert ledger.kms_key is not None
    assert properties_of(stack)["KmsKeyId"] == stack.resolve(ledger.kms_key.key_arn)
    Template.from_stack(stack).has_resource(
        "AWS::KMS::Key", {"DeletionPolicy": "Retain", "Properties": {"EnableKeyRotation": True}}
    )


def test_extra_parameters_are_added_to_the_parameters(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(
        stack, "Ledger", network=network, parameters={"timeout": "20"}, extra_parameters={"newer": "yes"}
    )

    assert ledger.parameters == {"timeout": "20", "newer": "yes"}
    assert properties_of(stack, "AWS::MemoryDB::ParameterGroup")["Parameters"] == ledger.parameters


def test_a_cluster_has_the_parameters_of_an_existing_parameter_group(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = MemoryDbParameterGroup(stack, "Parameters", parameters={"maxmemory-policy": "allkeys-lru"})

    ledger = MemoryDbCluster(stack, "Ledger", network=network, parameter_group=group)
    assert ledger.parameters == {"maxmemory-policy": "allkeys-lru"}


def test_cluster_name_and_cluster_arn_are_the_store_name_and_store_arn(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)

    assert (ledger.cluster_name, ledger.cluster_arn) == (ledger.store_name, ledger.store_arn)
    assert stack.resolve(ledger.cluster_name) == {"Ref": stack.get_logical_id(ledger.resource)}


def test_dual_stack_is_accepted_in_a_dual_stack_network(stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Network", dual_stack=True)
    MemoryDbCluster(stack, "Ledger", network=network, network_type="dual_stack", ip_discovery="ipv6")

    assert properties_of(stack)["NetworkType"] == "dual_stack"
