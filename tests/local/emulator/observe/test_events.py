"""The events of stores: what happened, with the names of nodes and AWS's texts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._core.workspace import Workspace
from cdk_redis_local._emulator.observe.event_texts import Described, describe
from cdk_redis_local._emulator.observe.events import Event, EventLog
from cdk_redis_local._emulator.store import StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.certificates import CertificateAuthority
from cdk_redis_local._engines.program import find_engine

KEY = StoreKey("elasticache", ("000000000000", "us-east-1"), "app")


@pytest.fixture
def stores() -> Iterator[Stores]:
    with Workspace() as workspace:
        authority = CertificateAuthority(workspace.directory("ca"))
        yield Stores(workspace, authority, authorize=lambda *_: None, say=lambda _: None)


def kinds(stores: Stores) -> list[tuple[str, tuple[str, ...]]]:
    return [(event.kind, event.nodes) for _, event in stores.events.history()]


def test_a_store_tells_its_events_with_the_names_of_its_nodes(stores: Stores) -> None:
    heard: list[str] = []
    stores.events.listen(lambda key, event: heard.append(f"{key.name} {event.kind}"))
    shape = StoreShape(find_engine(), cluster_mode=False, shards=1, replicas=1, tls=False)
    stores.create(KEY, shape, [])
    stores.declare(KEY, {})
    assert kinds(stores) == [("created", ("app-001", "app-002"))]
    stores.set_parameters(KEY, {"maxmemory-policy": "allkeys-lru"})
    stores.set_parameters(KEY, {"maxmemory-policy": "allkeys-lru"})
    stores.fail_over(KEY, "0001")
    deadline = time.monotonic() + 20
    while heard[-1] != "app recovered" and time.monotonic() < deadline:
        time.sleep(0.02)
    # The engine's view: the name stays with the node, and the roles have changed.
    roles = {stores[KEY].node_name(node): node.role for node in stores[KEY].engines.nodes}
    assert roles == {"app-001": "replica", "app-002": "primary"}
    stores.resize(KEY, StoreShape(find_engine(), cluster_mode=False, shards=1, replicas=0, tls=False))
    stores.declare(KEY, {})
    stores.delete(KEY)
    assert kinds(stores)[1:] == [
        ("parameter-changed", ("app-001", "app-002")),
        ("failover-started", ()),
        ("failover-complete", ("app-001", "app-002")),
        ("recovery-started", ("app-001",)),
        ("recovered", ("app-001",)),
        ("nodes-removed", ("app-001",)),
        ("scaled", ("app-002",)),
        ("modified", ("app-002",)),
        ("deleted", ("app-002",)),
    ]
    assert heard == [f"app {kind}" for kind, _ in kinds(stores)]
    times = [event.time for _, event in stores.events.history()]
    assert times == sorted(times)


def test_nodes_of_a_cluster_have_their_shard_in_their_names(stores: Stores) -> None:
    stores.create(KEY, StoreShape(find_engine(), cluster_mode=True, shards=2, replicas=0, tls=False), [])
    assert stores[KEY].node_names == ("app-0001-001", "app-0002-001")


def test_a_listener_that_fails_does_not_stop_the_others() -> None:
    said: list[str] = []
    log: EventLog[str] = EventLog(said.append)

    def fail(key: str, event: Event) -> None:
        raise LocalCloudError(f"no topic for {key}")

    heard: list[Event] = []
    log.listen(fail)
    log.listen(lambda _, event: heard.append(event))
    log.add("app", Event("created"))
    assert len(heard) == 1
    assert said == ["the event created of app was not delivered: no topic for app"]


def test_a_failover_has_the_texts_of_elasticache() -> None:
    done = Event("failover-complete", nodes=("app-001", "app-002"), shard="0001")
    message = "Failover from primary node app-001 to replica node app-002 completed"
    assert describe("elasticache", "app", Event("failover-started", shard="0001")) == [
        Described("replication-group", "app", "Test Failover API called for node group 0001")
    ]
    assert describe("elasticache", "app", done) == [
        Described("cache-cluster", "app-002", message),
        Described("replication-group", "app", message),
    ]
    assert describe("elasticache", "app", Event("recovered", nodes=("app-001",))) == [
        Described("cache-cluster", "app-001", "Finished recovery for cache nodes 0001")
    ]
    assert describe("elasticache", "app", Event("modified")) == []


def test_a_failover_has_the_texts_of_memorydb() -> None:
    done = Event("failover-complete", nodes=("app-0001-001", "app-0001-002"), shard="0001")
    assert describe("memorydb", "app", done) == [
        Described("cluster", "app", "Failover to replica node app-0001-002 completed")
    ]
    assert describe("memorydb", "app", Event("recovered", nodes=("app-0001-001",))) == [
        Described("node", "app-0001-001", "Finished recovery for node app-0001-001")
    ]


def test_a_serverless_cache_has_no_texts() -> None:
    assert describe("serverless", "app", Event("created", nodes=("app-0001-001",))) == []
