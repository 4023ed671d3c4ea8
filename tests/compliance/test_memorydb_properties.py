"""The library sets every property of all MemoryDB resource types, or a list has the reason why it does not."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from cdk_redis import (
    AccessString,
    Engine,
    IpDiscovery,
    MaintenanceWindow,
    MemoryDbCluster,
    MultiRegionCluster,
    NetworkType,
    RedisNetwork,
    Restore,
    Snapshots,
    SnapshotWindow,
)
from cdk_redis._memorydb import cluster, multi_region_cluster, parameter_group
from tests.compliance.support import schemas as _schemas
from tests.compliance.support.omitted_memorydb_properties import OMITTED

TYPES = sorted(
    name for name in PROVIDER_SCHEMA_MANAGER.get_resource_types(_schemas.REGION) if name.startswith("AWS::MemoryDB::")
)


def _everything() -> cdk.Stack:
    """A stack whose constructs together use every parameter; some parameters exclude each other."""
    stack = cdk.Stack(cdk.App(), "Stack")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"], isolated_subnet_ids=["subnet-1", "subnet-2"]
    )
    network = RedisNetwork(stack, "Network", vpc=vpc)
    whole = MemoryDbCluster(
        stack,
        "Whole",
        network=network,
        engine=Engine.valkey("7.3"),
        node_type="db.r6gd.xlarge",
        kms_key=kms.Key(stack, "Key"),
        parameters={"activedefrag": "yes"},
        snapshots=Snapshots.daily(window=SnapshotWindow("03:00-04:00")),
        restore=Restore.from_snapshot("before"),
        maintenance_window=MaintenanceWindow("sun:05:00-sun:06:00"),
        notification_topic=sns.Topic(stack, "Topic"),
        network_type=NetworkType.DUAL_STACK,
        ip_discovery=IpDiscovery.IPV4,
        description="Whole",
    )
    whole.add_iam_user("iam", AccessString.read_only("*"))
    whole.add_password_user("password", AccessString.read_only("*"))
    everywhere = MultiRegionCluster(
        stack, "Everywhere", parameter_group_name="everywhere", update_strategy="COORDINATED", description="Everywhere"
    )
    files = Restore.from_s3("arn:aws:s3:::backups/ledger.rdb")
    MemoryDbCluster(stack, "Member", network=network, multi_region=everywhere, restore=files)
    cdk.Tags.of(stack).add("team", "ledger")
    return stack


@pytest.fixture(scope="module")
def resources() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for resource in Template.from_stack(_everything()).to_json()["Resources"].values():
        found.setdefault(resource["Type"], []).append(resource["Properties"])
    return found


def test_the_types_are_those_of_the_service() -> None:
    assert {name.removeprefix("AWS::MemoryDB::") for name in TYPES} == {
        "ACL",
        "Cluster",
        "MultiRegionCluster",
        "ParameterGroup",
        "Snapshot",
        "SubnetGroup",
        "User",
    }
    assert OMITTED.keys() <= set(TYPES)


@pytest.mark.parametrize("resource_type", TYPES)
def test_every_property_is_set_or_listed_with_a_reason(
    resource_type: str, resources: dict[str, list[dict[str, Any]]]
) -> None:
    known = _schemas.properties(resource_type)
    set_by_us = {path for properties in resources.get(resource_type, []) for path in _schemas.paths(properties)}
    omitted = OMITTED.get(resource_type, {})

    def covered(path: str) -> bool:
        # The schema does not describe the content of some objects; the library sets properties below these.
        return any(ours == path or ours.startswith(f"{path}.") for ours in set_by_us)

    assert {path for path in known if not covered(path)} == omitted.keys()


@pytest.mark.parametrize(
    ("resource_type", "name", "replacing"),
    [
        ("Cluster", "ClusterName", cluster._REPLACING),
        ("MultiRegionCluster", "MultiRegionClusterNameSuffix", multi_region_cluster._REPLACING),
        ("ParameterGroup", "ParameterGroupName", parameter_group._REPLACING),
    ],
)
def test_the_generated_name_depends_on_every_create_only_property(
    resource_type: str, name: str, replacing: tuple[str, ...]
) -> None:
    create_only = _schemas.create_only(f"AWS::MemoryDB::{resource_type}") - {name}

    assert {word.replace("_", "") for word in replacing} == {word.lower() for word in create_only}


def test_every_reason_is_a_sentence() -> None:
    assert all(len(reason.split()) >= 5 for reasons in OMITTED.values() for reason in reasons.values())
