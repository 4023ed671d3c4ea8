"""Waits for what happens a little later, such as replication."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import RedisError


def eventually(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until a condition is true; errors of a client count as false."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except RedisError:
            pass
        assert time.monotonic() < deadline, f"it did not become true within {seconds:g} s"
        time.sleep(0.02)
