"""The replacement guard: what a changed template does to resources with data, and to the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from cdk_redis import ConfigurationError, RedisNetwork, ReplicationGroup, assert_no_replacement
from cdk_redis._operations.guard import compare, describe

GROUP = "AWS::ElastiCache::ReplicationGroup"
CLUSTER = "AWS::MemoryDB::Cluster"
SNAPSHOT = {"UpdateReplacePolicy": "Snapshot"}
ONLINE = {"UpdatePolicy": {"UseOnlineResharding": True}}


def template(
    resource_type: str = GROUP, id: str = "Store", attributes: Any = None, **properties: Any
) -> dict[str, Any]:
    return {"Resources": {id: {"Type": resource_type, "Properties": properties, **(attributes or {})}}}


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (template(Port=6379), template(Port=6380), "replacement"),
        (template(), template(Port=6379), "replacement"),
        (template(Port=6379), template(Port="6379"), None),
        (template(AtRestEncryptionEnabled=True), template(AtRestEncryptionEnabled="true"), None),
        (template(KmsKeyId={"Ref": "AWS::NoValue"}), template(), None),
        (template(ReplicasPerNodeGroup=1), template(ReplicasPerNodeGroup=2), "in place"),
        (template(EngineVersion="8.1"), template(EngineVersion="8.2"), "in place, with a short interruption"),
        (template(NumNodeGroups=2), template(NumNodeGroups=3), "replacement"),
        (template(NumNodeGroups=2, attributes=ONLINE), template(NumNodeGroups=3, attributes=ONLINE), "in place"),
        (
            template(NodeGroupConfiguration=[{"Slots": "0-16383"}], attributes=ONLINE),
            template(NodeGroupConfiguration=[{"Slots": "0-8191"}, {"Slots": "8192-16383"}], attributes=ONLINE),
            "in place",
        ),
        (template(NodeGroupConfiguration=[{"Slots": "0"}]), template(NodeGroupConfiguration=[]), "replacement"),
        (template(), template(AuthToken="one"), "replacement"),
        (template(AuthToken="one"), template(), "replacement"),
        (template(AuthToken="one"), template(AuthToken="two"), "in place"),
        (template(CLUSTER, TLSEnabled=True), template(CLUSTER, TLSEnabled=False), "replacement"),
        (template(CLUSTER, NumShards=1), template(CLUSTER, NumShards=2), "in place"),
        (
            template("AWS::EC2::VPC", InstanceTenancy="dedicated"),
            template("AWS::EC2::VPC", InstanceTenancy="default"),
            "in place",
        ),
        (
            template("AWS::EC2::VPC", InstanceTenancy="default"),
            template("AWS::EC2::VPC", InstanceTenancy="dedicated"),
            "replacement",
        ),
        (template(Port=6379), {"Resources": {}}, "removal"),
        (template(Port=6379), template(id="Renamed", Port=6379), "replacement"),
        (template(Port=6379), template(CLUSTER, Port=6379), "removal"),
        ({"Resources": {}}, template(Port=6379), None),
        (template("AWS::SQS::Queue", FifoQueue=True), template("AWS::SQS::Queue"), None),
    ],
)
def test_the_effect_of_a_change(before: dict[str, Any], after: dict[str, Any], effect: str | None) -> None:
    assert [change.effect.value for change in compare(before, after)] == ([effect] if effect else [])


def test_a_parameter_counts_as_its_default() -> None:
    before, after = template(Port={"Ref": "Port"}), template(Port={"Ref": "Port"})
    before["Parameters"], after["Parameters"] = {"Port": {"Default": 6379}}, {"Port": {"Default": 6380}}

    assert [change.properties for change in compare(before, after)] == [("Port",)]


def test_a_store_that_refers_to_a_replaced_resource_is_replaced() -> None:
    def both(name: str) -> dict[str, Any]:
        group = template("AWS::MemoryDB::SubnetGroup", "Subnets", SubnetGroupName=name)["Resources"]
        return {"Resources": {**template(CLUSTER, SubnetGroupName={"Ref": "Subnets"})["Resources"], **group}}

    store = next(change for change in compare(both("one"), both("two")) if change.logical_id == "Store")

    assert store.effect.value == "replacement"
    assert store.notes == ("Subnets, to which SubnetGroupName refers, is replaced",)


@pytest.mark.parametrize(
    ("before", "data"),
    [
        (template(), "lost"),
        (
            template(attributes={"UpdateReplacePolicy": "Snapshot"}),
            "in a final snapshot, whose name the service chooses",
        ),
        (template(attributes={"UpdateReplacePolicy": "Retain"}), "the old resource stays, outside of the stack"),
        (template(CLUSTER), "lost"),
        (template(CLUSTER, attributes=SNAPSHOT), "lost"),
        (
            template(CLUSTER, FinalSnapshotName={"Fn::Join": ["-", ["orders", {"Fn::GetAtt": ["Group", "GroupId"]}]]}),
            "in the final snapshot orders-${Group.GroupId}",
        ),
    ],
)
def test_what_happens_to_the_data(before: dict[str, Any], data: str) -> None:
    after = json.loads(json.dumps(before))
    after["Resources"]["Store"]["Properties"]["Port"] = 6380

    (change,) = compare(before, after)

    assert change.data.removesuffix("; the new store is empty") == data


def test_where_cdk_diff_says_something_else_it_is_said_why() -> None:
    (change,) = compare(template(Engine="redis"), template(Engine="valkey"))

    assert change.effect.value == "in place, with a short interruption"
    assert change.notes[0].startswith("cdk diff calls a change of Engine a replacement, which it is not: AWS upgrades")


def test_assert_no_replacement_names_the_property_the_data_and_the_way_out(
    stack: cdk.Stack, network: RedisNetwork, tmp_path: Path
) -> None:
    ReplicationGroup(stack, "Cache", network=network)
    after = Template.from_stack(stack).to_json()
    before = json.loads(json.dumps(after))
    (logical_id,) = Template.from_json(after).find_resources(GROUP)
    before["Resources"][logical_id]["Properties"]["Port"] = 6400
    file = tmp_path / "Cache.template.json"
    file.write_text(json.dumps(before))

    with pytest.raises(AssertionError) as caught:
        assert_no_replacement(file, Template.from_json(after))

    assert str(caught.value) == "\n".join(
        [
            "the deployment replaces or removes:",
            f"  replacement: {logical_id} ({GROUP}, {logical_id} in Cache)",
            "    a change of Port replaces the resource",
            "    data: in a final snapshot, whose name the service chooses; the new store is empty",
            "    to avoid it: take the change back, or define a second store and move the data",
        ]
    )
    assert_no_replacement(file, after, allowed=[logical_id])
    assert_no_replacement(after, after)


def test_nested_stacks_and_stages_are_compared(tmp_path: Path) -> None:
    def app(name: str, port: int, *, nested: bool = True) -> Path:
        scope = cdk.App(outdir=str(tmp_path / name))
        outer = cdk.Stack(cdk.Stage(scope, "Prod"), "Data")
        network = RedisNetwork(outer, "Network")
        if nested:
            inner = cdk.NestedStack(outer, "Inner")
            ReplicationGroup(inner, "Cache", network=network, port=port)
        scope.synth()
        return tmp_path / name

    before = app("before", 6379)
    changed = [change for change in compare(before, app("after", 6380)) if change.resource_type == GROUP]
    removed = [change for change in compare(before, app("none", 0, nested=False)) if change.resource_type == GROUP]

    assert [(change.effect.value, change.template.partition("/")[0]) for change in changed] == [
        ("replacement", "Prod-Data")
    ]
    assert [change.effect.value for change in removed] == ["removal"]
    assert "final snapshot" in describe(removed[0])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        ("Resources: {}", "is no JSON"),
        ("[]", "is no template: it holds a list"),
        ("{}", "is no template in JSON: it has no Resources"),
        ('{"TemplateBody": "Resources: {}"}', "is no template in JSON: it has no Resources"),
    ],
)
def test_what_cannot_be_compared_is_an_error(tmp_path: Path, content: str | None, problem: str) -> None:
    file = tmp_path / "Cache.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(ConfigurationError) as caught:
        assert_no_replacement(file, template())

    assert f"{file} {problem}" in str(caught.value)


def test_the_answer_of_get_template_is_a_template(tmp_path: Path) -> None:
    file = tmp_path / "deployed.json"
    file.write_text(json.dumps({"TemplateBody": template(Port=6379), "StagesAvailable": ["Original"]}))

    assert [change.properties for change in compare(file, template(Port=6380))] == [("Port",)]


@pytest.mark.parametrize("given", [None, 5, object(), ["template.json"]])
def test_an_argument_of_another_type_is_an_error(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="but it compares a template, the path of its file, or a folder"):
        assert_no_replacement(template(), given)


def test_a_folder_without_a_cloud_assembly_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"is no cloud assembly: it has no manifest\.json; run cdk synth"):
        assert_no_replacement(tmp_path, template())
