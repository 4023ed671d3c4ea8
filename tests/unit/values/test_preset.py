"""A preset stands in for parameters that a caller leaves out; an argument that is given wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match, Template

from cdk_redis import (
    ConfigurationError,
    Engine,
    LogDelivery,
    MemoryDbCluster,
    Preset,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    ShardPlacement,
    SmokeTest,
    assert_no_replacement,
)

GROUP, CLUSTER, SERVERLESS = (
    f"AWS::{name}" for name in ("ElastiCache::ReplicationGroup", "MemoryDB::Cluster", "ElastiCache::ServerlessCache")
)
STORES: dict[str, Any] = {GROUP: ReplicationGroup, CLUSTER: MemoryDbCluster, SERVERLESS: ServerlessCache}


def properties(stack: cdk.Stack, kind: str) -> dict[str, Any]:
    (resource,) = Template.from_stack(stack).find_resources(kind).values()
    return resource["Properties"]


def test_the_values_of_production_reach_each_store(stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Network", preset=Preset.prod())
    for store in STORES.values():
        store(stack, store.__name__, network=network, preset=Preset.prod())

    assert [properties(stack, kind)["SnapshotRetentionLimit"] for kind in STORES] == [15, 15, 15]
    group = properties(stack, GROUP)
    assert (group["ReplicasPerNodeGroup"], group["AutoMinorVersionUpgrade"]) == (2, True)
    assert properties(stack, CLUSTER)["NumReplicasPerShard"] == 2
    assert len(network.subnets) == 3


def test_an_argument_that_is_given_wins_and_so_does_an_override(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, preset=Preset.prod(replicas=3), snapshots=20)

    group = properties(stack, GROUP)
    assert (group["ReplicasPerNodeGroup"], group["SnapshotRetentionLimit"]) == (3, 20)


def test_the_preset_of_the_nearest_scope_applies_if_none_is_given(app: cdk.App) -> None:
    Preset.prod().use_in(app)
    stacks: list[cdk.Stack] = []
    for name, preset in (("App", None), ("Near", Preset.prod(snapshots=30)), ("Given", None)):
        stack = cdk.Stack(app, name)
        if preset is not None:
            preset.use_in(stack)
        own = Preset.prod(snapshots=33) if name == "Given" else None
        ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"), preset=own)
        stacks.append(stack)

    assert [properties(stack, GROUP)["SnapshotRetentionLimit"] for stack in stacks] == [15, 30, 33]


def test_without_a_preset_nothing_changes(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network)

    group = properties(stack, GROUP)
    assert (group["ReplicasPerNodeGroup"], group["SnapshotRetentionLimit"]) == (1, 7)
    Template.from_stack(stack).resource_count_is("AWS::KMS::Key", 0)


def test_one_key_of_the_stack_encrypts_secrets_and_log_groups(stack: cdk.Stack) -> None:
    Preset.prod().use_in(stack)
    network = RedisNetwork(stack, "Network")
    cache = ReplicationGroup(
        stack, "Cache", network=network, engine=Engine.redis("7.1"), log_delivery=[LogDelivery.slow_log()]
    )
    SmokeTest(stack, "SmokeTest", target=cache)

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::KMS::Key", 1)
    template.has_resource("AWS::KMS::Key", {"DeletionPolicy": "Retain", "Properties": {"EnableKeyRotation": True}})
    (key,) = template.find_resources("AWS::KMS::Key")
    reference = {"Fn::GetAtt": [key, "Arn"]}
    template.all_resources_properties("AWS::Logs::LogGroup", {"KmsKeyId": reference})
    template.all_resources_properties("AWS::SecretsManager::Secret", {"KmsKeyId": reference})
    template.has_resource_properties("AWS::Logs::LogGroup", {"RetentionInDays": 365, "LogGroupName": Match.absent()})


def test_values_that_a_given_parameter_excludes_are_left_out(stack: cdk.Stack, network: RedisNetwork) -> None:
    preset = Preset.prod(create_kms_key=True)
    vpc = ec2.Vpc(stack, "Vpc")
    of_vpc = RedisNetwork(stack, "OfVpc", vpc=vpc, preset=preset)
    log_group = logs.LogGroup(stack, "Logs")
    placed = ReplicationGroup(
        stack,
        "Cache",
        network=network,
        placement=[ShardPlacement("eu-west-1a", "eu-west-1b")],
        preset=preset,
    )
    SmokeTest(stack, "SmokeTest", target=placed, log_group=log_group, preset=preset)

    assert placed.topology.replicas == 1
    assert of_vpc.flow_log_group is None


@pytest.mark.parametrize("kind", STORES)
def test_adding_the_preset_of_production_replaces_no_store(kind: str, tmp_path: Path) -> None:
    files: list[Path] = []
    for preset in (None, Preset.prod(zones=2)):
        app = cdk.App(outdir=str(tmp_path / str(preset is None)))
        stack = cdk.Stack(app, "Stack")
        network = RedisNetwork(stack, "Network", preset=preset)
        STORES[kind](stack, "Store", network=network, preset=preset)
        files.append(Path(app.synth().directory) / "Stack.template.json")

    assert_no_replacement(*files)


@pytest.mark.parametrize("make", [Preset.dev, Preset.prod], ids=["dev", "prod"])
def test_an_unknown_value_and_a_wrong_type_are_refused(make: Callable[..., Preset]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(replica=2)
    assert str(caught.value) == (
        f"Preset.{make.__name__}: replica: a preset has no such value, but replicas, zones, snapshots, removal_policy, "
        "auto_minor_version_upgrade, log_retention, flow_log_retention, create_kms_key, stack_kms_key, alarms, "
        "alarm_topic, termination_protection; did you mean 'replicas'?"
    )
    with pytest.raises(ConfigurationError, match="replicas: got 'two', but it must be a whole number"):
        make(replicas="two")


def test_a_value_that_the_store_refuses_is_an_error_of_the_store(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="Stack/Cache: replicas: got 9, but a shard has 0 to 5 replicas"):
        ReplicationGroup(stack, "Cache", network=network, preset=Preset.prod(replicas=9))
