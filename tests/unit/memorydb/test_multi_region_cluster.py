"""A MemoryDB Multi-Region cluster and its members."""

from __future__ import annotations

import re
from dataclasses import dataclass

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    ConfigurationError,
    Engine,
    MemoryDbCluster,
    MemoryDbParameterGroup,
    MultiRegionCluster,
    RedisNetwork,
    SmokeTest,
)

MULTI_REGION = "AWS::MemoryDB::MultiRegionCluster"
MEMBER = "AWS::MemoryDB::Cluster"


@dataclass
class Place:
    stack: cdk.Stack
    network: RedisNetwork


def place(region: str = "eu-west-1", app: cdk.App | None = None) -> Place:
    env = cdk.Environment(account="111122223333", region=region)
    stack = cdk.Stack(app or cdk.App(), f"Stack-{region}", env=env, cross_region_references=True)
    return Place(stack, RedisNetwork(stack, "Network", zones=2))


@pytest.fixture
def home() -> Place:
    return place()


def properties(stack: cdk.Stack, resource_type: str = MEMBER) -> dict[str, object]:
    (resource,) = Template.from_stack(stack).find_resources(resource_type).values()
    return resource["Properties"]


def test_the_defaults_meet_the_requirements_of_the_service(home: Place) -> None:
    MultiRegionCluster(home.stack, "Everywhere")

    given = properties(home.stack, MULTI_REGION)
    suffix = given.pop("MultiRegionClusterNameSuffix")
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", str(suffix))
    assert len(str(suffix)) <= 34
    assert given == {
        "Description": "Stack-eu-west-1/Everywhere",
        "Engine": "valkey",
        "EngineVersion": "7.3",
        "NodeType": "db.r7g.xlarge",
        "NumShards": 1,
        "TLSEnabled": True,
    }


def test_every_parameter_reaches_the_template(home: Place) -> None:
    MultiRegionCluster(
        home.stack,
        "Everywhere",
        engine=Engine.valkey("7.3"),
        node_type="db.r7g.2xlarge",
        shards=3,
        parameter_group_name="everywhere",
        name_suffix="ledger",
        description="Ledger",
        update_strategy="UNCOORDINATED",
    )

    assert properties(home.stack, MULTI_REGION) == {
        "Description": "Ledger",
        "Engine": "valkey",
        "EngineVersion": "7.3",
        "MultiRegionClusterNameSuffix": "ledger",
        "MultiRegionParameterGroupName": "everywhere",
        "NodeType": "db.r7g.2xlarge",
        "NumShards": 3,
        "TLSEnabled": True,
        "UpdateStrategy": "UNCOORDINATED",
    }


def test_a_member_leaves_out_the_properties_of_its_multi_region_cluster(home: Place) -> None:
    everywhere = MultiRegionCluster(home.stack, "Everywhere", node_type="db.r7g.2xlarge", shards=3)
    member = MemoryDbCluster(home.stack, "Ledger", network=home.network, replicas=2, multi_region=everywhere)

    given = properties(home.stack)
    assert given["MultiRegionClusterName"] == {"Ref": home.stack.get_logical_id(everywhere.resource)}
    assert (given["NodeType"], given["NumReplicasPerShard"]) == ("db.r7g.2xlarge", 2)
    left_out = {"Engine", "EngineVersion", "NumShards", "ParameterGroupName", "TLSEnabled", "DataTiering"}
    assert not left_out & given.keys()
    assert (member.topology.shards, member.topology.engine, member.parameter_group) == (3, everywhere.engine, None)
    Template.from_stack(home.stack).resource_count_is("AWS::MemoryDB::ParameterGroup", 0)


def test_a_member_accepts_the_values_of_its_multi_region_cluster(home: Place) -> None:
    everywhere = MultiRegionCluster(home.stack, "Everywhere", shards=3)
    MemoryDbCluster(
        home.stack,
        "Ledger",
        network=home.network,
        engine=Engine.valkey("7.3"),
        node_type="db.r7g.xlarge",
        shards=3,
        multi_region=everywhere,
    )

    assert properties(home.stack)["NodeType"] == "db.r7g.xlarge"


def test_a_member_can_be_in_another_region() -> None:
    app = cdk.App()
    home, away = place(app=app), place("us-west-2", app)
    everywhere = MultiRegionCluster(home.stack, "Everywhere")
    for region in (home, away):
        MemoryDbCluster(region.stack, "Ledger", network=region.network, multi_region=everywhere)

    assert "ExportsReader" in str(properties(away.stack)["MultiRegionClusterName"])


def test_an_imported_multi_region_cluster_can_have_members(home: Place) -> None:
    everywhere = MultiRegionCluster.from_multi_region_cluster_attributes(
        home.stack, "Everywhere", multi_region_cluster_name="virxk-ledger", node_type="db.r7g.4xlarge", shards=2
    )
    MemoryDbCluster(home.stack, "Ledger", network=home.network, multi_region=everywhere)

    given = properties(home.stack)
    assert (given["MultiRegionClusterName"], given["NodeType"]) == ("virxk-ledger", "db.r7g.4xlarge")


