"""How many connections clients make, and at what cost."""

from __future__ import annotations

import ssl
import threading
import time

import pytest
from redis.credentials import UsernamePasswordCredentialProvider
from redis.exceptions import ConnectionError as RedisConnectionError

from cdk_redis_local import EngineSet
from cdk_redis_runtime import Patience
from cdk_redis_runtime._checks._cluster_client import known_commands_client
from cdk_redis_runtime._connect import client_for, node_client
from cdk_redis_runtime._pool import frugal_pool_class
from cdk_redis_runtime._settings import Address
from tests.runtime.battery import PASSWORD, PREFIX, connection_to

CREDENTIALS = UsernamePasswordCredentialProvider("smoke", PASSWORD)


@pytest.fixture
def contexts(cluster: EngineSet, monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """Every context that is made from here on."""
    monkeypatch.setenv("SSL_CERT_FILE", cluster.ca_file)
    made: list[ssl.SSLContext] = []
    original = ssl.create_default_context

    def note() -> ssl.SSLContext:
        made.append(original())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", note)
    return made


def _received(engines: EngineSet, of: str) -> int:
    return sum(int(node.admin.info("stats")[of]) for node in engines.nodes)


def test_cluster_client_reads_the_authorities_once_for_all_its_connections(
    cluster: EngineSet, contexts: list[ssl.SSLContext]
) -> None:
    client = client_for(connection_to(cluster), CREDENTIALS)
    assert [client.get(f"{PREFIX}{number}") for number in range(20)] == [None] * 20
    client.close()
    (context,) = contexts
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.usefixtures("contexts")
def test_threads_share_one_connection_to_a_node(cluster: EngineSet) -> None:
    connection = connection_to(cluster)
    client = node_client(connection.endpoint, CREDENTIALS, Patience(), frugal_pool_class(connection))
    before = _received(cluster, "total_connections_received")
    threads = [threading.Thread(target=client.execute_command, args=("ACL WHOAMI",)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _received(cluster, "total_connections_received") - before == 1
    client.close()


@pytest.mark.usefixtures("contexts")
def test_connection_that_is_kept_holds_nobody_up(cluster: EngineSet) -> None:
    connection = connection_to(cluster)
    client = node_client(connection.endpoint, CREDENTIALS, Patience(), frugal_pool_class(connection))
    kept = client.connection_pool.get_connection()
    started = time.monotonic()
    assert client.execute_command("ACL WHOAMI") == "smoke"
    assert time.monotonic() - started < 0.5
    client.connection_pool.release(kept)
    client.close()


@pytest.mark.usefixtures("contexts")
def test_dial_that_fails_is_tried_anew_at_once(cluster: EngineSet) -> None:
    connection = connection_to(cluster)
    client = node_client(Address("localhost", 1), CREDENTIALS, Patience(retries=0), frugal_pool_class(connection))
    started = time.monotonic()
    for _ in range(5):
        with pytest.raises(RedisConnectionError):
            client.ping()
    assert time.monotonic() - started < 0.1


@pytest.mark.usefixtures("contexts")
def test_smoke_test_asks_about_its_own_commands_only(cluster: EngineSet) -> None:
    connection = connection_to(cluster)
    make_pool = frugal_pool_class(connection)
    nodes = {}

    def pool_of(address: Address) -> object:
        if address not in nodes:
            nodes[address] = node_client(address, CREDENTIALS, Patience(), make_pool)
        return nodes[address].connection_pool

    before = _received(cluster, "total_net_output_bytes")
    client = known_commands_client(connection, CREDENTIALS, Patience(), pool_of)  # type: ignore[arg-type]
    keys = [f"{PREFIX}{number}" for number in range(20)]
    assert [client.set(key, "1", ex=60) for key in keys] == [True] * 20
    assert [client.delete(key) for key in keys] == [1] * 20
    # All that an engine has to tell about its commands takes some 200 kB.
    assert _received(cluster, "total_net_output_bytes") - before < 60_000
    # localhost has not become another node.
    assert {address.host for address in nodes} == {"localhost"}
    client.close()
