"""Stores that were defined without this library are taken over, and not replaced."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk.assertions import Template

from cdk_redis import ExistingResource, assert_no_replacement
from cdk_redis._elasticache.adoption import SERVERLESS_CACHE, replication_group
from cdk_redis._memorydb.adoption import CLUSTER
from cdk_redis._operations.guard import compare
from cdk_redis._operations.stateful_types import stateful_types
from cdk_redis._values.engine import Engine
from tests.compliance.support.stores_by_hand import STORES, ByHand, Parts


def parts() -> Parts:
    return Parts(cdk.Stack(cdk.App(), "Orders", env=cdk.Environment(account="111122223333", region="eu-west-1")))


def by_hand(store: ByHand) -> dict[str, Any]:
    """The template that is deployed."""
    scene = parts()
    store.define(scene)
    return dict(Template.from_stack(scene.stack).to_json())


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_an_adopted_store_is_not_replaced(store: ByHand, tmp_path: Path) -> None:
    deployed = tmp_path / "deployed.json"
    deployed.write_text(json.dumps(by_hand(store)))
    after = parts()

    store.adopt(after, ExistingResource.from_template(deployed, "Cache"))

    template = Template.from_stack(after.stack).to_json()
    assert_no_replacement(deployed, template)
    # The guard compares texts. The number of nodes stays as it is written, too.
    before = json.loads(deployed.read_text())["Resources"]["Cache"]["Properties"]
    resource = template["Resources"]["Cache"]
    for name in ("NumCacheClusters", "NumNodeGroups", "ReplicasPerNodeGroup", "NodeGroupConfiguration"):
        assert str(resource["Properties"].get(name)) == str(before.get(name)), name


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_the_guard_reports_a_construct_in_place_of_the_l1_construct(store: ByHand) -> None:
    after = parts()
    store.swap(after)

    with pytest.raises(AssertionError) as caught:
        assert_no_replacement(by_hand(store), Template.from_stack(after.stack))

    assert "its logical id becomes Cache" in str(caught.value)
    assert "data: lost" in str(caught.value)


def test_each_property_that_replaces_a_store_is_kept() -> None:
    kept = {
        "AWS::ElastiCache::ReplicationGroup": replication_group(Engine.redis("7.1")),
        "AWS::ElastiCache::ServerlessCache": SERVERLESS_CACHE,
        "AWS::MemoryDB::Cluster": CLUSTER,
    }
    for name, fixed in kept.items():
        known = stateful_types()[name]
        assert fixed.keys() == known.create_only | known.conditional, name


def test_later_changes_of_an_adopted_store_are_in_place() -> None:
    """The template that was deployed first stays in the code."""
    store = STORES["a pair of nodes"]
    existing = ExistingResource("Cache", by_hand(store)["Resources"]["Cache"]["Properties"])
    first, second = parts(), parts()
    store.adopt(first, existing)
    cache: Any = store.adopt(second, existing)
    cache.resource.num_cache_clusters = 3

    (change,) = compare(Template.from_stack(first.stack), Template.from_stack(second.stack))

    assert (change.effect.value, change.properties) == ("in place", ("NumCacheClusters",))


class Orders(cdk.Stack):
    """The stack of docs/adoption.md before the adoption."""

    def __init__(self, scope: cdk.App, id: str) -> None:
        super().__init__(scope, id)
        vpc = ec2.Vpc(self, "Vpc", nat_gateways=0)
        group = ec2.SecurityGroup(self, "Group", vpc=vpc, allow_all_outbound=False)
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description="Orders",
            subnet_ids=[subnet.subnet_id for subnet in vpc.isolated_subnets],
        )
        elasticache.CfnReplicationGroup(
            self,
            "Cache",
            replication_group_description="Orders",
            engine="redis",
            engine_version="7.1",
            cache_node_type="cache.r7g.large",
            num_cache_clusters=2,
            automatic_failover_enabled=True,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[group.security_group_id],
        )


def test_the_code_of_the_page_keeps_the_store(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (repository / "docs" / "adoption.md").read_text()
    (block,) = re.findall(r"^ +```python\n(.*?)^ +```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deployed.json").write_text(json.dumps(Template.from_stack(Orders(cdk.App(), "Orders")).to_json()))
    module: dict[str, Any] = {}
    exec(textwrap.dedent(block), module)

    after = Template.from_stack(module["Orders"](cdk.App(), "Orders"))

    assert_no_replacement("deployed.json", after)
