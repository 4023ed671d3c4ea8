"""Collection and messages of problems."""

from __future__ import annotations

import pickle

import aws_cdk as cdk
import pytest

from cdk_redis import ConfigurationError
from cdk_redis._core.errors import Problems, problem


def test_one_problem_is_one_line() -> None:
    error = ConfigurationError("App/Cache", [problem("replicas", 7, "a shard has 0 to 5 replicas", "add shards")])

    assert str(error) == "App/Cache: replicas: got 7, but a shard has 0 to 5 replicas; add shards"


def test_several_problems_are_listed_in_one_message() -> None:
    problems = Problems("App/Cache")
    problems.add("replicas", 7, "a shard has 0 to 5 replicas")
    problems.add("port", 80, "the services listen on 1150 to 65535")

    with pytest.raises(ConfigurationError) as caught:
        problems.raise_if_any()

    assert str(caught.value).splitlines() == [
        "App/Cache: 2 problems",
        "  - replicas: got 7, but a shard has 0 to 5 replicas",
        "  - port: got 80, but the services listen on 1150 to 65535",
    ]


def test_no_error_is_raised_without_problems() -> None:
    Problems("App/Cache").raise_if_any()


def test_the_error_can_be_pickled() -> None:
    error = ConfigurationError("App/Cache", ["port: got 80"])

    assert pickle.loads(pickle.dumps(error)).problems == ("port: got 80",)


@pytest.mark.parametrize("given", [None, 0, 5, pytest.param(cdk.Token.as_number({"Ref": "Count"}), id="token")])
def test_a_number_in_range_or_a_token_passes(given: int | None) -> None:
    problems = Problems("App/Cache")
    problems.check_range("replicas", given, 0, 5, "a shard has {low} to {high} replicas")
    problems.raise_if_any()


@pytest.mark.parametrize("given", [-1, 6, 1.5, "3", True])
def test_a_value_that_is_not_a_number_in_range_is_a_problem(given: object) -> None:
    problems = Problems("App/Cache")
    problems.check_range("replicas", given, 0, 5, "a shard has {low} to {high} replicas")  # type: ignore[arg-type]

    with pytest.raises(ConfigurationError, match="a shard has 0 to 5 replicas"):
        problems.raise_if_any()
