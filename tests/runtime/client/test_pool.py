"""All connections of a client share one TLS context."""

from __future__ import annotations

import ssl

import pytest
from redis.credentials import UsernamePasswordCredentialProvider

from cdk_redis_local import EngineSet
from cdk_redis_runtime._client.clients import client_for
from tests.runtime.support.battery import PASSWORD, PREFIX, connection_to

CREDENTIALS = UsernamePasswordCredentialProvider("smoke", PASSWORD)


@pytest.fixture
def contexts(cluster: EngineSet, monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """Every context that is created from now on."""
    monkeypatch.setenv("SSL_CERT_FILE", cluster.ca_file)
    made: list[ssl.SSLContext] = []
    original = ssl.create_default_context

    def note() -> ssl.SSLContext:
        made.append(original())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", note)
    return made


def test_cluster_client_loads_the_authorities_once(cluster: EngineSet, contexts: list[ssl.SSLContext]) -> None:
    client = client_for(connection_to(cluster), CREDENTIALS)
    assert [client.get(f"{PREFIX}{number}") for number in range(20)] == [None] * 20
    client.close()
    (context,) = contexts
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
