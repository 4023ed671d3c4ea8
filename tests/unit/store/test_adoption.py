"""Stores that exist: their names, their warnings, and the number of their nodes."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    ElastiCacheSubnetGroup,
    ExistingResource,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
)

GROUP = "AWS::ElastiCache::ReplicationGroup"


@pytest.mark.parametrize(
    ("kind", "name", "resource_type"),
    [
        (ReplicationGroup, "replication_group_id", GROUP),
        (ServerlessCache, "serverless_cache_name", "AWS::ElastiCache::ServerlessCache"),
        (MemoryDbCluster, "cluster_name", "AWS::MemoryDB::Cluster"),
    ],
)
def test_an_adopted_store_has_its_logical_id_and_its_name_without_a_warning(
    stack: cdk.Stack, network: RedisNetwork, kind: Any, name: str, resource_type: str
) -> None:
    kind(stack, "Store", network=network, adopt=ExistingResource("Orders"), **{name: "orders"})

    assert list(Template.from_stack(stack).find_resources(resource_type)) == ["Orders"]
    Annotations.from_stack(stack).has_no_warning("/Stack/Store", Match.string_like_regexp(".*is given.*"))


def test_a_store_without_encryption_at_rest_has_a_warning(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, adopt=ExistingResource(), unsafe_unencrypted_at_rest=True)

    Template.from_stack(stack).has_resource_properties(GROUP, {"AtRestEncryptionEnabled": False})
    Annotations.from_stack(stack).has_warning(
        "/Stack/Cache", Match.string_like_regexp(".*the data is not encrypted on disk and in snapshots.*")
    )


@pytest.mark.parametrize(
    ("deployed", "given", "expected"),
    [
        ({"NumCacheClusters": 2}, {"replicas": 2}, {"NumCacheClusters": 3}),
        ({"NumCacheClusters": 2}, {"replicas": 1, "shards": 1}, {"NumCacheClusters": 2}),
        # More than one shard has no other form.
        ({"NumCacheClusters": 2}, {"shards": 3}, {"NumNodeGroups": 3, "ReplicasPerNodeGroup": 1}),
        ({"ReplicasPerNodeGroup": 1}, {"replicas": 2}, {"ReplicasPerNodeGroup": 2}),
        ({"NumNodeGroups": 2}, {"shards": 4}, {"NumNodeGroups": 4, "ReplicasPerNodeGroup": 1}),
        (
            {"NodeGroupConfiguration": [{"Slots": "0-8191"}, {"Slots": "8192-16383"}], "ReplicasPerNodeGroup": "1"},
            {"shards": 2},
            {
                "NodeGroupConfiguration": [{"Slots": "0-8191"}, {"Slots": "8192-16383"}],
                "ReplicasPerNodeGroup": "1",
            },
        ),
        (None, {"replicas": 2}, {"NumNodeGroups": 1, "ReplicasPerNodeGroup": 2}),
    ],
)
def test_the_number_of_nodes_has_the_form_that_is_deployed(
    stack: cdk.Stack, network: RedisNetwork, deployed: Any, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    properties = None if deployed is None else {"CacheSubnetGroupName": "orders", **deployed}
    subnets = ElastiCacheSubnetGroup.from_subnet_group_name(stack, "Subnets", "orders")

    ReplicationGroup(
        stack, "Cache", network=network, subnet_group=subnets, adopt=ExistingResource("Cache", properties), **given
    )

    resource = Template.from_stack(stack).to_json()["Resources"]["Cache"]["Properties"]
    names = ("NumCacheClusters", "NumNodeGroups", "ReplicasPerNodeGroup", "NodeGroupConfiguration")
    assert {name: resource[name] for name in names if name in resource} == expected
