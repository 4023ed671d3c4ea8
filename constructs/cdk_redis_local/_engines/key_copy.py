"""`KeyCopy`: keeps the keys of sets in cluster mode equal, where an engine cannot replicate between clusters.

It reads which keys each primary changes (`ChangeStream`), and copies the state of these keys, never the commands. So
the copy of a key may be repeated, come late or be out of order, and the sets still become equal. After a lost
connection all keys are compared. With several sources, the later of two changes at about the same time wins: for each
field of a hash and each member of a set or sorted set, or for the whole key.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines import members
from cdk_redis_local._engines.change_stream import OWN_DELETE, OWN_RESTORE, Change, ChangeStream, Element, raw_client
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.node import Node
from cdk_redis_runtime._client.cluster import Cluster

_LOOK_SECONDS = 0.2
_BATCH = 200
_SYNC_SECONDS = 60.0
# The commands that read a key, and each kind of element.
_READS = {"": ("DUMP", "PEXPIRETIME"), "hash": ("HGET",), "set": ("SISMEMBER",), "zset": ("ZSCORE",)}


class KeyCopy:
    """Copies the changes of some sets to all others, on a thread, until it is closed.

    All sets are in cluster mode; their numbers of shards may differ and change.
    """

    def __init__(self, sets: Mapping[str, Callable[[], EngineSet]], sources: Iterable[str]) -> None:
        """Start to copy.

        Args:
            sets: Returns each set, by name; may return another one later, with the same keys.
            sources: Names of the sets whose changes are copied. With one source, keys that it does not have are removed
                from the others.
        """
        self._sets = dict(sets)
        self._sources = list(sources)
        self._streams: dict[tuple[str, Node], ChangeStream] = {}
        # The keys and elements to copy, and the set with the newest change of each. The oldest entry is first.
        self._changed: dict[Element, str] = {}
        self._copying: set[Element] = set()
        self._functions: set[str] = set()
        self._compare: set[str] = set()
        self._comparing: set[str] = set()
        self._clients: dict[str, Cluster] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self.last_error = ""
        """The last error of a copy that was repeated, for messages."""
        self._thread = threading.Thread(target=self._work, name=f"copy of {', '.join(sets)}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop copying. A second call does nothing."""
        self._closed.set()
        self._wake.set()
        self._thread.join()

    def wait_until_equal(self) -> None:
        """Wait until all changes before this call are copied.

        Raises:
            EngineError: They were not copied in time; the message has the last error.
        """
        deadline = time.monotonic() + _SYNC_SECONDS
        with contextlib.suppress(RedisError, OSError):
            while time.monotonic() < deadline:
                positions = self._positions()
                if positions is not None and self._is_idle(positions):
                    return
                time.sleep(0.02)
        raise EngineError(f"keys were not copied within {_SYNC_SECONDS:g} s: {self.last_error or 'no error'}")

    def _positions(self) -> dict[tuple[str, Node], int] | None:
        """How far each stream must have been read; None if a primary has no stream yet."""
        positions: dict[tuple[str, Node], int] = {}
        for name in self._sources:
            for node in _primaries(self._sets[name]()):
                if (name, node) not in self._streams:
                    return None
                positions[name, node] = int(node.admin.info("replication")["master_repl_offset"])
        return positions

    def _is_idle(self, positions: Mapping[tuple[str, Node], int]) -> bool:
        deadline = time.monotonic() + _SYNC_SECONDS
        for place, position in positions.items():
            while (stream := self._streams.get(place)) is not None and stream.offset < position:
                if not stream.alive or time.monotonic() > deadline:
                    return False
                time.sleep(0.005)
            if stream is None:
                return False
        while time.monotonic() < deadline:
            with self._lock:
                if not any((self._changed, self._copying, self._compare, self._comparing, self._functions)):
                    return True
            time.sleep(0.005)
        return False

    def _work(self) -> None:
        looked = 0.0
        try:
            while not self._closed.is_set():
                try:
                    if time.monotonic() - looked > _LOOK_SECONDS:
                        self._look_for_primaries()
                        looked = time.monotonic()
                    self._compare_some()
                    busy = self._copy_some()
                except Exception as error:
                    # Usually a node failed over, or is being replaced: repeat with the new primary.
                    self.last_error = str(error)
                    self._forget_clients()
                    busy = False
                if not busy:
                    self._wake.wait(_LOOK_SECONDS)
                    self._wake.clear()
        finally:
            for stream in self._streams.values():
                stream.close()
            self._forget_clients()

    def _look_for_primaries(self) -> None:
        for name in self._sources:
            primaries = _primaries(self._sets[name]())
            for place, stream in list(self._streams.items()):
                if place[0] == name and (place[1] not in primaries or not stream.alive):
                    stream.close()
                    del self._streams[place]
                    self._forget_clients()
            for node in primaries:
                if (name, node) not in self._streams:

                    def note(change: Change, name: str = name) -> None:
                        self._note(name, change)

                    # What was changed before is found by a comparison of all keys.
                    with self._lock:
                        self._compare.add(name)
                    self._streams[name, node] = ChangeStream(node, note, elements=len(self._sources) > 1)

    def _compare_some(self) -> None:
        """Compare the sets that joined, had a new primary or were emptied."""
        with self._lock:
            self._comparing, self._compare = self._compare, set()
        try:
            for name in sorted(self._comparing):
                self._compare_all(name)
        except BaseException:
            with self._lock:
                self._compare |= self._comparing
            raise
        finally:
            with self._lock:
                self._comparing = set()

    def _note(self, name: str, change: Change) -> None:
        with self._lock:
            for element in change.elements:
                self._changed.pop(element, None)
                self._changed[element] = name
            if change.everything:
                self._compare.add(f"{name}/emptied")
            if change.functions and len(self._sources) == 1:
                self._functions.add(name)
        self._wake.set()

    def _compare_all(self, name: str) -> None:
        """Note all keys that may differ after a set was emptied, or joined or had a new primary."""
        emptied, name = name.endswith("/emptied"), name.removesuffix("/emptied")
        own = set(self._keys(name))
        others = {other: set(self._keys(other)) for other in self._sets if other != name}
        with self._lock:
            for key in own:
                self._changed.setdefault(Element(key), name)
            for other, keys in others.items():
                for key in keys - own:
                    # With several sources, a key that is missing here was added there, unless this set was emptied.
                    self._changed.setdefault(Element(key), name if emptied or other not in self._sources else other)
            if len(self._sources) == 1:
                self._functions.add(name)

    def _keys(self, name: str) -> Iterator[bytes]:
        for node in _primaries(self._sets[name]()):
            with contextlib.closing(raw_client(node)) as client:
                cursor = b"0"
                while True:
                    cursor, keys = cast("Any", client.execute_command("SCAN", cursor, "COUNT", 1000))
                    yield from keys
                    if cursor == b"0":
                        break

    def _copy_some(self) -> bool:
        """Copy the oldest changes; returns whether there may be more."""
        with self._lock:
            functions, self._functions = self._functions, set()
            batch = {one: self._changed.pop(one) for one in list(itertools.islice(self._changed, _BATCH))}
            self._copying = set(batch)
        try:
            for name in functions:
                self._copy_functions(name)
            for source in set(batch.values()):
                self._copy_elements(source, [one for one, name in batch.items() if name == source])
        except BaseException:
            with self._lock:
                self._functions |= functions
                self._changed = {
                    **{key: name for key, name in batch.items() if key not in self._changed},
                    **self._changed,
                }
            raise
        finally:
            with self._lock:
                self._copying = set()
        return bool(batch)

    def _copy_elements(self, source: str, elements: Sequence[Element]) -> None:
        pipeline: Any = self._client(source).pipeline()
        for one in elements:
            for command in _READS[one.kind]:
                pipeline.execute_command(command, one.key, *([one.name] if one.kind else []))
        answers = iter(pipeline.execute(raise_on_error=False))
        found = [(one, [next(answers) for _ in _READS[one.kind]]) for one in elements]
        for target in self._sets:
            if target != source:
                self._write(target, found)

    def _write(self, target: str, found: Iterable[tuple[Element, list[Any]]]) -> None:
        pipeline: Any = self._client(target).pipeline()
        written: list[Element] = []
        for one, answers in found:
            error = next((answer for answer in answers if isinstance(answer, Exception)), None)
            if error is not None and not _is_about_type(one, error):
                raise error
            with self._lock:
                newer = self._changed.get(one) == target
            # An element of a key that has another type now is copied with the key.
            if newer or error is not None:
                continue
            pipeline.execute_command(*_command(one, answers))
            written.append(one)
        for one, answer in zip(written, pipeline.execute(raise_on_error=False), strict=True):
            if isinstance(answer, Exception):
                self._settle(one, answer)

    def _settle(self, one: Element, error: Exception) -> None:
        """Copy a whole key after an error about one of its elements: the sets have other types of it."""
        if not _is_about_type(one, error):
            raise error
        with self._lock:
            self._changed.setdefault(Element(one.key), self._sources[0])

    def _copy_functions(self, source: str) -> None:
        with contextlib.closing(raw_client(_primaries(self._sets[source]())[0])) as client:
            payload = client.execute_command("FUNCTION", "DUMP")
        for target in self._sets:
            if target != source:
                for node in _primaries(self._sets[target]()):
                    with contextlib.closing(raw_client(node)) as client:
                        client.execute_command("FUNCTION", "RESTORE", payload, "FLUSH")

    def _client(self, name: str) -> Cluster:
        if name not in self._clients:
            self._clients[name] = _cluster_client(self._sets[name]())
        return self._clients[name]

    def _forget_clients(self) -> None:
        for client in self._clients.values():
            with contextlib.suppress(RedisError, OSError):
                client.close()
        self._clients = {}


