"""Every property of ElastiCache's resource types is set by the library or left out for a reason."""

from __future__ import annotations

from functools import cache

import pytest
from aws_cdk.assertions import Template

from tests.compliance.support import schemas
from tests.compliance.support.elasticache import REPLICATION_GROUP, everything
from tests.compliance.support.omitted_properties import OMITTED

TYPES = [
    REPLICATION_GROUP,
    "AWS::ElastiCache::ServerlessCache",
    "AWS::ElastiCache::GlobalReplicationGroup",
    "AWS::ElastiCache::User",
    "AWS::ElastiCache::UserGroup",
    "AWS::ElastiCache::ParameterGroup",
    "AWS::ElastiCache::SubnetGroup",
]


@cache
def _set_properties() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for resource in Template.from_stack(everything()).to_json()["Resources"].values():
        known = schemas.properties(resource["Type"]) if resource["Type"] in TYPES else frozenset()
        found.setdefault(resource["Type"], set()).update(
            # The schema of some properties does not describe their content.
            next((name for name in known if path == name or path.startswith(f"{name}.")), path)
            for path in schemas.paths(resource["Properties"])
        )
    return found


@pytest.mark.parametrize("resource_type", TYPES)
def test_each_property_is_set_or_left_out_for_a_reason(resource_type: str) -> None:
    missing = schemas.properties(resource_type) - _set_properties()[resource_type] - OMITTED[resource_type].keys()

    assert missing == set()


@pytest.mark.parametrize("resource_type", TYPES)
def test_no_property_is_left_out_and_set(resource_type: str) -> None:
    tags = {"Tags.Key", "Tags.Value"}

    assert OMITTED[resource_type].keys() <= schemas.properties(resource_type)
    assert _set_properties()[resource_type] & (OMITTED[resource_type].keys() - tags) == set()
    assert all(len(reason) > 20 for reason in OMITTED[resource_type].values())


def test_tags_reach_every_resource() -> None:
    assert all({"Tags.Key", "Tags.Value"} <= _set_properties()[resource_type] for resource_type in TYPES)
