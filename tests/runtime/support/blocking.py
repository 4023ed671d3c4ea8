"""Lets a test call a client of redis.asyncio as if it were one without asyncio."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any

from cdk_redis_runtime import connect, connect_async

_LONGEST_CALL = 60
KINDS = ("threads", "asyncio")


def open_client(kind: str, **options: Any) -> Any:
    """A client of `connect()`, or one of `connect_async()` for ``asyncio``, for the same tests."""
    return connect(**options) if kind == "threads" else Blocking(lambda: connect_async(**options))


class Blocking:
    """A client of redis.asyncio in an event loop of its own thread; every call waits for its result."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="event loop", daemon=True)
        self._thread.start()
        self._target = self._call(make)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if not callable(attribute):
            return attribute
        return lambda *args, **options: self._call(attribute, *args, **options)

    def pipeline(self, **options: Any) -> _Pipeline:
        return _Pipeline(self, self._target.pipeline(**options))

    def close(self) -> None:
        self._call(self._target.aclose)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        async def call() -> Any:
            result = function(*args, **options)
            return await result if inspect.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(_LONGEST_CALL)


class _Pipeline:
    def __init__(self, client: Blocking, pipeline: Any) -> None:
        self._client = client
        self._pipeline = pipeline

    def __enter__(self) -> _Pipeline:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client._call(self._pipeline.reset)

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            result = self._client._call(getattr(self._pipeline, name), *args, **options)
            return self if result is self._pipeline else result

        return call