def _command(one: Element, answers: Sequence[Any]) -> tuple[Any, ...]:
    """The command that writes what was read."""
    value = answers[0]
    if not one.kind:
        if value is None:
            return (OWN_DELETE, one.key)
        return ("RESTORE", one.key, max(int(answers[1]), 0), value, OWN_RESTORE, "ABSTTL")
    if value is None or value is False or (one.kind == "set" and not value):
        return ({"hash": "hDEL", "set": "sREM", "zset": "zREM"}[one.kind], one.key, one.name)
    if one.kind == "hash":
        return ("hSET", one.key, one.name, value)
    return ("sADD", one.key, one.name) if one.kind == "set" else ("zADD", one.key, repr(float(value)), one.name)


def _is_about_type(one: Element, error: Exception) -> bool:
    """Whether an error is about an element of a key that has another type."""
    return bool(one.kind) and str(error).startswith("WRONGTYPE")


def _primaries(engines: EngineSet) -> list[Node]:
    """The running nodes that are primaries according to their engines."""
    found: list[Node] = []
    for node in members.running(engines.nodes):
        with contextlib.suppress(RedisError, OSError):
            if node.role == "primary":
                found.append(node)
    return found


def _cluster_client(engines: EngineSet) -> Cluster:
    node = engines.primaries[0]
    manager = engines.security.manager
    tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": engines.ca_file} if engines.tls else {}
    return Cluster(
        host=node.host,
        port=node.port,
        username=manager.name,
        password=manager.passwords[0],
        protocol=2,
        socket_timeout=10,
        cluster_error_retry_attempts=3,
        retry=Retry(NoBackoff(), 3),
        **tls,
    )
