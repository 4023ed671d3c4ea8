"""Generated names, and what is said of names given by hand."""

from __future__ import annotations

import re

import aws_cdk as cdk
import pytest
from constructs import Construct

from cdk_redis._core.naming import digest, final_snapshot_name, name_problem, unique_name

LEGAL = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@pytest.mark.parametrize("stack_name", ["Orders", "orders-prod-Eu-West-1", "A" * 120, "Double--Hyphen-"])
@pytest.mark.parametrize("max_length", [40, 50, 255])
def test_a_generated_name_is_legal_whatever_the_stack_is_called(stack_name: str, max_length: int) -> None:
    construct = Construct(cdk.Stack(cdk.App(), stack_name), "Cache-")

    for replaced_by in (None, ["port", 6379]):
        name = unique_name(construct, max_length=max_length, replaced_by=replaced_by)
        assert LEGAL.fullmatch(name)
        assert len(name) <= max_length


def test_two_constructs_have_two_names() -> None:
    stack = cdk.Stack(cdk.App(), "Orders")

    assert unique_name(Construct(stack, "One"), max_length=40) != unique_name(Construct(stack, "Two"), max_length=40)


def test_a_digest_reads_references_by_their_logical_id() -> None:
    stack = cdk.Stack(cdk.App(), "Orders")
    one, two = (cdk.CfnResource(stack, name, type="AWS::KMS::Key") for name in ("One", "Two"))

    assert digest(stack, [one.ref]) == digest(stack, [one.ref])
    assert digest(stack, [one.ref]) != digest(stack, [two.ref])


@pytest.mark.parametrize("name", ["orders", "a", "orders-1", "o" * 40, cdk.Token.as_string({"Ref": "Name"})])
def test_a_legal_name_or_a_token_has_no_problem(name: str) -> None:
    assert name_problem(name, max_length=40) is None


@pytest.mark.parametrize("name", ["", "Orders", "1st", "-a", "a-", "a--b", "a_b", "a b", "o" * 41, "straße", "a\n"])
def test_an_illegal_name_is_told_what_is_allowed(name: str) -> None:
    problem = name_problem(name, max_length=40)

    assert problem is not None
    assert problem.startswith("a name has 1 to 40 lower-case letters")


def test_a_final_snapshot_is_named_after_the_store_and_this_very_stack() -> None:
    stack = cdk.Stack(cdk.App(), "Orders")

    named = stack.resolve(final_snapshot_name(Construct(stack, "Ledger"), "ledger"))

    uuid = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    assert named == {"Fn::Join": ["-", ["ledger-final", {"Fn::Select": [0, {"Fn::Split": ["-", uuid]}]}]]}
