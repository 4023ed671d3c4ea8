"""A replication group of L1 constructs, or one that no stack manages, becomes one of this library, with its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_elasticache as elasticache

from cdk_redis import (
    ElastiCacheSubnetGroup,
    ExistingResource,
    RedisNetwork,
    ReplicationGroup,
    assert_no_replacement,
)
from tests.e2e.support.deploys import Deploys, verdicts

TEMPLATE = "Adoption.template.json"


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_an_adopted_store_keeps_its_data_and_passes_the_smoke_test(
    deploys: Deploys, engine: str, tmp_path: Path
) -> None:
    before = deploys.synthesize("adoption", tmp_path / "before", engine=engine)
    deployed = before / TEMPLATE
    after = deploys.synthesize("adoption", tmp_path / "after", engine=engine, deployed=str(deployed))
    assert_no_replacement(deployed, after / TEMPLATE)

    made = deploys.deploy(before, "Adoption")
    password = deploys.password(made["Secret"])
    deploys.connect(made["Port"], "default", password).set("order:1", "a book")
    adopted = deploys.deploy(after, "Adoption")

    assert adopted["Port"] == made["Port"]
    assert deploys.connect(adopted["Port"], "default", password).get("order:1") == "a book"
    assert set(verdicts(deploys.reports()[adopted["Name"]]).values()) <= {"passed", "skipped"}


@pytest.mark.e2e
def test_a_store_that_no_stack_manages_is_imported_with_its_data(deploys: Deploys, engine: str, tmp_path: Path) -> None:
    name, _, version = engine.partition(":")
    zones = {"availability-zones:account=000000000000:region=us-east-1": ["us-east-1a", "us-east-1b"]}
    place: dict[str, Any] = {"env": cdk.Environment(account="000000000000", region="us-east-1")}

    by_hand = cdk.Stack(cdk.App(outdir=str(tmp_path / "1")), "ByHand", **place)
    group = elasticache.CfnReplicationGroup(
        by_hand,
        "Orders",
        replication_group_id="orders",
        replication_group_description="orders",
        engine=name,
        engine_version=version,
        cache_node_type="cache.t4g.small",
        cache_subnet_group_name="default",
        num_cache_clusters=2,
        automatic_failover_enabled=True,
        transit_encryption_enabled=True,
    )
    group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    cdk.CfnOutput(by_hand, "Port", value=group.attr_primary_end_point_port)

    imported = cdk.Stack(cdk.App(context=zones, outdir=str(tmp_path / "2")), "Imported", **place)
    cache = ReplicationGroup(
        imported,
        "Cache",
        network=RedisNetwork(imported, "Network"),
        subnet_group=ElastiCacheSubnetGroup.from_subnet_group_name(imported, "Existing", "default"),
        replication_group_id="orders",
        engine=engine,
        node_type="cache.t4g.small",
        adopt=ExistingResource(),
        removal_policy="RETAIN",
        unsafe_open_access=True,
    )
    cdk.CfnOutput(imported, "Port", value=cdk.Token.as_string(cache.endpoint.port))

    port = deploys.deploy(_assembly(by_hand), "ByHand")["Port"]
    deploys.connect(port, "default", "").set("order:1", "a book")
    deploys.run("destroy", "--app", str(_assembly(by_hand)), "--force", "ByHand")
    arguments = ("--app", str(_assembly(imported)), "--require-approval", "never", "--import-existing-resources")
    assert "IMPORT_COMPLETE" in deploys.run("deploy", "Imported", *arguments)

    assert deploys.outputs("Imported")["Port"] == port
    assert deploys.connect(port, "default", "").get("order:1") == "a book"


def _assembly(stack: cdk.Stack) -> Path:
    return Path(cdk.App.of(stack).synth().directory)
