"""Names of node types, and features that depend on them."""

from __future__ import annotations

from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from cdk_redis import ConfigurationError, NodeType


@pytest.mark.parametrize(
    ("name", "prefix", "family", "size"),
    [
        ("cache.r7g.large", "cache", "r7g", "large"),
        ("db.r6gd.16xlarge", "db", "r6gd", "16xlarge"),
        ("t4g.small", "", "t4g", "small"),
    ],
)
def test_a_name_has_a_prefix_a_family_and_a_size(name: str, prefix: str, family: str, size: str) -> None:
    node_type = NodeType.from_text(name)

    assert (node_type.prefix, node_type.family, node_type.size, str(node_type)) == (prefix, family, size, name)


@pytest.mark.parametrize(
    ("name", "burstable", "data_tiering", "nitro"),
    [
        ("cache.r7g.large", False, False, True),
        ("cache.t4g.small", True, False, True),
        ("cache.t2.small", True, False, False),
        ("cache.r6gd.xlarge", False, True, True),
        ("cache.m4.large", False, False, False),
    ],
)
def test_features_of_a_node_depend_on_its_family(name: str, burstable: bool, data_tiering: bool, nitro: bool) -> None:
    node_type = NodeType(name)

    assert (node_type.burstable, node_type.data_tiering, node_type.nitro) == (burstable, data_tiering, nitro)


def test_an_ec2_instance_type_is_converted_for_either_service() -> None:
    node_type = NodeType.from_instance_type(ec2.InstanceType.of(ec2.InstanceClass.R7G, ec2.InstanceSize.XLARGE))

    assert node_type == NodeType("r7g.xlarge")
    assert node_type.name_in("cache") == "cache.r7g.xlarge"
    assert node_type.name_in("db") == "db.r7g.xlarge"


def test_a_newer_node_type_is_not_looked_up() -> None:
    node_type = NodeType.of("cache.r9gd.large")

    assert (node_type.name, node_type.checked, node_type.data_tiering) == ("cache.r9gd.large", False, True)
    assert node_type == NodeType("cache.r9gd.large")


def test_whether_a_node_type_is_looked_up_is_true_or_false() -> None:
    with pytest.raises(ConfigurationError) as caught:
        NodeType("cache.r7g.large", checked=cast("Any", "no"))

    assert str(caught.value) == "NodeType: checked: got 'no', but it is True or False"


def test_a_name_with_a_prefix_keeps_it() -> None:
    assert NodeType("cache.r7g.large").name_in("db") == "cache.r7g.large"


def test_a_token_passes_and_counts_as_current_generation() -> None:
    token = cdk.Fn.ref("NodeType")
    node_type = NodeType.from_text(token)

    assert node_type.name_in("cache") == token
    assert (node_type.prefix, node_type.family, node_type.size) == ("", "", "")
    assert (node_type.burstable, node_type.data_tiering, node_type.nitro) == (False, False, True)


@pytest.mark.parametrize(
    "name", ["", "large", "cache.r7g", "cache.large.", "ec2.r7g.large", "cache.r7g.large\n", 7, None, ["r7g"]]
)
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        NodeType.from_text(name)

    assert str(caught.value) == (
        f'NodeType: text: got {name!r}, but a node type reads "cache.r7g.large" in ElastiCache '
        'and "db.r7g.large" in MemoryDB'
    )
