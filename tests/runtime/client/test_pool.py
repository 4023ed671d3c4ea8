"""How many connections clients make, and at what cost."""

from __future__ import annotations

import ssl

import pytest
from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis_local import EngineSet
from cdk_redis_runtime._client.connect import client_for
from cdk_redis_runtime._smoke_test.checks import Clients
from cdk_redis_runtime._smoke_test.clock import Clock
from tests.runtime.support.battery import PASSWORD, PREFIX, connection_to

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
def test_smoke_test_asks_about_its_own_commands_only(cluster: EngineSet) -> None:
    clients = Clients(connection_to(cluster), Clock(60), CREDENTIALS)
    before = _received(cluster, "total_net_output_bytes")
    with clients.application_client() as client:
        keys = [f"{PREFIX}{number}" for number in range(20)]
        assert [client.set(key, "1", ex=60) for key in keys] == [True] * 20
        assert [client.delete(key) for key in keys] == [1] * 20
    # All that an engine has to tell about its commands takes some 200 kB.
    assert _received(cluster, "total_net_output_bytes") - before < 60_000
