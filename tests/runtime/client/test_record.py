"""A connection record is JSON text that describes a store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_redis_runtime import Address, Connection, ConnectionRecord, SettingsError, connect
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.record import FIELDS, record_text

RECORD = ConnectionRecord(
    Connection(
        service="elasticache",
        store="orders",
        host="master.orders.example.com",
        port=6379,
        reader=Address("replica.orders.example.com", 6380),
        cluster_mode=False,
        authentication="password",
        user="app",
        secret_arn="arn:aws:secretsmanager:eu-west-1:111122223333:secret:app",
        region="eu-west-1",
    ),
    engine="valkey",
    engine_version="8.1",
    store_security_group="sg-1",
    client_security_group="sg-2",
    policy_arn="arn:aws:iam::111122223333:policy/orders",
)
TEXT = (
    '{"version":"1","service":"elasticache","store":"orders","host":"master.orders.example.com","port":"6379",'
    '"reader_host":"replica.orders.example.com","reader_port":"6380","tls":"true","cluster_mode":"false",'
    '"serverless":"false","engine":"valkey","engine_version":"8.1","region":"eu-west-1","user":"app",'
    '"authentication":"password","secret_arn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:app",'
    '"store_security_group":"sg-1","client_security_group":"sg-2","policy_arn":"arn:aws:iam::111122223333:policy/orders"}'
)


def changed(**fields: Any) -> str:
    return json.dumps(json.loads(TEXT) | fields)


def test_record_is_flat_json_in_a_fixed_order() -> None:
    assert RECORD.to_json() == TEXT
    assert tuple(json.loads(TEXT)) == FIELDS


def test_record_is_read_as_it_was_written() -> None:
    assert ConnectionRecord.from_json(TEXT) == RECORD


def test_record_without_optional_values_is_read_as_it_was_written() -> None:
    record = ConnectionRecord(Connection("memorydb", "orders", "host", 6379, authentication="none"))
    assert ConnectionRecord.from_json(record.to_json()) == record


def test_record_of_variables_has_the_same_text() -> None:
    values = {f"CDK_REDIS_{field.upper()}": value for field, value in json.loads(TEXT).items()}
    assert record_text(values | {"CDK_REDIS_DIGEST": "ignored"}) == TEXT


def test_unknown_fields_and_another_order_are_accepted() -> None:
    shuffled = dict(reversed(json.loads(changed(new="value")).items()))
    assert ConnectionRecord.from_json(json.dumps(shuffled, indent=2)) == RECORD


@pytest.mark.parametrize("name", [None, "ledger"])
def test_record_in_a_variable_is_read_if_the_binding_has_no_other(name: str | None) -> None:
    environment = {
        env.variable(env.RECORD, name): TEXT,
        env.variable(env.HOST, "another"): "x",
        "AWS_REGION": "eu-west-2",
    }
    assert Connection.from_environment(environment, name) == RECORD.connection


def test_other_variables_of_the_binding_come_before_its_record() -> None:
    with pytest.raises(SettingsError, match="CDK_REDIS_PORT is not set"):
        Connection.from_environment({env.RECORD: TEXT, env.HOST: "another"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/orders/cache", "it is not JSON; give the value of the parameter that store.share() created, not its name"),
        ("", "it is not JSON; give the value of the parameter that store.share() created, not its name"),
        ("[]", "it is not a JSON object"),
        (changed(port=6379), "port is not a text"),
        (changed(version="2"), "version: got '2', this version of cdk-redis-runtime reads '1'"),
        (changed(port="six"), "port: got 'six', allowed is a whole number from 1 to 65535"),
        (changed(region=""), "region is not set"),
        (changed(secret_arn=""), "secret_arn is not set"),
    ],
)
def test_text_that_is_not_a_record_is_refused(text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        connect(record=text)
    assert str(refused.value) == f"the record does not describe a store: {problem}"


def test_every_problem_of_a_record_is_reported() -> None:
    with pytest.raises(SettingsError) as refused:
        ConnectionRecord.from_json("{}")
    assert refused.value.problems == (
        "version: got '', this version of cdk-redis-runtime reads '1'",
        *(
            f"{field} is not set"
            for field in ("authentication", "service", "store", "host", "port", "tls", "cluster_mode")
        ),
    )


def test_error_of_a_record_in_a_variable_names_the_variable() -> None:
    with pytest.raises(SettingsError, match=r"^CDK_REDIS_LEDGER_RECORD does not describe a store: it is not JSON"):
        connect("ledger", environment={"CDK_REDIS_LEDGER_RECORD": "/orders/cache"})


def test_name_and_environment_exclude_a_record() -> None:
    with pytest.raises(SettingsError, match="give either a record, or a name and an environment"):
        connect("ledger", record=TEXT)
