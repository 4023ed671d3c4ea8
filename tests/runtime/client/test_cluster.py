"""A cluster client follows ASK to a shard that has no slot yet, as every new shard is while slots move to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from redis.cluster import RedisCluster
from redis.crc import key_slot
from redis.credentials import UsernamePasswordCredentialProvider
from redis.exceptions import ResponseError

from cdk_redis_local import EngineSet
from cdk_redis_local._engines.cluster import node_id
from cdk_redis_local._engines.node import Node, wait_until
from cdk_redis_runtime._client.clients import ClientOptions, client_for
from cdk_redis_runtime._client.clients_async import async_client_for
from tests.runtime.support.battery import PASSWORD, PREFIX, connection_to, smoke_user
from tests.runtime.support.blocking import KINDS, Blocking
from tests.support.concurrency import in_threads

KEY = f"{PREFIX}moving"


def _takes_slots(node: Node) -> bool:
    """Give the second half of the slots to a node; not yet, if a late message tells it that another has them."""
    node.admin.execute_command("CLUSTER", "DELSLOTSRANGE", 8192, 16383)
    try:
        node.admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
    except ResponseError as error:
        if "is already busy" in str(error):
            return False
        raise
    return True


@pytest.fixture(params=KINDS)
def client(
    start: Callable[..., EngineSet], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Redis | RedisCluster]:
    """A client that connected while the second shard had no slot; then a slot begins to move there."""
    engines = start(shards=2, cluster_mode=True, users=[smoke_user()])
    old, new = engines.primaries
    new.admin.execute_command("CLUSTER", "DELSLOTSRANGE", 8192, 16383)
    wait_until(lambda: _takes_slots(old), "the first shard to take all slots")
    wait_until(
        lambda: "cluster_slots_ok:16384" in new.admin.execute_command("CLUSTER", "INFO"), "the propagation of the slots"
    )
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
    credentials = UsernamePasswordCredentialProvider("smoke", PASSWORD)
    made: Any
    if request.param == "threads":
        made = client_for(connection_to(engines), credentials)
    else:
        made = Blocking(lambda: async_client_for(connection_to(engines), credentials, ClientOptions()))
        made.initialize()
    slot = key_slot(KEY.encode())
    new.admin.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(old))
    old.admin.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(new))
    yield made
    made.close()
    for node in (new, old):
        node.admin.execute_command("CLUSTER", "SETSLOT", slot, "STABLE")


def test_command_is_redirected_to_the_new_shard(client: RedisCluster) -> None:
    assert client.set(KEY, "new", ex=60)
    assert client.get(KEY) == "new"
    assert client.delete(KEY) == 1


def test_pipeline_is_redirected_to_the_new_shard(client: RedisCluster) -> None:
    assert client.pipeline(transaction=False).set(KEY, "new", ex=60).get(KEY).execute() == [True, "new"]
    assert client.delete(KEY) == 1


def test_commands_of_many_callers_are_redirected_to_the_new_shard(client: RedisCluster) -> None:
    def write_and_read() -> None:
        for _ in range(5):
            assert client.set(KEY, "new", ex=60)
            assert client.get(KEY) == "new"

    assert in_threads(write_and_read, 20) == [None] * 20
    assert client.delete(KEY) == 1
