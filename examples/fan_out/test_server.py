from __future__ import annotations

import json

import fakeredis
import pytest
from service.server import Prices


@pytest.fixture
def client() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis(decode_responses=True)


def change(client: fakeredis.FakeRedis, product: str, price: int) -> None:
    client.hset("prices", product, price)
    client.publish("prices:changed", json.dumps({"product": product, "price": price}))


def test_a_new_server_reads_what_is_there(client: fakeredis.FakeRedis) -> None:
    change(client, "tea", 3)
    server = Prices(client)

    assert server.update()
    assert server.prices == {"tea": 3}


def test_every_server_gets_a_change(client: fakeredis.FakeRedis) -> None:
    servers = [Prices(client), Prices(client)]
    for server in servers:
        server.update()

    change(client, "tea", 4)

    for server in servers:
        assert server.update()
        assert server.prices == {"tea": 4}
        assert not server.update(wait_seconds=0.01)


def test_a_lost_message_is_made_up_for(client: fakeredis.FakeRedis) -> None:
    server = Prices(client, reload_seconds=0)
    server.update()

    client.hset("prices", "tea", 5)  # without a message

    server.update(wait_seconds=0.01)
    assert server.prices == {"tea": 5}