def _names(**given: object) -> tuple[object, object]:
    home = place()
    everywhere = MultiRegionCluster(home.stack, "Everywhere", **given)  # type: ignore[arg-type]
    MemoryDbCluster(home.stack, "Ledger", network=home.network, multi_region=everywhere)
    suffix = properties(home.stack, MULTI_REGION)["MultiRegionClusterNameSuffix"]
    return suffix, properties(home.stack)["ClusterName"]


def test_scaling_changes_no_generated_name() -> None:
    assert _names() == _names(shards=3, node_type="db.r7g.2xlarge")


def test_a_replacement_changes_the_generated_names_of_the_cluster_and_its_members() -> None:
    suffix, member = _names()
    other_suffix, other_member = _names(parameter_group_name="everywhere")

    assert suffix != other_suffix
    assert member != other_member


LEGAL = (
    "a name has 1 to 34 lower-case letters, digits and single hyphens, begins with a letter "
    "and does not end with a hyphen"
)
NODES = "Multi-Region clusters run on db.r7g.xlarge and larger; use one such as db.r7g.xlarge"
ENGINES = "Multi-Region clusters run Valkey 7.3 or newer"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"node_type": "db.r7g.large"}, f"node_type: got 'db.r7g.large', but {NODES}"),
        ({"node_type": "db.t4g.small"}, f"node_type: got 'db.t4g.small', but {NODES}"),
        ({"node_type": "db.r6gd.xlarge"}, f"node_type: got 'db.r6gd.xlarge', but {NODES}"),
        ({"engine": Engine.valkey("7.2")}, f"engine: got 'valkey 7.2', but {ENGINES}"),
        ({"engine": Engine.redis("7.1")}, f"engine: got 'redis 7.1', but {ENGINES}"),
        ({"shards": 0}, "shards: got 0, but a store has 1 to 500 shards"),
        ({"name_suffix": "Ledger"}, f"name_suffix: got 'Ledger', but {LEGAL}"),
        (
            {"update_strategy": "coordinated"},
            "update_strategy: got 'coordinated', but it is one of COORDINATED, UNCOORDINATED",
        ),
    ],
    ids=str,
)
def test_an_invalid_multi_region_cluster_is_rejected(home: Place, given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MultiRegionCluster(home.stack, "Everywhere", **given)  # type: ignore[arg-type]
    assert str(caught.value) == f"Stack-eu-west-1/Everywhere: {message}"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"engine": Engine.valkey("7.2")},
            "engine: got 'valkey 7.2', but the Multi-Region cluster sets it to valkey 7.3; leave it out",
        ),
        (
            {"node_type": "db.r7g.large"},
            "node_type: got 'db.r7g.large', but the Multi-Region cluster sets it to db.r7g.xlarge; leave it out",
        ),
        ({"shards": 2}, "shards: got 2, but the Multi-Region cluster sets it to 3; leave it out"),
        (
            {"parameters": {"timeout": "5"}},
            "parameters: got {'timeout': '5'}, but the Multi-Region cluster sets the parameters; give the "
            "Multi-Region cluster a `parameter_group_name`",
        ),
        (
            {"unsafe_open_access": True, "unsafe_plaintext": True},
            "unsafe_plaintext: got True, but the members of a Multi-Region cluster use TLS; leave it out",
        ),
    ],
    ids=str,
)
def test_a_parameter_that_contradicts_the_multi_region_cluster_is_rejected(
    home: Place, given: dict[str, object], message: str
) -> None:
    everywhere = MultiRegionCluster(home.stack, "Everywhere", shards=3)

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(home.stack, "Ledger", network=home.network, multi_region=everywhere, **given)  # type: ignore[arg-type]
    assert str(caught.value) == f"Stack-eu-west-1/Ledger: {message}"


def test_a_member_with_a_parameter_group_is_rejected(home: Place) -> None:
    everywhere = MultiRegionCluster(home.stack, "Everywhere")
    group = MemoryDbParameterGroup.from_parameter_group_name(home.stack, "Parameters", "mine")

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(home.stack, "Ledger", network=home.network, multi_region=everywhere, parameter_group=group)
    assert str(caught.value) == (
        "Stack-eu-west-1/Ledger: parameter_group: got 'mine', but the Multi-Region cluster sets it; give the "
        "Multi-Region cluster a `parameter_group_name`"
    )


def test_a_smoke_test_of_a_member_is_rejected_because_keys_cannot_expire(home: Place) -> None:
    everywhere = MultiRegionCluster(home.stack, "Everywhere")
    member = MemoryDbCluster(home.stack, "Ledger", network=home.network, multi_region=everywhere)

    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(home.stack, "SmokeTest", target=member)
    assert str(caught.value) == (
        "Stack-eu-west-1/SmokeTest: target: got 'Stack-eu-west-1/Ledger', but keys of Multi-Region clusters cannot "
        "expire, and a smoke test sets a time to live on its keys"
    )


def test_a_region_that_the_guide_does_not_list_gets_a_warning() -> None:
    home = place("eu-south-2")
    everywhere = MultiRegionCluster(home.stack, "Everywhere")
    MemoryDbCluster(home.stack, "Ledger", network=home.network, multi_region=everywhere)

    for path in ("Everywhere", "Ledger"):
        Annotations.from_stack(home.stack).has_warning(
            f"/{home.stack.stack_name}/{path}",
            Match.string_like_regexp("^AWS does not list eu-south-2 for MemoryDB Multi-Region, but us-east-1, "),
        )
