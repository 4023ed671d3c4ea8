"""Regions and zones that MemoryDB supports, and the zones of networks."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import ConfigurationError, MemoryDbCluster, MemoryDbSubnetGroup, RedisNetwork
from cdk_redis._network.zones import (
    MEMORYDB_ZONES,
    MULTI_REGION_REGIONS,
    has_unsupported_zones,
    preferred_zones,
    supported_zones,
    unsupported_zones,
)

TWO_OR_THREE = 'a network spans 2 or 3 zones, given by different ids such as "use1-az1"'


def stack_in(region: str | None) -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(region=region))


def zones_of(stack: cdk.Stack) -> list[tuple[object, object]]:
    subnets = Template.from_stack(stack).find_resources("AWS::EC2::Subnet").values()
    return [(s["Properties"].get("AvailabilityZone"), s["Properties"].get("AvailabilityZoneId")) for s in subnets]


def test_the_table_has_the_regions_of_the_guide() -> None:
    assert len(MEMORYDB_ZONES) == 23
    assert set(MULTI_REGION_REGIONS) < set(MEMORYDB_ZONES)
    assert all(len(zones) >= 2 for zones in MEMORYDB_ZONES.values())
    assert len({zone for zones in MEMORYDB_ZONES.values() for zone in zones}) == sum(map(len, MEMORYDB_ZONES.values()))


@pytest.mark.parametrize(
    ("region", "unsupported"),
    [
        ("us-east-1", "use1-az3"),
        ("ca-central-1", "cac1-az3"),
        ("ap-northeast-1", "apne1-az3"),
        ("cn-north-1", "cnn1-az3"),
    ],
)
def test_unsupported_zones_are_listed(region: str, unsupported: str) -> None:
    assert unsupported_zones(region, [*(supported_zones(region) or ()), unsupported]) == [unsupported]
    assert has_unsupported_zones(region)


def test_an_unknown_region_has_no_unsupported_zones() -> None:
    assert supported_zones("mx-central-1") is None
    assert unsupported_zones("mx-central-1", ["mxc1-az1"]) == []
    assert preferred_zones("mx-central-1") is None


@pytest.mark.parametrize(
    ("region", "zones", "expected"),
    [
        ("us-east-1", None, ["use1-az1", "use1-az2", "use1-az4"]),
        ("us-east-1", 2, ["use1-az1", "use1-az2"]),
        ("ap-northeast-1", 3, ["apne1-az1", "apne1-az2", "apne1-az4"]),
    ],
)
def test_a_network_uses_zones_that_memorydb_supports(region: str, zones: int | None, expected: list[str]) -> None:
    stack = stack_in(region)
    network = RedisNetwork(stack, "Network", zones=zones)
    MemoryDbCluster(stack, "Ledger", network=network)

    assert network.zone_ids == expected
    assert zones_of(stack) == [(None, zone) for zone in expected]


@pytest.mark.parametrize("region", ["eu-west-1", "us-west-1", None])
def test_in_other_regions_zones_are_chosen_by_name(region: str | None) -> None:
    stack = stack_in(region)
    network = RedisNetwork(stack, "Network")

    assert network.zone_ids is None
    assert all(name is not None and zone_id is None for name, zone_id in zones_of(stack))


def test_zones_can_be_chosen_by_id() -> None:
    stack = stack_in(None)
    network = RedisNetwork(stack, "Network", zone_ids=["euc1-az2", "euc1-az3"])

    assert zones_of(stack) == [(None, "euc1-az2"), (None, "euc1-az3")]
    assert [str(stack.resolve(subnet.availability_zone)) for subnet in network.subnets] == [
        str({"Fn::GetAtt": [stack.get_logical_id(subnet.node.default_child), "AvailabilityZone"]})
        for subnet in network.subnets
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"zone_ids": ["use1-az1"]}, f"zone_ids: got ['use1-az1'], but {TWO_OR_THREE}"),
        ({"zone_ids": ["use1-az1", "use1-az1"]}, f"zone_ids: got ['use1-az1', 'use1-az1'], but {TWO_OR_THREE}"),
        ({"zone_ids": ["us-east-1a", "us-east-1b"]}, f"zone_ids: got ['us-east-1a', 'us-east-1b'], but {TWO_OR_THREE}"),
        (
            {"zone_ids": ["use1-az1", "use1-az2"], "zones": 3},
            "zones: got 3, but zone_ids has 2; leave it out",
        ),
    ],
)
def test_invalid_zone_ids_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RedisNetwork(stack_in("us-east-1"), "Network", **given)  # type: ignore[arg-type]
    assert str(caught.value) == f"Stack/Network: {message}"


REFUSED = (
    "network: got 'Stack/Network', but MemoryDB does not support subnets in use1-az3; give the network zone_ids from "
    "use1-az1, use1-az2, use1-az4, use1-az5, use1-az6"
)


def test_a_zone_that_memorydb_does_not_support_is_refused() -> None:
    stack = stack_in("us-east-1")
    network = RedisNetwork(stack, "Network", zone_ids=["use1-az2", "use1-az3"])

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network)
    assert str(caught.value) == f"Stack/Ledger: {REFUSED}"
    with pytest.raises(ConfigurationError) as caught:
        MemoryDbSubnetGroup(stack, "Subnets", network=network)
    assert str(caught.value) == f"Stack/Subnets: {REFUSED}"


def test_zones_of_an_existing_subnet_group_are_not_checked() -> None:
    stack = stack_in("us-east-1")
    network = RedisNetwork(stack, "Network", zone_ids=["use1-az2", "use1-az3"])
    subnets = MemoryDbSubnetGroup.from_subnet_group_name(stack, "Subnets", "theirs")

    MemoryDbCluster(stack, "Ledger", network=network, subnet_group=subnets)


@pytest.mark.parametrize(("region", "warned"), [("us-east-1", True), ("eu-west-1", False), (None, False)])
def test_a_warning_is_given_if_zone_names_may_mean_unsupported_zones(region: str | None, warned: bool) -> None:
    stack = stack_in(region)
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"], isolated_subnet_ids=["subnet-1", "subnet-2"]
    )
    MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network", vpc=vpc))

    found = Annotations.from_stack(stack).find_info(
        "/Stack/Ledger/Subnets", Match.string_like_regexp("^MemoryDB supports subnets in use1-az1, use1-az2, ")
    )
    assert len(found) == (1 if warned else 0)
