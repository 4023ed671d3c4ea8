"""A cluster client tries again if the other side closes a new connection at HELLO, as a node that is replaced does."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from redis.crc import key_slot
from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis_local import EngineSet
from cdk_redis_runtime._client.clients import ClientOptions, client_for
from cdk_redis_runtime._client.clients_async import async_client_for
from tests.runtime.support.battery import PASSWORD, PREFIX, connection_to, smoke_user
from tests.runtime.support.blocking import KINDS, Blocking
from tests.runtime.support.fault_proxy import FaultProxy

KEY = f"{PREFIX}signed-in"


class Store:
    """Engines behind proxies; that of the node with the key closes connections at HELLO, as often as ``cuts`` says."""

    def __init__(self, engines: EngineSet, proxies: ExitStack) -> None:
        self.engines, self.cuts = engines, 0
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        engines.authority._authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
        engine = ssl.create_default_context(cafile=engines.ca_file)
        self.ports: dict[int, int] = {}
        shard = key_slot(KEY.encode()) * len(engines.primaries) // 16384
        self.node = engines.primaries[shard]
        for node in engines.primaries:
            alter = self._cut_off if node is self.node else self._through
            proxy = FaultProxy(node.port, server_context=server, engine_context=engine, alter=alter)
            self.ports[node.port] = proxies.enter_context(proxy).port

    def _cut_off(self, request: bytes, answer: bytes) -> bytes | None:
        if self.cuts and b"HELLO" in request:
            self.cuts -= 1
            return None
        return self._through(request, answer)

    def _through(self, _request: bytes, answer: bytes) -> bytes:
        # CLUSTER SLOTS has the ports of the engines.
        for port, proxy in self.ports.items():
            answer = answer.replace(b":%d\r\n" % port, b":%d\r\n" % proxy)
        return answer


@pytest.fixture
def store(start: Callable[..., EngineSet], monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    engines = start(shards=2, cluster_mode=True, users=[smoke_user()])
    monkeypatch.setenv("SSL_CERT_FILE", engines.ca_file)
    with ExitStack() as proxies:
        yield Store(engines, proxies)


@pytest.fixture(params=KINDS)
def client(store: Store, request: pytest.FixtureRequest) -> Iterator[Any]:
    connection = dataclasses.replace(connection_to(store.engines), port=store.ports[store.engines.primaries[0].port])
    credentials = UsernamePasswordCredentialProvider("smoke", PASSWORD)
    made: Any
    if request.param == "threads":
        made = client_for(connection, credentials)
    else:
        made = Blocking(lambda: async_client_for(connection, credentials, ClientOptions()))
    yield made
    made.close()


def test_a_sign_in_that_is_cut_off_is_tried_again(store: Store, client: Any) -> None:
    assert client.set(KEY, "1", ex=60)
    store.cuts = 1
    store.node.admin.execute_command("CLIENT", "KILL", "USER", "smoke")
    assert client.get(KEY) == "1"
    assert store.cuts == 0
    assert client.delete(KEY) == 1
