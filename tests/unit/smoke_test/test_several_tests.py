"""Several smoke tests, canaries and drills of one store."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk.assertions import Template

from cdk_redis import AccessString, FailoverDrill, MemoryDbCluster, RedisNetwork, ReplicationGroup, SmokeTest


@pytest.mark.parametrize("kind", [SmokeTest, FailoverDrill])
@pytest.mark.parametrize("service", [ReplicationGroup, MemoryDbCluster])
def test_a_second_test_of_one_store_has_a_user_for_its_own_prefix(
    stack: cdk.Stack,
    network: RedisNetwork,
    kind: type[SmokeTest] | type[FailoverDrill],
    service: type[ReplicationGroup] | type[MemoryDbCluster],
) -> None:
    store = service(stack, "Store", network=network)
    first = kind(stack, "First", target=store, key_prefix="first:")
    second = kind(stack, "Second", target=store, key_prefix="second:")

    assert first.user is not None
    assert second.user is not None
    assert first.user.node.id == ("smoke-test" if kind is SmokeTest else "failover-drill")
    assert second.user.node.id.startswith(f"{first.user.node.id}-")
    found = Template.from_stack(stack).find_resources(f"AWS::{_type(service)}::User").values()
    accesses = [user["Properties"]["AccessString"] for user in found]
    assert accesses == [str(AccessString.smoke_test("first:")), str(AccessString.smoke_test("second:"))]


def _type(service: type[ReplicationGroup] | type[MemoryDbCluster]) -> str:
    return "MemoryDB" if service is MemoryDbCluster else "ElastiCache"


def test_a_user_of_the_app_may_have_the_name_of_the_smoke_tests_user(stack: cdk.Stack, network: RedisNetwork) -> None:
    store = ReplicationGroup(stack, "Store", network=network)
    store.add_iam_user("smoke-test", AccessString.read_only("*"))

    test = SmokeTest(stack, "Test", target=store, schedule=events.Schedule.rate(cdk.Duration.minutes(5)))

    assert test.user is not None
    assert test.user is not store.users[0]
