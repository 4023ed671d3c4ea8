"""The replacement guard agrees with CloudFormation's schemas on single edits of real stacks."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_redis import MemoryDbCluster, RedisNetwork, ReplicationGroup, ServerlessCache
from cdk_redis._operations.guard import compare
from tests.compliance.support.edits import EDITS, STORE_TYPES, Edit
from tests.compliance.support.elasticache import REGION, UNCHANGING
from tests.compliance.support.replaces import Changes, change_of_store, changes_of_edits, page, parameters
from tests.compliance.support.stateful_types import table

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def changes() -> Changes:
    return changes_of_edits()


@pytest.mark.parametrize("edit", [pytest.param(edit, id=edit.name) for edit in EDITS])
def test_an_edit_replaces_what_the_schemas_say(changes: Changes, edit: Edit) -> None:
    ended = {change.resource_type for change in changes[edit.name] if change.effect.ends_resource}

    assert {name.removeprefix("AWS::") for name in ended} == edit.ended


@pytest.mark.parametrize("store", STORE_TYPES)
def test_each_parameter_of_a_store_has_an_edit(store: type) -> None:
    assert set(parameters(store)) == inspect.signature(store.__init__).parameters.keys() - UNCHANGING


@pytest.mark.parametrize(("store", "parameter"), [(store, name) for store in STORE_TYPES for name in parameters(store)])
def test_a_change_does_what_the_docstring_says(changes: Changes, store: type, parameter: str) -> None:
    documentation = inspect.getdoc(store.__init__) or ""
    described = re.search(rf"\n    {parameter}: (.*?)(?=\n    \w+: |\n\n|\Z)", documentation, re.DOTALL)
    assert described is not None
    change = change_of_store(changes, store, parameter)
    replaces = change is not None and change.effect.ends_resource

    text = " ".join(described[1].split())
    assert bool(re.search(r"replaces? (the|a) (store|cluster|cache|secondary)", text)) is replaces, text


def test_docs_replaces_md_is_up_to_date(repository: Path, changes: Changes) -> None:
    assert (repository / "docs" / "replaces.md").read_text() == page(changes)


@pytest.mark.parametrize("kind", [ReplicationGroup, ServerlessCache, MemoryDbCluster])
def test_a_store_that_moves_to_another_stack_is_removed(tmp_path: Path, kind: type) -> None:
    def app(outdir: str, stack_of_store: str) -> Path:
        scope = cdk.App(outdir=str(tmp_path / outdir))
        environment = cdk.Environment(account="111122223333", region=REGION)
        stacks = {name: cdk.Stack(scope, name, env=environment) for name in ("Network", "Data")}
        network = RedisNetwork(stacks["Network"], "Network")
        kind(stacks[stack_of_store], "Store", network=network)
        scope.synth()
        return tmp_path / outdir

    found = compare(app("before", "Network"), app("after", "Data"))

    (store,) = [
        change for change in found if change.resource_type.endswith(("Group", "Cache", "Cluster")) and change.data
    ]
    assert store.effect.value == "removal"
    assert "it moves to Data" in store.reason


def test_the_table_of_types_is_up_to_date(repository: Path) -> None:
    file = repository / "constructs" / "cdk_redis" / "_operations" / "stateful_types.json"
    assert file.read_text() == table()
