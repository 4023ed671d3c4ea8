"""Waits for other threads or processes, and runs a function in several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def wait_until(look: Callable[[], Result], seconds: float = 10, *, ignore: tuple[type[Exception], ...] = ()) -> Result:
    """Call ``look`` until it returns something true, and return that.

    Raises:
        AssertionError: It did not in that many seconds; the message has the last value or error.
    """
    deadline = time.monotonic() + seconds
    while True:
        last: object
        try:
            if seen := look():
                return seen
            last = seen
        except ignore as error:
            last = error
        assert time.monotonic() < deadline, f"after {seconds:g} s still {last!r}"
        time.sleep(0.05)


def in_threads(work: Callable[[], Result], count: int) -> list[Result | Exception]:
    """Call ``work`` in that many threads at the same time; return the value or error of each call."""
    start = threading.Barrier(count)

    def run(_: int) -> Result | Exception:
        start.wait()
        try:
            return work()
        except Exception as error:  # the caller's test judges it
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
