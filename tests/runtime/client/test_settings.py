"""Settings are read from the environment, and all problems are reported together."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.reading import SettingsError
from cdk_redis_runtime._client.settings import Address, Connection
from cdk_redis_runtime._smoke_test.declaration import Declaration

ENVIRONMENT = {
    env.SERVICE: "elasticache",
    env.STORE: "orders",
    env.HOST: "clustercfg.orders.example.com",
    env.PORT: "6379",
    env.TLS: "true",
    env.CLUSTER_MODE: "true",
    env.AUTHENTICATION: "iam",
    env.USER: "smoke",
    env.ENGINE: "valkey",
    env.ENGINE_VERSION: "8.1",
    env.SHARDS: "3",
    env.REPLICAS: "1",
    env.KEY_PREFIX: "cdk-redis-smoke:",
    env.BUDGET_SECONDS: "20",
    "AWS_REGION": "eu-west-1",
}


def test_connection_is_read_from_the_environment() -> None:
    assert Connection.from_environment(ENVIRONMENT) == Connection(
        service="elasticache",
        store="orders",
        host="clustercfg.orders.example.com",
        port=6379,
        tls=True,
        cluster_mode=True,
        authentication="iam",
        user="smoke",
        region="eu-west-1",
    )


def test_declaration_is_read_from_the_environment() -> None:
    assert Declaration.from_environment(ENVIRONMENT) == Declaration("valkey", "8.1", 3, 1, "cdk-redis-smoke:", 20)


def test_zero_replicas_can_be_declared() -> None:
    assert Declaration.from_environment(ENVIRONMENT | {env.REPLICAS: "0"}).replicas == 0


def test_reader_endpoint_is_read_if_it_is_set() -> None:
    reader = {env.READER_HOST: "reader.example.com", env.READER_PORT: "6380"}
    assert Connection.from_environment(ENVIRONMENT | reader).reader == Address("reader.example.com", 6380)


def test_security_groups_are_read_if_they_are_set() -> None:
    groups = {env.SECURITY_GROUPS: "sg-1", env.STORE_SECURITY_GROUPS: "sg-2,sg-3"}
    connection = Connection.from_environment(ENVIRONMENT | groups)
    assert (connection.security_groups, connection.store_security_groups) == (("sg-1",), ("sg-2", "sg-3"))


def test_region_falls_back_to_the_default_region() -> None:
    environment = ENVIRONMENT | {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-2"}
    assert Connection.from_environment(environment).region == "us-east-2"


def test_no_user_and_no_region_are_needed_without_authentication() -> None:
    environment = ENVIRONMENT | {env.AUTHENTICATION: "none", env.USER: "", "AWS_REGION": ""}
    connection = Connection.from_environment(environment)
    assert (connection.user, connection.region) == (None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({env.HOST: ""}, "CDK_REDIS_HOST is not set"),
        ({env.PORT: "0"}, "CDK_REDIS_PORT: got '0', allowed is a whole number from 1 to 65535"),
        ({env.PORT: "six"}, "CDK_REDIS_PORT: got 'six'"),
        ({env.TLS: "yes"}, "CDK_REDIS_TLS: got 'yes', allowed are true, false"),
        ({env.SERVICE: "redis"}, "CDK_REDIS_SERVICE: got 'redis', allowed are elasticache, memorydb"),
        ({env.AUTHENTICATION: "password"}, "CDK_REDIS_SECRET_ARN is not set"),
        ({env.USER: ""}, "CDK_REDIS_USER is not set"),
        ({"AWS_REGION": ""}, "AWS_REGION or AWS_DEFAULT_REGION is not set"),
        ({env.PORT: "65536"}, "CDK_REDIS_PORT: got '65536'"),
        ({env.READER_HOST: "reader"}, "CDK_REDIS_READER_PORT is not set"),
        ({env.READER_HOST: "reader", env.READER_PORT: "0"}, "CDK_REDIS_READER_PORT: got '0'"),
        ({env.READER_HOST: "reader", env.READER_PORT: "65536"}, "CDK_REDIS_READER_PORT: got '65536'"),
    ],
)
def test_invalid_connection_variable_is_reported(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Connection.from_environment(ENVIRONMENT | change)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({env.ENGINE: "memcached"}, "CDK_REDIS_ENGINE: got 'memcached', allowed are valkey, redis"),
        ({env.SHARDS: "0"}, "CDK_REDIS_SHARDS: got '0'"),
        ({env.SHARDS: "501"}, "CDK_REDIS_SHARDS: got '501'"),
        ({env.REPLICAS: "6"}, "CDK_REDIS_REPLICAS: got '6'"),
        ({env.KEY_PREFIX: ""}, "CDK_REDIS_KEY_PREFIX is not set"),
    ],
)
def test_invalid_declaration_variable_is_reported(change: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Declaration.from_environment(ENVIRONMENT | change)
    assert message in str(refused.value)


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(SettingsError) as refused:
        Connection.from_environment({})
    assert len(refused.value.problems) == 7


def test_settings_import_no_client_library() -> None:
    program = (
        "import sys, cdk_redis_runtime._client.environment, cdk_redis_runtime._client.settings;"
        "print([m for m in ('redis', 'boto3', 'botocore', 'aws_cdk', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
