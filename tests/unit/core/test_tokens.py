from typing import Any

import aws_cdk as cdk
import pytest

from cdk_redis._core.tokens import is_token

TOKENS = [
    pytest.param(lambda: cdk.Fn.ref("Name"), id="text"),
    pytest.param(lambda: f"prefix-{cdk.Aws.REGION}", id="text-around"),
    pytest.param(lambda: cdk.Token.as_number(cdk.Fn.ref("Count")), id="number"),
    pytest.param(lambda: int(cdk.Token.as_number(cdk.Fn.ref("Count"))), id="whole-number"),
    pytest.param(lambda: cdk.Fn.split(",", cdk.Fn.ref("Names")), id="list"),
    pytest.param(lambda: ["a", cdk.Fn.ref("Name")], id="list-with-one"),
    pytest.param(lambda: cdk.Fn.get_att("Store", "Arn"), id="object"),
]


@pytest.mark.parametrize("make", TOKENS)
def test_every_kind_of_token_is_recognised(make: Any):
    assert is_token(make()) is True


@pytest.mark.parametrize(
    "value",
    [
        *("", "text", "${Token", "\ud800", 0, 1, -1, -1.5, True, None),
        *(float("nan"), float("inf"), float("-inf"), -1e280, 10**30),
        *((), ("a",), [], ["a", 1], {}, {"a": 1}, set(), object(), int),
    ],
)
def test_other_values_are_no_tokens_and_cause_no_jsii_error(value: object):
    assert is_token(value) is False
