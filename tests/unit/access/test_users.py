"""Users that are made by hand, to be shared between stores: what is refused of them."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest

from cdk_redis import AccessString, Authentication, ConfigurationError, ElastiCacheUser, Engine, MemoryDbUser, User

IAM, PASSWORD = Authentication.iam(), Authentication.password()
READ = AccessString.read_only("*")


def _elasticache(stack: cdk.Stack, name: str | None) -> User:
    return ElastiCacheUser(stack, "App", engine=Engine.valkey("8.1"), access=READ, authentication=IAM, user_name=name)


def _memorydb(stack: cdk.Stack, name: str | None) -> User:
    return MemoryDbUser(stack, "App", access=READ, authentication=IAM, user_name=name)


@pytest.mark.parametrize("make", [_elasticache, _memorydb])
@pytest.mark.parametrize("name", ["", "a user", "-app", "a" * 41])
def test_a_name_that_aws_refuses_is_refused(
    name: str, make: Callable[[cdk.Stack, str | None], User], stack: cdk.Stack
) -> None:
    with pytest.raises(ConfigurationError, match=r"Stack/App: user_name: got .*or leave it out and a unique one"):
        make(stack, name)


@pytest.mark.parametrize("make", [_elasticache, _memorydb])
@pytest.mark.parametrize("name", ["a", "a" * 40])
def test_a_name_as_long_as_aws_allows_is_taken(
    name: str, make: Callable[[cdk.Stack, str | None], User], stack: cdk.Stack
) -> None:
    assert make(stack, name).user_name == name


@pytest.mark.parametrize(
    ("version", "authentication", "message"),
    [
        ("5.0.6", PASSWORD, "engine: got .* but users need Redis OSS 6.0 or newer, or Valkey"),
        ("6.2", IAM, "authentication: got 'iam', but redis 6.2 has no IAM users"),
    ],
)
def test_an_engine_without_such_users_is_refused(
    version: str, authentication: Authentication, message: str, stack: cdk.Stack
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ElastiCacheUser(stack, "App", engine=Engine.redis(version), access=READ, authentication=authentication)
