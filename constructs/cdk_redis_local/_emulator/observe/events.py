"""The events of stores, for listeners and for the API."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Generic, Literal, TypeVar

EventKind = Literal[
    "created",
    "modified",
    "parameter-changed",
    "failover-started",
    "failover-complete",
    "failover-failed",
    "recovery-started",
    "recovered",
    "nodes-added",
    "nodes-removed",
    "scaled",
    "scaling-failed",
    "snapshot-complete",
    "deleted",
]
"""The kinds of events; :class:`Event` says what each one carries."""

# Events that are kept. A store has a few dozen in a session.
_LONGEST_HISTORY = 10_000

Key = TypeVar("Key", bound=Hashable)


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Event:
    """One event of a store.

    Attributes:
        kind: What happened. ``created``: the store is available. ``modified``: a change of its template properties is
            complete; other events may say more.
        nodes: Names of nodes, as in the AWS API. ``failover-complete``: the old primary and the new primary. Otherwise:
            all nodes that the event is about.
        shard: Name of the shard of a failover, such as ``0001``.
        text: ``parameter-changed``: ``name to value``. ``nodes-added`` and ``nodes-removed``: numbers of nodes, as in
            ``2 to 3``. ``snapshot-complete``: name of the snapshot. ``failover-failed`` and
            ``scaling-failed``: the reason.
        time: Default: - now.
    """

    kind: EventKind
    nodes: tuple[str, ...] = ()
    shard: str = ""
    text: str = ""
    time: datetime = field(default_factory=_now)


class EventLog(Generic[Key]):
    """The events of all stores, oldest first, and their listeners. Safe to use from several threads."""

    def __init__(self, say: Callable[[str], object]) -> None:
        """Begin without events; ``say`` is called with the error of a listener."""
        self._say = say
        self._history: collections.deque[tuple[Key, Event]] = collections.deque(maxlen=_LONGEST_HISTORY)
        self._listeners: list[Callable[[Key, Event], object]] = []
        self._lock = threading.Lock()

    def listen(self, listener: Callable[[Key, Event], object]) -> None:
        """Call this with each later event and its store, on the thread that caused it; must not wait for the store."""
        with self._lock:
            self._listeners.append(listener)

    def add(self, key: Key, event: Event) -> None:
        """Record an event and call the listeners."""
        with self._lock:
            self._history.append((key, event))
            listeners = list(self._listeners)
        for listener in listeners:
            self._deliver(listener, key, event)

    def history(self) -> list[tuple[Key, Event]]:
        """The stores and their events, oldest first; events of deleted stores too."""
        with self._lock:
            return list(self._history)

    def _deliver(self, listener: Callable[[Key, Event], object], key: Key, event: Event) -> None:
        try:
            listener(key, event)
        except Exception as error:  # the store must not fail because of a listener
            self._say(f"the event {event.kind} of {key} was not delivered: {error}")
