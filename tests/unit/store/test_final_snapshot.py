"""The final snapshot of a store has a name that no earlier final snapshot has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis import MemoryDbCluster, RedisNetwork, ServerlessCache

Make = Callable[..., MemoryDbCluster | ServerlessCache]
STORES = [
    pytest.param(MemoryDbCluster, {"port": 6380}, {"replicas": 2}, id="MemoryDbCluster"),
    pytest.param(ServerlessCache, {"create_kms_key": True}, {"description": "orders"}, id="ServerlessCache"),
]


def _synthesize(make: Make, **given: object) -> tuple[cdk.Stack, dict[str, Any]]:
    stack = cdk.Stack(cdk.App(), "Stack")
    store = make(stack, "Ledger", network=RedisNetwork(stack, "Network"), **given)
    return stack, cdk.assertions.Template.from_stack(cdk.Stack.of(store)).to_json()["Resources"]


def _named_by(resources: dict[str, Any]) -> tuple[str, str]:
    """Return the store's name and the logical id of the security group, which the name of the snapshot contains."""
    found = [it["Properties"]["FinalSnapshotName"] for it in resources.values() if "FinalSnapshotName" in str(it)]
    separator, (name, reference) = found[0]["Fn::Join"]
    assert separator == ""
    return name, reference["Fn::GetAtt"][0]


@pytest.mark.parametrize(("make", "replacing", "in_place"), STORES)
def test_a_recreated_store_has_a_new_name_for_its_final_snapshot(
    make: Make, replacing: dict[str, object], in_place: dict[str, object]
) -> None:
    _, before = _synthesize(make)
    _, replaced = _synthesize(make, **replacing)
    _, changed = _synthesize(make, **in_place)

    # CloudFormation creates the security group together with the store, with an id that was never used. So the same
    # template gives another name when it is deployed again after the store was replaced or removed.
    assert _named_by(replaced)[1] not in before
    assert _named_by(before)[1] not in replaced
    assert _named_by(changed) == _named_by(before)
    assert before[_named_by(before)[1]]["Type"] == "AWS::EC2::SecurityGroup"


@pytest.mark.parametrize(("make", "replacing", "in_place"), STORES)
def test_the_name_of_a_final_snapshot_contains_the_name_of_the_store(
    make: Make, replacing: object, in_place: object
) -> None:
    del replacing, in_place
    name, _ = _named_by(_synthesize(make)[1])

    assert name.startswith("stack-ledger-")
    assert name.endswith("-final-")


@pytest.mark.parametrize(("make", "replacing", "in_place"), STORES)
@pytest.mark.parametrize("policy", [cdk.RemovalPolicy.DESTROY, cdk.RemovalPolicy.RETAIN])
def test_there_is_no_security_group_for_the_name_without_a_final_snapshot(
    make: Make, policy: cdk.RemovalPolicy, replacing: object, in_place: object
) -> None:
    del replacing, in_place

    assert "FinalSnapshot" not in str(_synthesize(make, removal_policy=policy)[1])


def test_the_security_group_for_the_name_of_a_snapshot_allows_nothing() -> None:
    _, resources = _synthesize(MemoryDbCluster)

    properties = resources[_named_by(resources)[1]]["Properties"]
    assert "SecurityGroupIngress" not in properties
    assert [rule["CidrIp"] for rule in properties["SecurityGroupEgress"]] == ["255.255.255.255/32"]
    assert properties["GroupDescription"] == "Only names the final snapshot of Stack/Ledger"
