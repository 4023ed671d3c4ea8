"""Attributes of stores for other constructs: names of the service, ARNs, endpoints of nodes, log groups."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template

from cdk_redis import (
    ConfigurationError,
    LogDelivery,
    NetworkType,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    Snapshots,
)


def test_a_store_has_the_names_of_its_service(stack: cdk.Stack, network: RedisNetwork) -> None:
    store = ReplicationGroup(stack, "Store", network=network)
    cache = ServerlessCache(stack, "Cache", network=network)

    assert (store.replication_group_id, store.replication_group_arn) == (store.store_name, store.store_arn)
    assert (cache.serverless_cache_name, cache.serverless_cache_arn) == (cache.store_name, cache.store_arn)


def test_a_store_without_cluster_mode_has_an_endpoint_for_each_node(stack: cdk.Stack, network: RedisNetwork) -> None:
    store = ReplicationGroup(stack, "Store", network=network, replicas=2)

    endpoints = store.node_endpoints
    assert len(endpoints) == 3
    assert stack.resolve(endpoints[2].address) == {
        "Fn::Select": [2, {"Fn::GetAtt": [stack.get_logical_id(store.resource), "ReadEndPoint.AddressesList"]}]
    }
    assert stack.resolve(endpoints[2].port_text) == {
        "Fn::Select": [2, {"Fn::GetAtt": [stack.get_logical_id(store.resource), "ReadEndPoint.PortsList"]}]
    }


def test_node_endpoints_are_refused_in_cluster_mode(stack: cdk.Stack, network: RedisNetwork) -> None:
    store = ReplicationGroup(stack, "Store", network=network, shards=2)

    with pytest.raises(ConfigurationError, match="cluster mode is on; use `endpoint`"):
        _ = store.node_endpoints


def test_a_store_has_the_log_groups_that_it_sends_to(stack: cdk.Stack, network: RedisNetwork) -> None:
    given = logs.LogGroup(stack, "Given")
    store = ReplicationGroup(
        stack, "Store", network=network, log_delivery=[LogDelivery.slow_log(), LogDelivery.engine_log(log_group=given)]
    )
    logs.MetricFilter(
        stack,
        "Filter",
        log_group=store.log_groups["slow-log"],
        filter_pattern=logs.FilterPattern.all_events(),
        metric_namespace="Orders",
        metric_name="SlowCommands",
    )

    assert store.log_groups["engine-log"] is given
    created = stack.resolve(store.log_groups["slow-log"].log_group_name)
    Template.from_stack(stack).has_resource_properties("AWS::Logs::MetricFilter", {"LogGroupName": created})


def test_values_can_be_text(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(
        stack,
        "Store",
        network=network,
        engine="valkey:9.0",
        node_type=ec2.InstanceType.of(ec2.InstanceClass.R7G, ec2.InstanceSize.LARGE),
        shards=1,
        maintenance_window="sun:05:00-sun:06:00",
        snapshots=14,
        network_type="ipv4",
        ip_discovery="ipv4",
        restore="nightly",
        durability="sync",
        transit_encryption_mode="required",
    )

    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::ReplicationGroup",
        {
            "Engine": "valkey",
            "EngineVersion": "9.0",
            "CacheNodeType": "cache.r7g.large",
            "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
            "SnapshotRetentionLimit": 14,
            "IpDiscovery": "ipv4",
            "SnapshotName": "nightly",
            "Durability": "sync",
            "TransitEncryptionMode": "required",
        },
    )


def test_values_of_a_serverless_cache_can_be_text(stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Network", dual_stack=True)
    ServerlessCache(
        stack, "Cache", network=network, engine="redis:7", network_type="dual_stack", restore="arn:aws:s3:::b-1/o.rdb"
    )
    values = ServerlessCache(
        stack, "Other", network=network, network_type=NetworkType.DUAL_STACK, snapshots=Snapshots.daily(3)
    )

    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::ServerlessCache",
        {
            "Engine": "redis",
            "MajorEngineVersion": "7",
            "NetworkType": "dual_stack",
            "SnapshotArnsToRestore": ["arn:aws:s3:::b-1/o.rdb"],
        },
    )
    assert values.resource.snapshot_retention_limit == 3
