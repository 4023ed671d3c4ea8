"""Time: how long the battery may take, how long it tries again, and what runs side by side within it."""

from __future__ import annotations

import _thread
import contextlib
import contextvars
import itertools
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0

_ANOTHER_AFTER = 0.005


class UnfinishedError(Exception):
    """Something did not end in time."""


class Tally:
    """The most tries that anything took.

    Attributes:
        tries: 1 where nothing had to be tried again.
    """

    def __init__(self) -> None:
        """Begin with one try."""
        self.tries = 1
        self._lock = threading.Lock()

    def add(self, tries: int) -> None:
        """Take note of how many tries something took."""
        with self._lock:
            self.tries = max(self.tries, tries)


# Threads of `side_by_side` share that of the thread that started them.
_tally: contextvars.ContextVar[Tally | None] = contextvars.ContextVar("_tally", default=None)


def tallied(tally: Tally, operation: Callable[[], T]) -> T:
    """Do something, and note in a tally how many tries its parts took."""
    token = _tally.set(tally)
    try:
        return operation()
    finally:
        _tally.reset(token)


class Clock:
    """The battery's time budget.

    Attributes:
        budget: Seconds in all.
        patience: Seconds that one dial or one answer may take.
    """

    def __init__(self, budget: float) -> None:
        """Start the clock.

        Args:
            budget: Seconds in all.
        """
        self.budget = budget
        # Short enough that one silent node costs a check a fraction of the budget.
        self.patience = min(3.0, budget / 5)
        now = time.monotonic()
        # What can heal is tried again during the first half; the second is for what then still has to run.
        self._warm_up_ends = now + budget / 2
        self._checks_end = now + budget * 0.9
        self._ends = now + budget

    @property
    def remaining(self) -> float:
        """Seconds left in the budget; never negative."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def remaining_for_checks(self) -> float:
        """Seconds until a check has to say what it knows; never negative."""
        return max(0.0, self._checks_end - time.monotonic())

    @property
    def warming_up(self) -> bool:
        """Whether there is still time to try again."""
        return self.remaining_for_warm_up > 0

    @property
    def remaining_for_warm_up(self) -> float:
        """Seconds for which what may heal is tried again; never negative."""
        return max(0.0, self._warm_up_ends - time.monotonic())

    def retry(self, operation: Callable[[], T], heals: Callable[[Exception], bool]) -> T:
        """Try until it works, with growing pauses, as long as the error may heal and the warm-up lasts.

        Args:
            operation: What to try.
            heals: Whether an error may go away by itself.

        Raises:
            Exception: The operation's last error.
        """
        pause = _FIRST_PAUSE
        tally = _tally.get()
        for tries in itertools.count(1):
            if tally:
                tally.add(tries)
            try:
                return operation()
            except Exception as error:
                if not heals(error) or time.monotonic() + pause > self._warm_up_ends:
                    raise
            # Jitter: the checks of one battery should not come back all at once.
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret depends on it
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("unreachable")

    def in_time(self, operation: Callable[[], T]) -> T:
        """Do something that may hang, and come back while there is still time to say so.

        Args:
            operation: Runs in a thread of its own, and is left behind if it hangs.

        Raises:
            Exception: The operation's own error.
            UnfinishedError: It did not end in the time that checks have.
        """
        [done] = side_by_side(lambda _: operation(), [None], self.remaining_for_checks)
        if done.error is not None:
            raise done.error
        return done.value  # pyright: ignore[reportReturnType] - None only where T allows it


@dataclass(frozen=True)
class Done(Generic[Item, T]):
    """What became of one item: a value, or the error that came instead.

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


def side_by_side(function: Callable[[Item], T], items: Sequence[Item], seconds: float) -> list[Done[Item, T]]:
    """Call a function for every item, none of which waits for another that hangs; return in time in any case.

    One begins at once, and one more every few milliseconds or when another ends: most end before the next begins, and
    threads that have something to do hinder each other.

    Args:
        function: What to call.
        items: What to call it with.
        seconds: How long to wait. What still runs then is left behind, and reported as `UnfinishedError`.

    Returns:
        One entry an item, in the same order.
    """
    started = time.monotonic()
    done: list[Done[Item, T] | None] = [None] * len(items)
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                index = waiting.get_nowait()
                done[index] = attempt(function, items[index])
                ended.put(index)

    for index in range(len(items)):
        waiting.put(index)
    workers, left = 0, len(items)
    while left and (passed := time.monotonic() - started) < seconds:
        next_begins = seconds if waiting.empty() else workers * _ANOTHER_AFTER
        if passed >= next_begins:
            _start(work)
            workers += 1
            continue
        with contextlib.suppress(queue.Empty):
            ended.get(timeout=min(next_begins, seconds) - passed)
            left -= 1
    with contextlib.suppress(queue.Empty):
        while left:
            waiting.get_nowait()
    return [
        entry or Done(item, None, UnfinishedError(), time.monotonic() - started)
        for item, entry in zip(items, done, strict=True)
    ]


def _start(work: Callable[[], object]) -> None:
    # Not a pool's thread, nor `threading`'s: the one is waited for at the end of the process, however long it hangs,
    # and the other is slow to start for what ends within a millisecond.
    _thread.start_new_thread(contextvars.copy_context().run, (work,))


def attempt(function: Callable[[Item], T], item: Item) -> Done[Item, T]:
    """Call a function, and keep what became of it."""
    begun = time.monotonic()
    try:
        return Done(item, function(item), None, time.monotonic() - begun)
    except Exception as error:
        return Done(item, None, error, time.monotonic() - begun)


class Once(Generic[T]):
    """A value that the first caller computes, and every other waits for; an error is kept likewise."""

    def __init__(self, compute: Callable[[], T]) -> None:
        """Keep the computation for later.

        Args:
            compute: Called at most once.
        """
        self._compute = compute
        self._lock = threading.Lock()
        self._done: Done[None, T] | None = None
        self._tally = Tally()

    def __call__(self) -> T:
        """Give the value.

        Raises:
            Exception: What the computation raised, at every call.
        """
        with self._lock:
            if self._done is None:
                self._done = attempt(lambda _: tallied(self._tally, self._compute), None)
        # Who waited for the first caller waited for its tries.
        if tally := _tally.get():
            tally.add(self._tally.tries)
        if self._done.error is not None:
            raise self._done.error
        return self._done.value  # pyright: ignore[reportReturnType] - None only where T allows it
