"""Nodes that crashed are started again: a replica takes over, and a durable set keeps every acknowledged write."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence

import redis
from redis.exceptions import RedisError

from cdk_redis_local import OPEN_DEFAULT, EngineSet
from cdk_redis_local._engines.node import Node
from tests.support.concurrency import wait_until


def kill(nodes: Sequence[Node]) -> None:
    for node in nodes:
        assert node.process
        os.kill(node.process.pid, signal.SIGKILL)
    wait_until(lambda: not any(node.running for node in nodes))


def test_a_durable_set_keeps_acknowledged_writes_when_all_nodes_are_killed_at_once() -> None:
    with EngineSet(shards=2, replicas=1, cluster_mode=True, users=[OPEN_DEFAULT], durable=True) as engines:
        acknowledged: list[list[str]] = [[], []]

        def write(shard: int) -> None:
            primary = engines.primaries[shard].client()
            # Keys with this tag are in the first slots, or in the last ones.
            tag = "{06S}" if shard == 0 else "{foo}"
            try:
                while True:
                    key = f"{tag}:{len(acknowledged[shard])}"
                    primary.set(key, "1")
                    acknowledged[shard].append(key)
            except RedisError:
                return  # the node was killed

        writers = [threading.Thread(target=write, args=(shard,)) for shard in range(2)]
        for writer in writers:
            writer.start()
        wait_until(lambda: all(len(keys) > 200 for keys in acknowledged))
        kill(engines.nodes)
        for writer in writers:
            writer.join()
        assert set(engines.recover()) == set(engines.nodes)
        host, port = engines.endpoint
        client = redis.RedisCluster(host=host, port=port, ssl=True, ssl_ca_certs=engines.ca_file)
        for keys in acknowledged:
            assert [key for key in keys if client.get(key) is None] == []
        assert [node.role for node in engines.nodes] == ["primary", "replica"] * 2


def test_a_replica_takes_over_from_a_primary_that_crashed() -> None:
    with EngineSet(replicas=1, users=[OPEN_DEFAULT]) as engines:
        primary, replica = engines.nodes
        primary.admin.set("key", "1")
        assert primary.admin.wait(1, 5000) == 1
        kill([primary])
        assert engines.recover() == [primary]
        assert [primary.role, replica.role] == ["replica", "primary"]
        assert primary.admin.get("key") == replica.admin.get("key") == "1"


def test_a_node_without_replica_is_empty_after_a_crash_and_a_stopped_node_stays_stopped() -> None:
    with EngineSet(users=[OPEN_DEFAULT]) as engines:
        [node] = engines.nodes
        node.admin.set("key", "1")
        kill([node])
        assert engines.recover() == [node]
        assert node.admin.dbsize() == 0
        engines.stop_node(0)
        assert engines.recover() == []
        assert not node.running


def test_a_failover_of_a_durable_set_loses_no_write_that_the_replica_has_not_received_yet() -> None:
    with EngineSet(replicas=1, cluster_mode=True, users=[OPEN_DEFAULT], durable=True) as engines:
        primary, replica = engines.nodes
        replica.freeze()
        for number in range(60):
            primary.admin.set(f"key:{number}", "x" * 500_000)
        replica.resume()
        assert engines.fail_over(0) is replica
        assert replica.admin.dbsize() == 60
