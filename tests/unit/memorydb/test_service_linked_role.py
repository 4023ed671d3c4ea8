"""MemoryDB's service-linked role: only `MemoryDbServiceLinkedRole` creates it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk.assertions import Template

from cdk_redis import MemoryDbCluster, MemoryDbServiceLinkedRole, RedisNetwork

ROLE = "AWS::IAM::ServiceLinkedRole"


def test_the_role_is_created_and_retained_when_the_stack_is_deleted() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    role = MemoryDbServiceLinkedRole(stack, "Role")

    (resource,) = Template.from_stack(stack).find_resources(ROLE).values()
    assert resource["Properties"] == {"AWSServiceName": "memorydb.amazonaws.com"}
    assert resource["DeletionPolicy"] == "Retain"
    assert role.role_name == "AWSServiceRoleForMemoryDB"


def test_a_cluster_can_depend_on_the_role() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    role = MemoryDbServiceLinkedRole(stack, "Role")
    ledger = MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network"))
    ledger.node.add_dependency(role)

    (subnets,) = Template.from_stack(stack).find_resources("AWS::MemoryDB::SubnetGroup").values()
    assert stack.get_logical_id(role.resource) in subnets["DependsOn"]


def test_a_cluster_does_not_create_the_role() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network"))

    Template.from_stack(stack).resource_count_is(ROLE, 0)
