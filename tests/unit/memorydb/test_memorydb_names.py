"""Generated names: new whenever CloudFormation replaces the resource."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    AccessString,
    MemoryDbCluster,
    RedisNetwork,
    Restore,
)
from cdk_redis._core.naming import unique_name
from cdk_redis._memorydb.cluster import _REPLACING
from cdk_redis._memorydb.subnet_group import MemoryDbSubnetGroup

CLUSTER = "AWS::MemoryDB::Cluster"


def properties_of(stack: cdk.Stack, resource_type: str = CLUSTER) -> dict[str, object]:
    (resource,) = Template.from_stack(stack).find_resources(resource_type).values()
    return resource["Properties"]


def _generated_name(**given: object) -> str:
    stack = cdk.Stack(cdk.App(), "Stack")
    MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network"), **given)  # type: ignore[arg-type]
    return str(properties_of(stack)["ClusterName"])


def test_the_generated_name_stays_the_same_after_a_change_in_place() -> None:
    assert _generated_name() == _generated_name(shards=3, replicas=2, node_type="db.r7g.large")


@pytest.mark.parametrize(
    "given",
    [
        {"port": 6380},
        {"node_type": "db.r6gd.xlarge"},
        {"restore": Restore.from_snapshot("before")},
        {"restore": Restore.from_s3("arn:aws:s3:::backups/ledger.rdb")},
        {"unsafe_open_access": True, "unsafe_plaintext": True},
        {"create_kms_key": True},
    ],
    ids=str,
)
def test_the_generated_name_changes_with_each_property_that_replaces_the_cluster(given: dict[str, object]) -> None:
    assert _generated_name() != _generated_name(**given)


def test_the_generated_name_changes_with_the_key_the_vpc_and_the_subnet_group() -> None:
    def name(key: str | None = None, vpc: str = "Network", subnets: str | None = None) -> str:
        stack = cdk.Stack(cdk.App(), "Stack")
        cluster = MemoryDbCluster(
            stack,
            "Ledger",
            network=RedisNetwork(stack, vpc),
            kms_key=kms.Key.from_key_arn(stack, "Key", key) if key else None,
            subnet_group=MemoryDbSubnetGroup.from_subnet_group_name(stack, "Subnets", subnets) if subnets else None,
        )
        return str(cluster.resource.cluster_name)

    key = "arn:aws:kms:eu-west-1:111122223333:key/"
    names = [name(), name(f"{key}one"), name(f"{key}two"), name(vpc="Other"), name(subnets="one"), name(subnets="two")]
    assert len(set(names)) == len(names)


def test_the_generated_name_changes_with_the_snapshot_to_restore() -> None:
    assert _generated_name(restore=Restore.from_snapshot("a")) != _generated_name(restore=Restore.from_snapshot("b"))


def test_generated_names_are_valid_in_memorydb(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "ALedgerWithAVeryLongNameThatGoesOnAndOnAndOnAndOn", network=network)
    ledger.add_iam_user("app", AccessString.read_only("*"))

    names = [
        (properties_of(stack)["ClusterName"], 40),
        (properties_of(stack, "AWS::MemoryDB::ACL")["ACLName"], 40),
        (properties_of(stack, "AWS::MemoryDB::User")["UserName"], 40),
        (properties_of(stack, "AWS::MemoryDB::ParameterGroup")["ParameterGroupName"], 255),
    ]
    for name, longest in names:
        assert isinstance(name, str)
        assert name == name.lower()
        assert len(name) <= longest
        assert "--" not in name
        assert name[0].isalpha()
        assert name[-1] != "-"


def test_a_given_name_is_used_with_a_warning(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, cluster_name="ledger")

    Annotations.from_stack(stack).has_warning("/Stack/Ledger", Match.string_like_regexp("^cluster_name is given: "))


def test_the_generated_name_does_not_depend_on_properties_that_are_not_set() -> None:
    # So the names of existing clusters do not change when the library supports another property.
    stack = cdk.Stack(cdk.App(), "Stack")
    ledger = MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network"))

    used = {name: value for name in _REPLACING if (value := getattr(ledger.resource, name)) is not None}
    assert used.keys() == {"port", "subnet_group_name", "tls_enabled"}
    assert ledger.resource.cluster_name == unique_name(
        ledger, max_length=40, replaced_by=[used, ledger.network.vpc.vpc_id]
    )
