"""All connections of all clients share one TLS context."""

from __future__ import annotations

import ssl

import pytest
from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis_local import EngineSet
from cdk_redis_runtime._client import trust
from cdk_redis_runtime._client.clients import ClientOptions, client_for
from cdk_redis_runtime._client.clients_async import async_client_for
from tests.runtime.support.battery import PASSWORD, PREFIX, connection_to
from tests.runtime.support.blocking import Blocking

CREDENTIALS = UsernamePasswordCredentialProvider("smoke", PASSWORD)


@pytest.fixture
def contexts(cluster: EngineSet, monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """Every context that is created from now on; that of earlier clients is forgotten."""
    trust._context_of.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", cluster.ca_file)
    made: list[ssl.SSLContext] = []
    original = ssl.create_default_context

    def note() -> ssl.SSLContext:
        made.append(original())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", note)
    return made


def test_clients_load_the_authorities_once(cluster: EngineSet, contexts: list[ssl.SSLContext]) -> None:
    arguments = connection_to(cluster), CREDENTIALS
    for client in (client_for(*arguments), Blocking(lambda: async_client_for(*arguments, ClientOptions()))):
        assert [client.get(f"{PREFIX}{number}") for number in range(20)] == [None] * 20
        client.close()
    (context,) = contexts
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
