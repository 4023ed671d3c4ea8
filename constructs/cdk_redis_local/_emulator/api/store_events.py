"""DescribeEvents of both services: the newest event first."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.observe.event_texts import describe
from cdk_redis_local._emulator.store import CACHE_CLUSTER
from cdk_redis_local._emulator.stores import Stores

_DEFAULT = dt.timedelta(hours=1)


class StoreEvents:
    """The action ``DescribeEvents`` of both services."""

    def __init__(self, stores: Stores) -> None:
        """Prepare the actions."""
        self._stores = stores

    def register(self) -> None:
        """Add both actions to the emulator."""
        for service, source in ((ELASTICACHE, "SourceIdentifier"), (MEMORYDB, "SourceName")):
            service.add({"DescribeEvents": functools.partial(self._describe, service.name, source)})

    def _describe(self, service: str, source: str, parameters: Parameters) -> Answer:
        begin, end = _period(parameters)
        name, kind = parameters.get(source), parameters.get("SourceType")
        found: list[dict[str, Any]] = []
        for key, event in self._stores.events.history():
            alone = key.service == CACHE_CLUSTER and service == "elasticache"
            if (key.service != service and not alone) or key.scope != scope() or not begin <= event.time <= end:
                continue
            found += [
                {source: text.source, "SourceType": text.source_type, "Message": text.message, "Date": event.time}
                for text in describe(service, key.name, event)
                if name in (None, text.source) and kind in (None, text.source_type)
                if not (alone and text.source_type == "replication-group")
            ]
        return {"Events": found[::-1]}


def _period(parameters: Parameters) -> tuple[dt.datetime, dt.datetime]:
    """The time that a request asks for: by default, the last hour."""
    minutes, begin, end = (parameters.get(name) for name in ("Duration", "StartTime", "EndTime"))
    length = _DEFAULT if minutes is None else dt.timedelta(minutes=minutes)
    if begin is None:
        end = end or dt.datetime.now(dt.timezone.utc)
        return end - length, end
    return begin, end or (begin + length if minutes is not None else dt.datetime.now(dt.timezone.utc))
