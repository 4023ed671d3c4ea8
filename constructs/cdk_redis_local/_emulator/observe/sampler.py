"""Measures the engines of all stores every few seconds, and stores their metrics in CloudWatch.

Each metric has one data point a minute, as on AWS. It is there from the first seconds of the minute on, and changes
until the minute is over.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError

from cdk_redis_local._emulator.ministack.metrics import StoredPoint, in_scope, store_minute
from cdk_redis_local._emulator.observe.engine_metrics import Command, Host, Sample, Surroundings, Value, node_metrics
from cdk_redis_local._emulator.observe.node_memory import node_memory
from cdk_redis_local._emulator.observe.service_metrics import NodeMetrics, Point, points_of
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.node import Node

CLIENT_NAME = "cdk-redis-local-metrics"
"""Name of the connections that measure."""
# Most seconds between two measurements, and most seconds to wait for an engine.
_TICK = 5.0
_TIMEOUT = 2.0
# Data points of a metric that are kept: a node has about a hundred metrics.
_KEPT_MINUTES = 180


class _Watched:
    """What the sampler remembers of a node."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.before: Sample | None = None
        self.last: Sample | None = None
        self.minute = 0.0
        self.in_sync = time.time()


class Sampler:
    """Measures the nodes of all stores, on a thread that starts with the first store."""

    def __init__(self, stores: Stores, say: Callable[[str], object], *, minute: float) -> None:
        """Measure the stores from the first one on.

        Args:
            stores: The stores.
            say: Called with the error if a measurement fails.
            minute: Seconds that a minute of CloudWatch lasts.
        """
        self._stores = stores
        self._say = say
        self._failed = False
        self.minute = minute
        self.tick = minute / math.ceil(minute / _TICK)
        self.after_tick: list[Callable[[float], object]] = []
        """Called after each measurement, with its time."""
        self._watched: weakref.WeakKeyDictionary[Node, _Watched] = weakref.WeakKeyDictionary()
        self._commands: dict[str, Mapping[str, Command]] = {}
        self._started = False
        self._lock = threading.Lock()
        stores.events.listen(lambda _key, _event: self._start())

    def _start(self) -> None:
        with self._lock:
            if not self._started:
                self._started = True
                threading.Thread(target=self._work, name="metrics", daemon=True).start()

    def _work(self) -> None:
        while True:
            now = time.time()
            time.sleep(self.tick - now % self.tick)
            try:
                self.measure(time.time())
            except Exception as error:  # the next measurement may succeed
                if not self._failed:
                    self._failed = True
                    self._say(f"metrics were not measured: {type(error).__name__}: {error}")

    def measure(self, now: float) -> None:
        """Measure all nodes, store their metrics, and call :attr:`after_tick`."""
        # A measurement at the end of a minute belongs to that minute, also if the thread is a little late.
        minute = math.floor((now - self.tick / 2) / self.minute) * self.minute
        host = _host()
        for key in self._stores.running():
            with contextlib.suppress(KeyError):  # it was deleted
                nodes = list(self._measure_store(key, minute, host))
                if nodes:
                    _store(key.scope, points_of(key.service, key.name, nodes), minute, self.minute)
        for call in self.after_tick:
            call(now)

    def _measure_store(self, key: StoreKey, minute: float, host: Host | None) -> Iterator[NodeMetrics]:
        store, properties = self._stores[key], self._stores.declared.get(key, {})
        memory = node_memory(str(properties.get("CacheNodeType") or properties.get("NodeType") or ""))
        offsets: dict[int, int] = {}
        # The primaries first: a replica that is in sync then has at least their offset.
        for node in sorted(store.engines.nodes, key=lambda one: one.started_as != "primary"):
            with contextlib.suppress(RedisError, OSError):  # a node that does not answer has no metrics
                watched = self._watch(node)
                sample = _measure(node, watched, offsets, secondary="GlobalReplicationGroupId" in properties)
                if watched.minute != minute:
                    watched.minute, watched.before = minute, watched.last
                watched.last = sample
                if watched.before is None:
                    watched.before = sample
                    continue
                around = Surroundings(self._commands_of(node, watched.client), memory, os.cpu_count() or 1, host)
                yield NodeMetrics(
                    node=store.node_name(node),
                    primary=sample.lag is None,
                    seconds=sample.time - watched.before.time,
                    values=node_metrics(watched.before, sample, around),
                )

    def client_of(self, node: Node) -> redis.Redis:
        """The client that measures a node; it has a short timeout and the name :data:`CLIENT_NAME`."""
        return self._watch(node).client

    def _watch(self, node: Node) -> _Watched:
        if node not in self._watched:
            manager = node.security.manager
            timeout = min(_TIMEOUT, self.tick / 2)
            client = node.client(
                manager.name, manager.passwords[0], port=node.engine_port, seconds=timeout, name=CLIENT_NAME
            )
            self._watched[node] = _Watched(client)
        return self._watched[node]

    def _commands_of(self, node: Node, client: redis.Redis) -> Mapping[str, Command]:
        program = node.program.path
        if program not in self._commands:
            described: Any = client.command()
            self._commands[program] = {
                str(name): Command(frozenset(one["flags"]), frozenset(one["acl_categories"]))
                for name, one in described.items()
            }
        return self._commands[program]


def _measure(node: Node, watched: _Watched, offsets: dict[int, int], *, secondary: bool) -> Sample:
    info: Any = watched.client.info("all")
    now = time.time()
    if info["role"] == "master":
        offsets[node.shard] = int(info["master_repl_offset"])
        watched.in_sync = now
        return Sample(now, info)
    if secondary and node.started_as == "primary":
        # The offsets of the other Region's primary are not known: the engine hears from it every second.
        linked = info.get("master_link_status") == "up"
        lag = info.get("master_last_io_seconds_ago" if linked else "master_link_down_since_seconds", 0)
        return Sample(now, info, lag=max(0.0, float(lag)), other_region=True)
    offset = int(info.get("slave_repl_offset") or 0)
    if info.get("master_link_status") == "up" and offset >= offsets.get(node.shard, 0):
        watched.in_sync = now
    return Sample(now, info, lag=now - watched.in_sync)


def _store(scope: tuple[str, str], points: Iterator[Point], time: float, minute: float) -> None:
    def metric(point: Point) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        return point.namespace, point.name, point.dimensions

    with in_scope(scope):
        for (namespace, name, dimensions), of_metric in itertools.groupby(sorted(points, key=metric), key=metric):
            stored = [_stored(point.value, dict(dimensions), time) for point in of_metric]
            store_minute(namespace, name, dict(dimensions), stored, time - _KEPT_MINUTES * minute)


def _stored(value: Value, dimensions: dict[str, str], time: float) -> StoredPoint:
    average = value.total / value.count
    point = {"Timestamp": time, "Value": average, "Unit": value.unit, "Dimensions": dimensions}
    if value.count != 1:
        numbers = {"SampleCount": value.count, "Sum": value.total, "Minimum": average, "Maximum": average}
        point["_stat"] = numbers
    return point


def _host() -> Host | None:
    """Memory of this machine; None where /proc does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    # MemAvailable:   12345 kB
    sizes = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return Host(sizes["MemAvailable"], sizes["SwapTotal"] - sizes["SwapFree"])
