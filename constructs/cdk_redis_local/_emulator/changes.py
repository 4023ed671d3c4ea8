"""The changes of stores that are not complete yet, for their status in the API."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Generator
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar

Change = Literal["creating", "modifying", "deleting", "snapshotting"]
"""What happens to a store, in ElastiCache's words."""
Key = TypeVar("Key")
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Owner = TypeVar("_Owner", bound=Any)


class Changes(Generic[Key]):
    """The current changes of all stores. Safe to use from several threads."""

    def __init__(self) -> None:
        """Begin without changes."""
        self._current: dict[Key, list[Change]] = {}
        self._lock = threading.Lock()

    def begin(self, key: Key, change: Change) -> None:
        """Record the begin of a change; a store may have several at the same time."""
        with self._lock:
            self._current.setdefault(key, []).append(change)

    def end(self, key: Key, change: Change) -> None:
        """Record the end of a change."""
        with self._lock:
            changes = self._current[key]
            changes.remove(change)
            if not changes:
                del self._current[key]

    @contextlib.contextmanager
    def during(self, key: Key, change: Change) -> Generator[None]:
        """Record a change while the ``with`` block runs."""
        self.begin(key, change)
        try:
            yield
        finally:
            self.end(key, change)

    def of(self, key: Key) -> Change | None:
        """The last change that began and is not complete; None without one."""
        with self._lock:
            changes = self._current.get(key)
            return changes[-1] if changes else None

    def keys(self) -> list[Key]:
        """The stores with a change."""
        with self._lock:
            return list(self._current)


def recorded_as(
    change: Change,
) -> Callable[
    [Callable[Concatenate[_Owner, Key, _Parameters], _Result]], Callable[Concatenate[_Owner, Key, _Parameters], _Result]
]:
    """Record a change of a store in the ``changes`` of the method's object while the method runs."""

    def decorate(
        method: Callable[Concatenate[_Owner, Key, _Parameters], _Result],
    ) -> Callable[Concatenate[_Owner, Key, _Parameters], _Result]:
        @functools.wraps(method)
        def recorded(owner: _Owner, key: Key, *arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
            with owner.changes.during(key, change):
                return method(owner, key, *arguments, **named)

        return recorded

    return decorate
