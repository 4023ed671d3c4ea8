"""The parameter ``access`` of all constructs and methods: an AccessString, its text, or a token."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    ElastiCacheUser,
    MemoryDbCluster,
    MemoryDbUser,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
    Store,
)

PASSWORD = "hunter2"
PASSWORD_RULES = (
    f">{PASSWORD}",
    f"<{PASSWORD}",
    f"#{PASSWORD}",
    f"!{PASSWORD}",
    f"> {PASSWORD}",
    f">a {PASSWORD} {PASSWORD}",
    f"+@all>{PASSWORD}",
    f"on>{PASSWORD}",
    f"nopass >{PASSWORD}",
    f"~* >{PASSWORD} ~{PASSWORD}",
)
WRONG = (
    *(None, True, 5, float("nan"), b"on >hunter2", ["on", ">hunter2"], {"on": PASSWORD}, "", " "),
    *(Authentication.iam(), object()),
)

Make = Callable[[cdk.Stack], Callable[[Any], object]]
"""Defines the store of a user, and returns a function that defines a user with an access string."""


def elasticache_user(stack: cdk.Stack) -> Callable[[Any], object]:
    ids = map("User{}".format, itertools.count())
    return lambda access: ElastiCacheUser(
        stack, next(ids), engine="valkey:8.1", access=access, authentication=Authentication.iam()
    )


def memorydb_user(stack: cdk.Stack) -> Callable[[Any], object]:
    ids = map("User{}".format, itertools.count())
    return lambda access: MemoryDbUser(stack, next(ids), access=access, authentication=Authentication.iam())


def user_of(store: Callable[..., Store], method: str) -> Make:
    def prepare(stack: cdk.Stack) -> Callable[[Any], object]:
        add = getattr(store(stack, "Store", network=RedisNetwork(stack, "Network")), method)
        return lambda access: add("x", access)

    return prepare


MAKERS = pytest.mark.parametrize(
    "make",
    [
        pytest.param(elasticache_user, id="ElastiCacheUser"),
        pytest.param(memorydb_user, id="MemoryDbUser"),
        *(
            pytest.param(user_of(store, method), id=f"{store.__name__}.{method}")
            for store in (ReplicationGroup, ServerlessCache, MemoryDbCluster)
            for method in ("add_iam_user", "add_password_user")
        ),
    ],
)


def access_strings(stack: cdk.Stack) -> list[Any]:
    template = Template.from_stack(stack)
    users = [*template.find_resources("AWS::ElastiCache::User").values()]
    users += template.find_resources("AWS::MemoryDB::User").values()
    return [user["Properties"]["AccessString"] for user in users]


@MAKERS
@pytest.mark.parametrize("access", ["ON  ~app:* +@READ", AccessString.on().keys("app:*").allow("@read")])
def test_text_is_read_like_the_value(stack: cdk.Stack, make: Make, access: Any) -> None:
    make(stack)(access)
    assert access_strings(stack) == ["on ~app:* +@read"]


@MAKERS
@pytest.mark.parametrize("form", ["value_as_string", "value"], ids=["text", "IResolvable"])
def test_a_token_passes(stack: cdk.Stack, make: Make, form: str) -> None:
    make(stack)(getattr(cdk.CfnParameter(stack, "Access"), form))
    assert access_strings(stack) == [{"Ref": "Access"}]


@MAKERS
def test_a_password_is_rejected_and_not_repeated(stack: cdk.Stack, make: Make) -> None:
    define = make(stack)
    for rules in PASSWORD_RULES:
        with pytest.raises(ConfigurationError, match="AWS rejects password rules") as caught:
            define(f"on ~* +@all {rules}")
        assert ": access: rule: got " in str(caught.value) or "\n  - access: rule: got " in str(caught.value)
        assert PASSWORD not in str(caught.value)


@MAKERS
def test_a_rule_that_aws_rejects_is_rejected(stack: cdk.Stack, make: Make) -> None:
    define = make(stack)
    for rule in ("nopass", "resetpass", "+@nonsense", "reset", "allthekeys", "+"):
        with pytest.raises(ConfigurationError) as caught:
            define(f"on ~* {rule}")
        assert caught.value.problems[0].startswith(f"access: rule: got '{rule}', but ")


@MAKERS
def test_anything_else_is_a_configuration_error(stack: cdk.Stack, make: Make) -> None:
    define = make(stack)
    for access in WRONG:
        with pytest.raises(ConfigurationError) as caught:
            define(access)
        assert caught.value.problems[0].startswith("access: "), access
        assert PASSWORD not in str(caught.value)


def test_the_message_names_the_construct_and_the_parameter(stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MemoryDbUser(stack, "User", access="on nopass ~* +@nonsense >hunter2", authentication="iam")
    first, category, second = caught.value.problems
    assert str(caught.value).startswith("Stack/User: 3 problems\n")
    assert first == (
        "access: rule: got 'nopass', but AWS rejects password rules in an access string; "
        "leave it out; `authentication` decides how the user signs in"
    )
    assert category.startswith("access: rule: got '+@nonsense', but the categories are admin, all, ")
    assert second == (
        "access: rule: got '>...', but AWS rejects password rules in an access string; "
        "leave it out; `authentication` decides how the user signs in"
    )
