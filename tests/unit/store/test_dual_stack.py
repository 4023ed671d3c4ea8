"""IPv6: all stores check that nodes have the addresses that clients discover, and that subnets have them, too."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from cdk_redis import (
    ConfigurationError,
    ElastiCacheSubnetGroup,
    IpDiscovery,
    MemoryDbCluster,
    NetworkType,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
)
from cdk_redis._core.errors import Problems
from cdk_redis._store.checks import check_dual_stack

STORES = (ReplicationGroup, ServerlessCache, MemoryDbCluster)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("network_type", [NetworkType.DUAL_STACK, NetworkType.IPV6])
def test_a_store_with_ipv6_needs_subnets_with_ipv6(
    store: Any, network_type: NetworkType, stack: cdk.Stack, network: RedisNetwork
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        store(stack, "Store", network=network, network_type=network_type)

    assert str(caught.value) == (
        f"Stack/Store: network_type: got {network_type.value!r}, but the network's subnets have no IPv6 addresses; "
        "use RedisNetwork(..., dual_stack=True), or a `vpc` whose subnets have IPv6 addresses"
    )


@pytest.mark.parametrize("store", STORES)
def test_a_dual_stack_network_has_both_kinds_of_addresses(store: Any, stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Network", dual_stack=True)

    for network_type in NetworkType:
        store(stack, network_type.name, network=network, network_type=network_type)


@pytest.mark.parametrize("store", STORES)
def test_subnets_of_an_imported_vpc_are_not_checked(store: Any, stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-1", "subnet-2"],
    )

    store(stack, "Store", network=RedisNetwork(stack, "Network", vpc=vpc), network_type=NetworkType.DUAL_STACK)


def test_the_subnets_of_an_existing_subnet_group_are_not_checked(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = ElastiCacheSubnetGroup.from_subnet_group_name(stack, "Subnets", "dual-stack")

    ReplicationGroup(stack, "Cache", network=network, subnet_group=group, network_type=NetworkType.DUAL_STACK)


def _check(network: RedisNetwork, network_type: Any, ip_discovery: Any = None) -> None:
    problems = Problems("Store")
    check_dual_stack(problems, network_type, ip_discovery, network, None)
    problems.raise_if_any()


@pytest.mark.parametrize(
    ("network_type", "ip_discovery"),
    [
        (NetworkType.IPV4, IpDiscovery.IPV4),
        (NetworkType.DUAL_STACK, IpDiscovery.IPV4),
        (NetworkType.DUAL_STACK, IpDiscovery.IPV6),
        (NetworkType.IPV6, IpDiscovery.IPV6),
    ],
)
def test_ip_discovery_of_addresses_that_the_nodes_have_is_accepted(
    network_type: NetworkType, ip_discovery: IpDiscovery, stack: cdk.Stack
) -> None:
    _check(RedisNetwork(stack, "Network", dual_stack=True), network_type, ip_discovery)


@pytest.mark.parametrize(
    ("network_type", "ip_discovery", "message"),
    [
        (
            NetworkType.IPV4,
            IpDiscovery.IPV6,
            "ip_discovery: got 'ipv6', but the nodes have no such addresses with network_type ipv4; "
            "leave it out, or use NetworkType.DUAL_STACK",
        ),
        (
            NetworkType.IPV6,
            IpDiscovery.IPV4,
            "ip_discovery: got 'ipv4', but the nodes have no such addresses with network_type ipv6; "
            "leave it out, or use NetworkType.DUAL_STACK",
        ),
    ],
)
def test_ip_discovery_of_other_addresses_is_rejected(
    network_type: object, ip_discovery: object, message: str, stack: cdk.Stack
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _check(RedisNetwork(stack, "Network", dual_stack=True), network_type, ip_discovery)

    assert str(caught.value) == f"Store: {message}"
