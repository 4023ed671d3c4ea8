"""A binding may have a name: `connect("ledger")` reads `CDK_REDIS_LEDGER_*`."""

from __future__ import annotations

import pytest

from cdk_redis_runtime import Connection, SettingsError, connect
from cdk_redis_runtime._client import environment as env

ENVIRONMENT = {
    env.SERVICE: "elasticache",
    env.STORE: "orders",
    env.HOST: "clustercfg.orders.example.com",
    env.PORT: "6379",
    env.TLS: "true",
    env.CLUSTER_MODE: "true",
    env.AUTHENTICATION: "iam",
    env.USER: "app",
    "AWS_REGION": "eu-west-1",
}


def named(name: str, **changes: str) -> dict[str, str]:
    variables = {**ENVIRONMENT, **{getattr(env, field): value for field, value in changes.items()}}
    return {env.variable(key, name) if key in env.BINDING_VARIABLES else key: value for key, value in variables.items()}


@pytest.mark.parametrize(
    ("field", "name", "variable"),
    [
        (env.HOST, None, "CDK_REDIS_HOST"),
        (env.HOST, "ledger", "CDK_REDIS_LEDGER_HOST"),
        (env.READER_HOST, "order-ledger", "CDK_REDIS_ORDER_LEDGER_READER_HOST"),
    ],
)
def test_variable_has_the_name_of_the_binding(field: str, name: str | None, variable: str) -> None:
    assert env.variable(field, name) == variable


@pytest.mark.parametrize("name", ["a", "ledger", "order-ledger", "x9", "a" * 32, "cluster", "stores", "readers"])
def test_name_of_a_binding_is_accepted(name: str) -> None:
    assert env.why_not_a_binding_name(name) is None


@pytest.mark.parametrize("name", ["", "Ledger", "9a", "-a", "a_b", "a b", "a" * 33, "ledger\n", "\u00e9"])
def test_name_of_a_binding_with_other_characters_is_refused(name: str) -> None:
    assert env.why_not_a_binding_name(name) == (
        "a name has 1 to 32 lower-case letters, digits and hyphens, and begins with a letter"
    )


@pytest.mark.parametrize(
    ("name", "qualifier"),
    [("reader", "reader"), ("store", "store"), ("app-reader", "reader"), ("my-store", "store")],
)
def test_name_of_a_binding_whose_variables_have_two_meanings_is_refused(name: str, qualifier: str) -> None:
    assert env.why_not_a_binding_name(name) == (
        f"a name does not end in {qualifier!r}, because CDK_REDIS_{qualifier.upper()}_... are other variables"
    )


def test_variables_of_accepted_names_are_no_other_variables() -> None:
    # Each part of a variable's name is a candidate, such as "cluster" of CDK_REDIS_CLUSTER_MODE.
    every = {value for value in vars(env).values() if isinstance(value, str) and value.startswith(env.PREFIX)}
    words = [value.removeprefix(env.PREFIX).lower().split("_") for value in every]
    parts = {"-".join(one[:end]) for one in words for end in range(1, len(one) + 1)} - {""}
    names = [name for part in parts for name in (part, f"app-{part}") if env.why_not_a_binding_name(name) is None]
    variables = [env.variable(field, name) for name in ["app", *names] for field in env.BINDING_VARIABLES]
    assert len(variables) == len(set(variables))
    assert not every.intersection(variables)


def test_connection_of_a_named_binding_is_read() -> None:
    environment = named("ledger", HOST="ledger.example", USER="writer") | ENVIRONMENT
    assert Connection.from_environment(environment, "ledger").host == "ledger.example"
    assert Connection.from_environment(environment, "ledger").region == "eu-west-1"
    assert Connection.from_environment(environment).user == "app"


def test_region_of_the_binding_comes_before_that_of_the_function() -> None:
    environment = named("ledger", REGION="eu-north-1")
    assert Connection.from_environment(environment, "ledger").region == "eu-north-1"
    assert Connection.from_environment(ENVIRONMENT | {env.REGION: "eu-north-1"}).region == "eu-north-1"


def test_problem_of_a_named_binding_names_its_variable() -> None:
    with pytest.raises(SettingsError) as refused:
        connect("ledger", environment=named("ledger", PORT="six"))
    assert refused.value.problems == ("CDK_REDIS_LEDGER_PORT: got 'six', allowed is a whole number from 1 to 65535",)


@pytest.mark.parametrize("name", [None, "lodger"])
def test_error_for_an_unknown_name_lists_the_bindings(name: str | None) -> None:
    with pytest.raises(SettingsError, match=r"the bindings are ledger, orders: call connect\('ledger'\)"):
        connect(name, environment=named("orders") | named("ledger"))


def test_name_that_no_binding_can_have_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"name: got 'Ledger', but a name has 1 to 32"):
        connect("Ledger", environment={})
