"""A client sends commands again after a lost connection, but not without retries.

The engine runs each command and then closes the connection, because its answer is larger than its output limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from redis.cluster import RedisCluster
from redis.credentials import UsernamePasswordCredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from cdk_redis_local import AclUser, EngineSet
from cdk_redis_runtime import ClientTimeouts, Connection
from cdk_redis_runtime._client.clients import ClientOptions, client_for
from cdk_redis_runtime._client.clients_async import async_client_for
from cdk_redis_runtime._client.timeouts import RETRIES
from tests.runtime.support.blocking import KINDS, Blocking

PASSWORD = "a-password-of-the-app"
KEY = "counter"
# Increments a key and answers with three megabytes. The largest other answer, to COMMAND, has 0.2 megabytes.
COUNT_AND_BE_CUT_OFF = "redis.call('INCR', KEYS[1]); return string.rep('x', 3000000)"


@pytest.fixture(scope="module", params=[False, True], ids=["single", "cluster"])
def engines(request: pytest.FixtureRequest) -> Iterator[EngineSet]:
    users = [AclUser("app", "on ~* &* +@all", passwords=(PASSWORD,))]
    with EngineSet(shards=2 if request.param else 1, cluster_mode=request.param, users=users) as started:
        for node in started.nodes:
            node.admin.config_set("client-output-buffer-limit", "normal 1000000 0 0")
        yield started


@pytest.fixture(params=KINDS)
def make_client(
    engines: EngineSet, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Callable[[ClientTimeouts | None], Redis | RedisCluster]]:
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
    host, port = engines.endpoint
    connection = Connection("elasticache", "orders", host, port, cluster_mode=engines.cluster_mode, user="app")
    credentials = UsernamePasswordCredentialProvider("app", PASSWORD)
    made: list[Any] = []

    def make(timeouts: ClientTimeouts | None) -> Redis | RedisCluster:
        options = ClientOptions(timeouts or ClientTimeouts())
        if request.param == "threads":
            made.append(client_for(connection, credentials, options))
        else:
            made.append(Blocking(lambda: async_client_for(connection, credentials, options)))
        made[0].delete(KEY)
        return made[0]

    yield make
    for client in made:
        client.close()


def _counted(engines: EngineSet) -> int:
    return sum(int(node.admin.get(KEY) or 0) for node in engines.primaries if KEY in list(node.admin.scan_iter()))


def _command(client: Redis | RedisCluster) -> None:
    client.execute_command("EVAL", COUNT_AND_BE_CUT_OFF, 1, KEY)


def _pipeline(client: Redis | RedisCluster) -> None:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.execute_command("EVAL", COUNT_AND_BE_CUT_OFF, 1, KEY)
        pipeline.execute()


def _transaction(client: Redis | RedisCluster) -> None:
    with client.pipeline(transaction=True) as pipeline:
        pipeline.execute_command("EVAL", COUNT_AND_BE_CUT_OFF, 1, KEY)
        pipeline.execute()


def _watched_transaction(client: Redis | RedisCluster) -> None:
    with client.pipeline(transaction=True) as pipeline:
        pipeline.watch(KEY)
        pipeline.multi()
        pipeline.execute_command("EVAL", COUNT_AND_BE_CUT_OFF, 1, KEY)
        pipeline.execute()


def _command_in_watched_pipeline(client: Redis | RedisCluster) -> None:
    with client.pipeline(transaction=True) as pipeline:
        pipeline.watch("{counter}:another")
        pipeline.execute_command("EVAL", COUNT_AND_BE_CUT_OFF, 1, KEY)


WAYS: list[Any] = [_command, _pipeline, _transaction, _watched_transaction, _command_in_watched_pipeline]


@pytest.mark.parametrize("way", WAYS)
def test_client_without_retries_sends_nothing_twice(
    way: Callable[[Redis | RedisCluster], None],
    engines: EngineSet,
    make_client: Callable[[ClientTimeouts | None], Redis | RedisCluster],
) -> None:
    client = make_client(ClientTimeouts(retries=0))
    for number in range(1, 4):
        with pytest.raises(RedisError):
            way(client)
        assert _counted(engines) == number


def test_client_with_retries_may_run_a_command_twice(
    engines: EngineSet, make_client: Callable[[ClientTimeouts | None], Redis | RedisCluster]
) -> None:
    client = make_client(None)
    with pytest.raises(RedisConnectionError):
        _command(client)
    assert _counted(engines) == 1 + RETRIES
