"""Counts the calls of each caller in two windows of time: the current one, and the one before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from redis import Redis, RedisCluster, RedisError

log = logging.getLogger(__name__)


class RateLimiter:
    """Allows each caller so many calls in any window of so many seconds, approximately.

    The calls of the window before count in proportion to what is left of it. So a caller cannot use up two limits when
    the window changes, and two counters a caller are enough.
    """

    def __init__(
        self, client: Redis | RedisCluster, *, calls: int, seconds: int, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._calls = calls
        self._seconds = seconds
        self._now = now

    def allows(self, caller: str) -> bool:
        """Count one call; returns whether it is within the limit. Refused calls count, too."""
        window, elapsed = divmod(self._now(), self._seconds)
        # The braces put both counters into one shard, if the cache gets several.
        current, before = (f"calls:{{{caller}}}:{int(number)}" for number in (window, window - 1))
        pipeline = self._client.pipeline()
        pipeline.incr(current)
        pipeline.expire(current, 2 * self._seconds)
        pipeline.get(before)
        try:
            counted, _, previous = pipeline.execute()
        except RedisError as error:
            # A cache that does not answer must not stop the service.
            log.warning("calls are not counted: %s", error)
            return True
        return counted + int(previous or 0) * (1 - elapsed / self._seconds) <= self._calls
