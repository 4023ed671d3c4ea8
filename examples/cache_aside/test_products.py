from __future__ import annotations

import fakeredis
import pytest
from function.products import Product, Products


class Source:
    def __init__(self) -> None:
        self.products: dict[str, Product] = {"tea": {"id": "tea", "price": 3}}
        self.reads = 0

    def read(self, id: str) -> Product | None:
        self.reads += 1
        return self.products.get(id)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def products(source: Source, server: fakeredis.FakeServer) -> Products:
    return Products(fakeredis.FakeRedis(server=server, decode_responses=True), source.read)


@pytest.mark.parametrize("id", ["tea", "nothing"])
def test_the_source_is_read_once(products: Products, source: Source, id: str) -> None:
    assert [products.get(id) for _ in range(3)] == [source.products.get(id)] * 3
    assert source.reads == 1


def test_a_changed_product_is_read_again(products: Products, source: Source) -> None:
    products.get("tea")
    source.products["tea"] = {"id": "tea", "price": 4}
    products.forget("tea")

    assert products.get("tea") == {"id": "tea", "price": 4}


def test_products_are_there_without_the_cache(products: Products, source: Source, server: fakeredis.FakeServer) -> None:
    server.connected = False

    assert products.get("tea") == source.products["tea"]
