"""`connect()` makes a client from the environment of a bound function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import AuthenticationError, NoPermissionError, RedisClusterException
from redis.exceptions import ConnectionError as RedisConnectionError

from cdk_redis_local import CertificateAuthority, EngineSet
from cdk_redis_runtime import ClientTimeouts, Connection, SettingsError, connect
from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.clients import ClientOptions, cluster_options
from cdk_redis_runtime._client.credentials import SHARED_FAILURE_SECONDS
from cdk_redis_runtime._client.pool import pool_class
from tests.runtime.support.environment import bound_environment
from tests.runtime.support.secrets_manager import SecretsManager

PASSWORD = "correct-horse-battery-staple"
KEY = "cdk-redis-smoke:connect"


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    with SecretsManager("smoke", PASSWORD) as manager:
        manager.announce(monkeypatch)
        yield manager


@pytest.fixture
def bound(secrets_manager: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> Callable[[EngineSet], dict[str, str]]:
    """Returns the environment of a function that is bound to a store, with the password in a secret."""

    def variables(engines: EngineSet) -> dict[str, str]:
        monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
        return bound_environment(engines)

    return variables


@pytest.mark.parametrize(("store", "kind"), [("cluster", RedisCluster), ("single", Redis)])
def test_client_signs_in_writes_and_reads(
    store: str, kind: type, bound: Callable[[EngineSet], dict[str, str]], request: pytest.FixtureRequest
) -> None:
    client = connect(environment=bound(request.getfixturevalue(store)))
    assert isinstance(client, kind)
    assert client.set(KEY, "1", ex=60)
    assert client.get(KEY) == "1"
    assert client.delete(KEY) == 1
    with pytest.raises(NoPermissionError):
        client.set("another", "1")
    client.close()


def test_default_environment_is_that_of_the_process(
    single: EngineSet, bound: Callable[[EngineSet], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bound(single).items():
        monkeypatch.setenv(name, value)
    client = connect()
    assert client.get(KEY) is None
    client.close()


def test_server_with_an_untrusted_certificate_is_rejected(
    cluster: EngineSet,
    bound: Callable[[EngineSet], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = bound(cluster)
    other = CertificateAuthority(tmp_path_factory.mktemp("other") / "ca")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.ca_file))
    with pytest.raises(RedisClusterException, match="CERTIFICATE_VERIFY_FAILED"):
        connect(environment=variables)
    with pytest.raises(RedisConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        connect(environment={**variables, env.CLUSTER_MODE: "false"}).get(KEY)


def test_failure_of_secrets_manager_is_retried_like_a_failed_connection(
    single: EngineSet, bound: Callable[[EngineSet], dict[str, str]], secrets_manager: SecretsManager
) -> None:
    secrets_manager.failures = 2  # one read, which boto3 tries twice
    client = connect(environment=bound(single), timeouts=ClientTimeouts(retries=30))
    assert client.get(KEY) is None
    assert secrets_manager.calls == 3
    client.close()


def test_no_connection_stays_open_without_a_sign_in_after_a_failed_read(
    single: EngineSet, bound: Callable[[EngineSet], dict[str, str]], secrets_manager: SecretsManager
) -> None:
    secrets_manager.refusal = "AccessDeniedException"
    client = connect(environment=bound(single), timeouts=ClientTimeouts(retries=0))
    with pytest.raises(AuthenticationError, match="AccessDeniedException"):
        client.get(KEY)
    secrets_manager.refusal = ""
    time.sleep(SHARED_FAILURE_SECONDS)
    assert client.get(KEY) is None
    client.close()


def test_client_has_the_given_timeouts(single: EngineSet, bound: Callable[[EngineSet], dict[str, str]]) -> None:
    options = connect(
        environment=bound(single), timeouts=ClientTimeouts(connect=2, answer=9, retries=1)
    ).get_connection_kwargs()
    assert (options["socket_connect_timeout"], options["socket_timeout"]) == (2, 9)


def test_missing_variables_are_an_error() -> None:
    with pytest.raises(SettingsError, match="CDK_REDIS_HOST is not set"):
        connect(environment={})


@pytest.mark.parametrize(
    ("host", "url"), [("orders.example", "rediss://orders.example:6379"), ("fd00::1", "rediss://[fd00::1]:6379")]
)
def test_cluster_client_takes_names_and_ipv6_addresses(host: str, url: str) -> None:
    connection = Connection("elasticache", "orders", host, 6379)
    assert cluster_options(connection, None, ClientOptions(), pool_class(connection))["url"] == url
