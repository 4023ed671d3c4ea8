"""Time: the budget of the smoke test, how long checks are tried again, and how things run at the same time."""

from __future__ import annotations

import contextlib
import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")

# A check that runs alone waits for the others during the first half of the budget.
_WAITING_SHARE = 0.5
# Leaves time for a last, slow try.
_HEALING_SHARE = 0.7
_CHECKS_SHARE = 0.9
_BATTERY_SHARE = 0.95

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0
# The main thread handles a signal that another thread received when it runs next.
_LONGEST_JOIN_SECONDS = 0.2

MOST_THREADS = 100
"""Threads of one `side_by_side`. A Lambda function may have 1,024, and a cluster has up to 500 nodes."""


class UnfinishedError(Exception):
    """Something did not end in time."""


class Clock:
    """The smoke test's time budget.

    Attributes:
        budget: Seconds in all.
        step_seconds: Seconds to wait for one connection or one answer.
    """

    def __init__(self, budget: float) -> None:
        """Start the clock.

        Args:
            budget: Seconds in all.
        """
        self.budget = budget
        # Short enough for one node that does not answer to cost a check only a part of the budget.
        self.step_seconds = min(3.0, budget / 5)
        self._started = time.monotonic()
        self._over = threading.Event()

    @property
    def remaining(self) -> float:
        """Seconds until the report is written; never negative."""
        return self._until(_BATTERY_SHARE)

    @property
    def remaining_for_checks(self) -> float:
        """Seconds until a check has to return; never negative."""
        return self._until(_CHECKS_SHARE)

    @property
    def remaining_for_healing(self) -> float:
        """Seconds in which checks whose outcome may heal are tried again; never negative."""
        return self._until(_HEALING_SHARE)

    @property
    def remaining_for_waiting(self) -> float:
        """Seconds in which a check that runs alone waits for the others; never negative."""
        return self._until(_WAITING_SHARE)

    def tries(self) -> Iterator[int]:
        """Count tries from 1, with growing pauses between them, until the time for healing is over."""
        pause = _FIRST_PAUSE
        for number in itertools.count(1):
            if self._over.is_set():
                return
            yield number
            # Jitter, so that the checks are not all tried again at the same moment.
            seconds = pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret depends on it
            if seconds > self.remaining_for_healing or self._over.wait(seconds):
                return
            pause = min(pause * 2, _LONGEST_PAUSE)

    def in_time(self, operation: Callable[[], T]) -> T:
        """Do something that may hang, and return while there is still time to report that.

        Args:
            operation: Runs in its own thread, which is left behind if it hangs.

        Raises:
            Exception: The operation's own error.
            UnfinishedError: It did not end in the time that checks have.
        """
        [done] = side_by_side(lambda _: operation(), [None], self.remaining_for_checks)
        if done.error is not None:
            raise done.error
        return done.value  # pyright: ignore[reportReturnType] - None only where T allows it

    def stop(self) -> None:
        """End the budget now: nothing new begins, and nothing is tried again."""
        self._over.set()

    def _until(self, share: float) -> float:
        if self._over.is_set():
            return 0.0
        return max(0.0, self._started + self.budget * share - time.monotonic())


@dataclass(frozen=True)
class Result(Generic[Item, T]):
    """The result for one item: a value or an error.

    Attributes:
        item: What the function was called with.
        value: What it returned; None after an error.
        error: What it raised, or `UnfinishedError`.
        seconds: How long it took.
    """

    item: Item
    value: T | None
    error: Exception | None
    seconds: float


def side_by_side(function: Callable[[Item], T], items: Sequence[Item], seconds: float) -> list[Result[Item, T]]:
    """Call a function for every item at the same time, each in its own thread, and return in time.

    Args:
        function: What to call.
        items: What to call it with. Up to `MOST_THREADS` run at the same time; the others begin when one of them ends.
        seconds: How long to wait; with 0 nothing begins. What still runs then is left behind and reported as
            `UnfinishedError`.

    Returns:
        One entry an item, in the same order.
    """
    started = time.monotonic()
    done: list[Result[Item, T] | None] = [None] * len(items)
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                index = waiting.get_nowait()
                done[index] = attempt(function, items[index])

    for index in range(len(items)):
        waiting.put(index)
    # Not a ThreadPoolExecutor: the interpreter waits for its threads when it exits, however long they hang.
    workers = [
        threading.Thread(target=work, name=f"cdk-redis-{number}", daemon=True)
        for number in range(min(len(items), MOST_THREADS) if seconds > 0 else 0)
    ]
    for worker in workers:
        worker.start()
    # A thread that still runs while the interpreter exits can crash it, so those that end are waited for.
    for worker in workers:
        while worker.is_alive() and (left := started + seconds - time.monotonic()) > 0:
            worker.join(min(left, _LONGEST_JOIN_SECONDS))
    with contextlib.suppress(queue.Empty):
        while True:
            waiting.get_nowait()
    return [
        entry or Result(item, None, UnfinishedError(), time.monotonic() - started)
        for item, entry in zip(items, done, strict=True)
    ]


def attempt(function: Callable[[Item], T], item: Item) -> Result[Item, T]:
    """Call a function and keep its result, an error included."""
    begun = time.monotonic()
    try:
        return Result(item, function(item), None, time.monotonic() - begun)
    except Exception as error:
        return Result(item, None, error, time.monotonic() - begun)


class Once(Generic[T]):
    """A value that the first caller computes while the others wait. An error is kept, too."""

    def __init__(self, compute: Callable[[], T]) -> None:
        """Keep the function for later.

        Args:
            compute: Called at most once.
        """
        self._compute = compute
        self._lock = threading.Lock()
        self._done: Result[None, T] | None = None

    def __call__(self) -> T:
        """Return the value.

        Raises:
            Exception: What the function raised, at every call.
        """
        with self._lock:
            if self._done is None:
                self._done = attempt(lambda _: self._compute(), None)
        if self._done.error is not None:
            raise self._done.error
        return self._done.value  # pyright: ignore[reportReturnType] - None only where T allows it
