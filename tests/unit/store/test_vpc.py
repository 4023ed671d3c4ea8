"""Every store takes a VPC in place of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template
from constructs import Construct

from cdk_redis import (
    ConfigurationError,
    GlobalDatastore,
    IStore,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    SecondaryReplicationGroup,
    ServerlessCache,
)
from tests.unit.support.vpcs import existing_vpc


def _secondary(stack: cdk.Stack, id: str, **where: Any) -> IStore:
    app = stack.node.root
    primary_stack = cdk.Stack(
        cast("Construct", app), "Primary", env=cdk.Environment(account="111122223333", region="us-east-1")
    )
    network = RedisNetwork(primary_stack, "Network", vpc=existing_vpc(primary_stack))
    primary = ReplicationGroup(primary_stack, "Cache", network=network, node_type="cache.r7g.large")
    datastore = GlobalDatastore(primary_stack, "Global", primary=primary)
    return SecondaryReplicationGroup(stack, id, global_datastore=datastore, **where)


STORES: list[Callable[..., IStore]] = [ReplicationGroup, ServerlessCache, MemoryDbCluster, _secondary]


@pytest.mark.parametrize("store", STORES)
def test_a_store_is_placed_in_the_isolated_subnets_of_a_vpc(store: Callable[..., IStore], stack: cdk.Stack) -> None:
    made = store(stack, "Store", vpc=existing_vpc(stack))
    assert made.network is not None
    assert made.network.node.path == f"{stack.node.path}/Store/Network"
    assert "subnet-i1" in str(Template.from_stack(stack).to_json())


@pytest.mark.parametrize("store", STORES)
def test_a_store_is_placed_in_the_subnets_that_are_selected(store: Callable[..., IStore], stack: cdk.Stack) -> None:
    selection = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    store(stack, "Store", vpc=existing_vpc(stack), vpc_subnets=selection)
    template = str(Template.from_stack(stack).to_json())
    assert "subnet-e1" in template
    assert "subnet-i1" not in template


@pytest.mark.parametrize("store", STORES)
def test_a_store_without_a_network_is_rejected(store: Callable[..., IStore], stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError, match="a store needs a RedisNetwork or a VPC; set `network` or `vpc`"):
        store(stack, "Store")


@pytest.mark.parametrize("store", STORES)
def test_a_store_with_a_network_and_a_vpc_is_rejected(store: Callable[..., IStore], stack: cdk.Stack) -> None:
    vpc = existing_vpc(stack)
    network = RedisNetwork(stack, "Network", vpc=vpc)
    with pytest.raises(ConfigurationError, match="`network` is given, which has a VPC; leave out one of the two"):
        store(stack, "Store", network=network, vpc=vpc)
