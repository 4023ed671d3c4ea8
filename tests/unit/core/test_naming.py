"""Generated names, and checks of given names."""

from __future__ import annotations

import re

import aws_cdk as cdk
import pytest
from aws_cdk import aws_memorydb as memorydb
from constructs import Construct

from cdk_redis._core.naming import description_of, digest, name_by_properties, name_problem, unique_name

VALID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@pytest.mark.parametrize("stack_name", ["Orders", "orders-prod-Eu-West-1", "A" * 120, "Double--Hyphen-"])
@pytest.mark.parametrize("max_length", [40, 50, 255])
def test_a_generated_name_is_valid_for_any_stack_name(stack_name: str, max_length: int) -> None:
    construct = Construct(cdk.Stack(cdk.App(), stack_name), "Cache-")

    for replaced_by in (None, ["port", 6379]):
        name = unique_name(construct, max_length=max_length, replaced_by=replaced_by)
        assert VALID.fullmatch(name)
        assert len(name) <= max_length


def test_two_constructs_have_different_names() -> None:
    stack = cdk.Stack(cdk.App(), "Orders")

    assert unique_name(Construct(stack, "One"), max_length=40) != unique_name(Construct(stack, "Two"), max_length=40)


def test_a_digest_contains_the_logical_ids_of_references() -> None:
    stack = cdk.Stack(cdk.App(), "Orders")
    one, two = (cdk.CfnResource(stack, name, type="AWS::KMS::Key") for name in ("One", "Two"))

    assert digest(stack, [one.ref]) == digest(stack, [one.ref])
    assert digest(stack, [one.ref]) != digest(stack, [two.ref])


def _cluster(**properties: object) -> memorydb.CfnCluster:
    store = Construct(cdk.Stack(cdk.App(), "Orders"), "Ledger")
    given = {"cluster_name": "", "acl_name": "open-access", "node_type": "db.t4g.small", **properties}
    return memorydb.CfnCluster(store, "Resource", **given)  # type: ignore[arg-type]


def _name(properties: tuple[str, ...], *also: object, **given: object) -> str:
    return name_by_properties(_cluster(**given), properties, *also, max_length=40)


def test_a_name_by_properties_changes_with_each_property() -> None:
    properties = ("port", "kms_key_id")

    assert _name(properties, port=6379) == _name(properties, port=6379, node_type="db.r7g.large")
    names = {_name(properties), _name(properties, port=6379), _name(properties, port=6380)}
    names |= {_name(properties, kms_key_id="key"), _name(properties, "vpc-1"), _name(properties, "vpc-2")}
    assert len(names) == 6


def test_a_name_by_properties_ignores_properties_that_are_not_set() -> None:
    assert _name(("port",), port=6379) == _name(("port", "kms_key_id", "newer_than_this_cdk"), None, port=6379)


def test_a_name_by_properties_begins_with_the_path_of_the_parent() -> None:
    assert re.fullmatch(r"orders-ledger-[0-9a-f]{8}-[0-9a-f]{8}", _name(("port",)))


@pytest.mark.parametrize("name", ["orders", "a", "orders-1", "o" * 40, cdk.Token.as_string({"Ref": "Name"})])
def test_a_valid_name_or_a_token_has_no_problem(name: str) -> None:
    assert name_problem(name, max_length=40) is None


@pytest.mark.parametrize("name", ["", "Orders", "1st", "-a", "a-", "a--b", "a_b", "a b", "o" * 41, "straße", "a\n"])
def test_the_problem_of_an_invalid_name_says_what_is_allowed(name: str) -> None:
    problem = name_problem(name, max_length=40)

    assert problem is not None
    assert problem.startswith("a name has 1 to 40 lower-case letters")


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("Store CacheStack/Cache (prod) #1: a_b.c-d", "Store CacheStack/Cache (prod) #1: a_b.c-d"),
        ("Store Stack/Müller's Café", "Store Stack/Muller-s Cafe"),
        ('Store "Stack" <b>|%~^?', "Store -Stack- -b------"),
        ("Store 数据\n\u202e", "Store ----"),
        ("a" * 300, "a" * 255),
    ],
)
def test_a_description_has_the_characters_that_aws_accepts(text: str, description: str) -> None:
    assert description_of(text) == description
