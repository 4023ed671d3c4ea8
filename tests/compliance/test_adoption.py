"""Stores that were defined without this library are taken over, and not replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
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
