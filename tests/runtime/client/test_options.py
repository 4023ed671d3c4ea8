"""Clients with and without asyncio: sign-in, name, protocol, reads from replicas, and no command that is refused."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import asyncio as redis_asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, RedisClusterException

from cdk_redis_local import CertificateAuthority, EngineSet
from cdk_redis_runtime import SettingsError, connect, connect_async
from cdk_redis_runtime._client import environment as env
from tests.runtime.support.battery import ACCESS, PASSWORD, PREFIX, smoke_user
from tests.runtime.support.blocking import KINDS, open_client
from tests.runtime.support.environment import bound_environment
from tests.runtime.support.secrets_manager import SecretsManager

KEY = f"{PREFIX}options"
STORES = ("single", "cluster")


@pytest.fixture
def secrets_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    with SecretsManager("smoke", PASSWORD) as manager:
        manager.announce(monkeypatch)
        yield manager


@pytest.fixture(params=STORES)
def engines(
    request: pytest.FixtureRequest, secrets_manager: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> EngineSet:
    engines: EngineSet = request.getfixturevalue(request.param)
    engines.set_users([smoke_user(f"{ACCESS} +sscan")])
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
    return engines


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest, engines: EngineSet) -> Iterator[Callable[..., Any]]:
    """Opens clients of one kind; they are closed at the end."""
    clients: list[Any] = []

    def open_one(**options: Any) -> Any:
        clients.append(open_client(request.param, environment=bound_environment(engines), **options))
        return clients[-1]

    yield open_one
    for client in clients:
        client.close()


def _write_and_read(client: Any) -> None:
    for number in range(10):
        assert client.set(f"{KEY}:{number}", number, ex=60) is True
        assert client.get(f"{KEY}:{number}") == str(number)
        assert client.delete(f"{KEY}:{number}") == 1


def _protocols(engines: EngineSet, name: str) -> list[str]:
    """The protocol of each connection with a name; connections of other tests may be open for another moment."""
    return [one["resp"] for node in engines.nodes for one in node.admin.client_list() if one["name"] == name]


def test_client_signs_in_writes_and_reads(opened: Callable[..., Any]) -> None:
    client = opened()
    _write_and_read(client)
    with pytest.raises(NoPermissionError):
        client.set("another", "1")


@pytest.mark.parametrize("protocol", [None, 2, 3])
def test_client_sends_nothing_that_a_least_privilege_user_is_refused(
    protocol: int | None, engines: EngineSet, opened: Callable[..., Any]
) -> None:
    for node in engines.nodes:
        node.admin.acl_log_reset()
    client = opened(protocol=protocol, client_name="app", read_from_replicas=True)
    for number in range(10):
        assert client.set(f"{KEY}:{number}", number, ex=60) is True
        # A replica may not have the key yet.
        assert client.get(f"{KEY}:{number}") in (None, str(number))
        assert client.delete(f"{KEY}:{number}") == 1
    assert [node.admin.acl_log() for node in engines.nodes] == [[]] * len(engines.nodes)


@pytest.mark.parametrize(("protocol", "expected"), [(2, {"2"}), (3, {"3"}), (None, {"2", "3"})])
def test_connections_have_the_given_name_and_protocol(
    protocol: int | None, expected: set[str], engines: EngineSet, opened: Callable[..., Any]
) -> None:
    name = secrets.token_hex(4)
    _write_and_read(opened(client_name=name, protocol=protocol))
    found = _protocols(engines, name)
    assert len(found) >= engines.shards
    assert set(found) <= expected


def _reads_on_replicas(engines: EngineSet) -> int:
    return sum(
        node.admin.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"]
        for node in engines.replica_nodes
        for command in ("get", "sscan")
    )


def test_reads_are_spread_over_replicas(engines: EngineSet, opened: Callable[..., Any]) -> None:
    before = _reads_on_replicas(engines)
    client = opened(read_from_replicas=True)
    assert client.set(KEY, "1", ex=60)
    for node in engines.primaries:
        node.admin.wait(1, 5000)
    assert [client.get(KEY) for _ in range(10)] == ["1"] * 10
    assert 5 <= _reads_on_replicas(engines) - before <= 10
    assert client.delete(KEY) == 1


def test_iteration_over_a_key_reads_from_its_primary(engines: EngineSet, opened: Callable[..., Any]) -> None:
    client = opened(read_from_replicas=True)
    members = {f"{number}:{'x' * 100}" for number in range(1000)}
    before = _reads_on_replicas(engines)
    client.sadd(KEY, *members)
    found: set[str] = set()
    cursor = -1
    while cursor:
        cursor, part = client.execute_command("SSCAN", KEY, max(cursor, 0))
        cursor = int(cursor)
        found.update(part)
    assert found == members
    assert _reads_on_replicas(engines) == before
    assert client.delete(KEY) == 1


def test_reads_go_to_primaries_by_default(engines: EngineSet, opened: Callable[..., Any]) -> None:
    before = _reads_on_replicas(engines)
    _write_and_read(opened())
    assert _reads_on_replicas(engines) == before


def test_server_with_an_untrusted_certificate_is_rejected(
    opened: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = CertificateAuthority(tmp_path_factory.mktemp("other") / "ca")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.ca_file))
    with pytest.raises((RedisConnectionError, RedisClusterException), match="CERTIFICATE_VERIFY_FAILED"):
        opened().get(KEY)


@pytest.mark.parametrize("kind", KINDS)
def test_store_without_replicas_is_read_from_its_primary(
    kind: str, single: EngineSet, secrets_manager: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", single.ca_file)
    environment = {**bound_environment(single), env.READER_HOST: "", env.READER_PORT: ""}
    client = open_client(kind, environment=environment, read_from_replicas=True)
    before = _reads_on_replicas(single)
    _write_and_read(client)
    assert _reads_on_replicas(single) == before
    client.close()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"client_name": "my app"}, "client_name: got 'my app', allowed are ASCII characters without spaces"),
        ({"client_name": ""}, "client_name: got '', allowed are ASCII characters without spaces"),
        ({"protocol": 4}, "protocol: got 4, allowed are 2 and 3"),
    ],
)
@pytest.mark.parametrize("connecting", [connect, connect_async])
def test_wrong_argument_is_refused(connecting: Callable[..., Any], options: dict[str, Any], problem: str) -> None:
    environment = {
        env.SERVICE: "elasticache",
        env.STORE: "orders",
        env.HOST: "host",
        env.PORT: "6379",
        env.TLS: "true",
        env.CLUSTER_MODE: "false",
        env.AUTHENTICATION: "none",
    }
    with pytest.raises(SettingsError) as refused:
        connecting(environment=environment, **options)
    assert refused.value.problems == (problem,)


def test_asyncio_client_can_be_awaited_and_used_by_many_tasks(engines: EngineSet) -> None:
    async def use() -> None:
        client = await connect_async(environment=bound_environment(engines))
        assert isinstance(client, (redis_asyncio.Redis, redis_asyncio.RedisCluster))
        keys = [f"{KEY}:{number}" for number in range(30)]
        assert await asyncio.gather(*(client.set(key, 1, ex=60) for key in keys)) == [True] * 30
        assert await asyncio.gather(*(client.delete(key) for key in keys)) == [1] * 30
        await client.aclose()

    asyncio.run(use())


def test_event_loop_continues_while_the_secret_is_read(engines: EngineSet, secrets_manager: SecretsManager) -> None:
    secrets_manager.answers.clear()

    async def use() -> float:
        client = connect_async(environment=bound_environment(engines))
        reading = asyncio.ensure_future(client.get(KEY))
        while not secrets_manager.called.is_set():
            await asyncio.sleep(0.01)
        longest, before = 0.0, time.monotonic()
        for _ in range(50):
            await asyncio.sleep(0.01)
            longest, before = max(longest, time.monotonic() - before), time.monotonic()
        secrets_manager.answers.set()
        assert await reading is None
        await client.aclose()
        return longest

    assert asyncio.run(use()) < 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_user_who_may_not_read_from_replicas_is_told_the_missing_permission(
    kind: str, cluster: EngineSet, secrets_manager: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", cluster.ca_file)
    cluster.set_users([smoke_user(f"{ACCESS} -readonly")])
    with pytest.raises(RedisClusterException, match=r"needs the command READONLY, .*'readonly'.*; add \+readonly to"):
        open_client(kind, environment=bound_environment(cluster), read_from_replicas=True).get(KEY)
