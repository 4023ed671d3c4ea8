"""A serverless cache: one endpoint in cluster mode, whose shards and replicas the service chooses.

The tests use a real engine in cluster mode instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cdk_redis_local import EngineSet, find_engine
from cdk_redis_runtime import Connection, Declaration
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.connect import credential_provider
from cdk_redis_runtime._client.reading import SettingsError
from cdk_redis_runtime._smoke_test.battery import checks_of
from tests.runtime.support.battery import Battery, smoke_user

ENVIRONMENT = {
    env.SERVICE: "elasticache",
    env.STORE: "sessions",
    env.SERVERLESS: "true",
    env.HOST: "sessions.serverless.euw1.cache.example.com",
    env.PORT: "6379",
    env.TLS: "true",
    env.CLUSTER_MODE: "true",
    env.AUTHENTICATION: "iam",
    env.USER: "smoke",
    env.ENGINE: "valkey",
    env.ENGINE_VERSION: "8",
    env.KEY_PREFIX: "cdk-redis-smoke:",
    env.BUDGET_SECONDS: "20",
    "AWS_REGION": "eu-west-1",
}
CHECKS = {check.name for check in checks_of(env.ELASTICACHE)}
UNDECLARED: dict[str, Any] = {"shards": None, "replicas": None, "serverless": True}


def test_serverless_cache_is_read_from_the_environment() -> None:
    declared = Declaration.from_environment(ENVIRONMENT)
    assert (declared.shards, declared.replicas, declared.engine_version) == (None, None, "8")
    assert Connection.from_environment(ENVIRONMENT).serverless
    assert not Connection.from_environment({**ENVIRONMENT, env.SERVERLESS: ""}).serverless


def test_invalid_serverless_variable_is_rejected() -> None:
    with pytest.raises(SettingsError, match="CDK_REDIS_SERVERLESS: got 'yes', allowed are true, false"):
        Connection.from_environment({**ENVIRONMENT, env.SERVERLESS: "yes"})


@pytest.mark.parametrize(("serverless", "resource_type"), [("true", ["ServerlessCache"]), ("false", None)])
def test_token_has_the_resource_type_of_a_serverless_cache(
    serverless: str, resource_type: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fakeAccessKeyId")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fakeSecretKey")
    connection = Connection.from_environment({**ENVIRONMENT, env.SERVERLESS: serverless})
    provider = credential_provider(connection)
    assert provider is not None
    token = str(provider.get_credentials()[-1])
    assert parse_qs(urlsplit(f"//{token}").query).get("ResourceType") == resource_type


def test_every_check_passes_whatever_its_shards_and_replicas(cluster: EngineSet, battery: Battery) -> None:
    verdicts = battery(cluster, **UNDECLARED)
    assert verdicts.passed == CHECKS, verdicts.report
    assert verdicts["topology"] == "every slot is served, and engine and version are as declared"


def test_major_version_is_precise_enough(cluster: EngineSet, battery: Battery) -> None:
    version = find_engine().major_minor.split(".")[0]
    assert "topology" in battery(cluster, **UNDECLARED, engine_version=version).passed


def test_a_different_major_version_is_found(cluster: EngineSet, battery: Battery) -> None:
    verdicts = battery(cluster, **UNDECLARED, engine_version="99", budget=3.0)
    assert verdicts.failed == {"topology"}
    assert "(declared: " in verdicts["topology"]


def test_checks_of_replicas_are_skipped_if_the_service_hides_replicas(
    start: Callable[..., EngineSet], battery: Battery
) -> None:
    engines = start(shards=2, replicas=0, cluster_mode=True, users=[smoke_user()])
    battery(engines, **UNDECLARED).assert_are(
        {},
        {
            "replica-read": "the service chooses the number of replicas and shows none",
            "durability": "the service chooses the number of replicas and shows none",
        },
    )
