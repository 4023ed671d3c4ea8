"""Every property of ElastiCache's resource types is set by the library or left out for a reason."""

from __future__ import annotations

import inspect
import re
from functools import cache
from pathlib import Path

import pytest
from aws_cdk.assertions import Template

from cdk_redis import ReplicationGroup
from tests.compliance.support import schemas
from tests.compliance.support.elasticache import CHANGES, REPLICATION_GROUP, UNCHANGING, changed_properties, everything
from tests.compliance.support.omitted_properties import OMITTED
from tests.compliance.support.replaces import CONDITIONAL, IN_PLACE, REPLACES, effect, table

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


def test_each_parameter_of_a_replication_group_has_a_change() -> None:
    assert CHANGES.keys() == inspect.signature(ReplicationGroup.__init__).parameters.keys() - UNCHANGING


def test_docs_replaces_md_is_up_to_date(repository: Path) -> None:
    assert (repository / "docs" / "replaces.md").read_text() == table()


@pytest.mark.parametrize("parameter", CHANGES)
def test_a_change_does_what_the_docstring_says(parameter: str) -> None:
    before, after = changed_properties(parameter)
    assert before.keys() == after.keys()
    documentation = inspect.getdoc(ReplicationGroup.__init__) or ""
    described = re.search(rf"\n    {parameter}: (.*?)(?=\n    \w+: |\n\n|\Z)", documentation, re.DOTALL)
    assert described is not None
    _, what = effect(parameter)
    text = " ".join(described[1].split())
    assert ("replaces the store" in text or "replace the store" in text) is (what in (REPLACES, CONDITIONAL)), what


def test_most_parameters_change_in_place() -> None:
    assert {parameter for parameter in CHANGES if effect(parameter)[1] != IN_PLACE} == {
        "authentication",
        "create_kms_key",
        "kms_key",
        "network_type",
        "placement",
        "port",
        "replication_group_id",
        "restore",
        "subnet_group",
    }
