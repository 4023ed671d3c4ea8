"""Delivers slow logs and engine logs of replication groups to log groups: ``LogDeliveryConfigurations``."""

from __future__ import annotations

import contextlib
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError

from cdk_redis_local._emulator.ministack.log_groups import LogEvent, has_log_group, write_log
from cdk_redis_local._emulator.ministack.metrics import in_scope
from cdk_redis_local._emulator.observe.events import Event
from cdk_redis_local._emulator.observe.log_destinations import Delivery, deliveries, firehose_streams
from cdk_redis_local._emulator.observe.log_formats import ENGINE_LOG, SLOW_LOG, EngineLine, SlowEntry, stream_name
from cdk_redis_local._emulator.observe.sampler import CLIENT_NAME, Sampler
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.node import Node

# Engines keep 128 entries by default.
_MOST_ENTRIES = 1000


@dataclass
class _Progress:
    """What was delivered of a node: the last entry of the slow log of each process, and bytes of the engine log."""

    slow: dict[str, int] = field(default_factory=dict[str, int])
    engine: int = 0


class LogDelivery:
    """Delivers the logs of all stores that ask for it."""

    def __init__(self, stores: Stores, sampler: Sampler, say: Callable[[str], object]) -> None:
        """Deliver logs after each measurement.

        Args:
            stores: The stores.
            sampler: Has clients of the nodes.
            say: Called with a message for each destination that gets nothing.
        """
        self._stores = stores
        self._sampler = sampler
        self._say = say
        # Since when each log is delivered: entries that are older are not.
        self._since: dict[tuple[StoreKey, str], float] = {}
        self._progress: weakref.WeakKeyDictionary[Node, _Progress] = weakref.WeakKeyDictionary()
        self._told: set[str] = set()
        stores.events.listen(self._declared)
        sampler.after_tick.append(lambda _now: self.deliver())

    def deliver(self) -> None:
        """Deliver the entries since the last time."""
        for key in self._stores.running():
            with contextlib.suppress(KeyError):  # it was deleted
                wanted = self._wanted(key)
                if wanted:
                    self._deliver_of(key, wanted)

    def _wanted(self, key: StoreKey) -> list[Delivery]:
        return [
            one
            for one in deliveries(self._stores.declared.get(key, {}))
            # A log that its template has, but whose update is not complete yet, is not delivered.
            if (key, one.kind) in self._since
        ]

    def _declared(self, key: StoreKey, event: Event) -> None:
        if event.kind not in ("created", "modified", "deleted"):
            return
        properties = self._stores.declared.get(key, {}) if event.kind != "deleted" else {}
        kinds = {one.kind for one in deliveries(properties)}
        for kind in (SLOW_LOG, ENGINE_LOG):
            if kind not in kinds:
                self._since.pop((key, kind), None)
            else:
                self._since.setdefault((key, kind), 0.0 if event.kind == "created" else time.time())
        for stream in firehose_streams(properties):
            message = f"{key.name}: its logs are not delivered to {stream}: the local cloud delivers to log groups only"
            if message not in self._told:
                self._told.add(message)
                self._say(message)

    def _deliver_of(self, key: StoreKey, wanted: Sequence[Delivery]) -> None:
        store = self._stores[key]
        engine = str(self._stores.declared[key].get("Engine") or "redis").lower()
        for node in list(store.engines.nodes):
            progress = self._progress.setdefault(node, _Progress())
            name = store.node_name(node)
            for one in wanted:
                since = self._since.get((key, one.kind), time.time())
                # A node that does not answer, or is being removed, has nothing to deliver.
                with contextlib.suppress(RedisError, OSError), in_scope(key.scope):
                    read = self._slow_entries if one.kind == SLOW_LOG else _engine_lines
                    events = [
                        LogEvent(at, entry.line(name, one.form)) for at, entry in read(node, progress) if at >= since
                    ]
                    if events and self._exists(key, one.group):
                        write_log(one.group, stream_name(engine, name, one.kind), events)

    def _exists(self, key: StoreKey, group: str) -> bool:
        if has_log_group(group):
            return True
        message = f"{key.name}: its logs are not delivered: the log group {group} does not exist"
        if message not in self._told:
            self._told.add(message)
            self._say(message)
        return False

    def _slow_entries(self, node: Node, progress: _Progress) -> Iterator[tuple[float, SlowEntry]]:
        client: Any = self._sampler.client_of(node)
        # Numbers of entries begin at 0 again with each process.
        process = str(client.info("server")["run_id"])
        last = progress.slow.get(process, -1)
        entries = [SlowEntry.of(one) for one in client.slowlog_get(_MOST_ENTRIES)]
        for entry in sorted(entries, key=lambda one: one.id):
            if entry.id > last:
                progress.slow[process] = entry.id
                if entry.client != CLIENT_NAME:
                    yield entry.time, entry


def _engine_lines(node: Node, progress: _Progress) -> Iterator[tuple[float, EngineLine]]:
    for line in node.read_log(progress.engine):
        progress.engine += len(line)
        read = EngineLine.read(line.decode(errors="replace").rstrip("\n"))
        if read is not None:
            yield read.time.timestamp(), read
