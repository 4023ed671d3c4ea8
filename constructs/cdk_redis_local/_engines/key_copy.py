"""`KeyCopy`: keeps the keys of sets in cluster mode equal, where an engine cannot replicate between clusters.

It reads which keys each primary changes (`ChangeStream`), and copies the state of these keys, never the commands. So
the copy of a key may be repeated, come late or be out of order, and the sets still become equal. After a lost
connection all keys are compared. If two sets change a key at about the same time, the later change wins, for the whole
key.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from cdk_redis_local._core.errors import EngineError
from cdk_redis_local._engines import members
from cdk_redis_local._engines.change_stream import OWN_DELETE, OWN_RESTORE, Change, ChangeStream, raw_client
from cdk_redis_local._engines.engines import EngineSet
from cdk_redis_local._engines.node import Node
from cdk_redis_runtime._client.cluster import Cluster

_LOOK_SECONDS = 0.2
_BATCH = 200
_SYNC_SECONDS = 60.0


class KeyCopy:
    """Copies the changes of some sets to all others, on a thread, until it is closed.

    All sets are in cluster mode; their numbers of shards may differ and change.
    """

    def __init__(self, sets: Mapping[str, EngineSet], sources: Iterable[str]) -> None:
        """Start to copy.

        Args:
            sets: The sets by name.
            sources: Names of the sets whose changes are copied. With one source, keys that it does not have are removed
                from the others.
        """
        self._sets = dict(sets)
        self._sources = list(sources)
        self._streams: dict[tuple[str, Node], ChangeStream] = {}
        # The keys to copy, and the set with the newest change of each. The oldest entry is first.
        self._changed: dict[bytes, str] = {}
        self._copying: set[bytes] = set()
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
            for node in _primaries(self._sets[name]):
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
            primaries = _primaries(self._sets[name])
            for place, stream in list(self._streams.items()):
                if place[0] == name and (place[1] not in primaries or not stream.alive):
                    stream.close()
                    del self._streams[place]
            for node in primaries:
                if (name, node) not in self._streams:

                    def note(change: Change, name: str = name) -> None:
                        self._note(name, change)

                    # What was changed before is found by a comparison of all keys.
                    with self._lock:
                        self._compare.add(name)
                    self._streams[name, node] = ChangeStream(node, note)

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
            for key in change.keys:
                self._changed.pop(key, None)
                self._changed[key] = name
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
                self._changed.setdefault(key, name)
            for other, keys in others.items():
                for key in keys - own:
                    # With several sources, a key that is missing here was added there, unless this set was emptied.
                    self._changed.setdefault(key, name if emptied or other not in self._sources else other)
            if len(self._sources) == 1:
                self._functions.add(name)

    def _keys(self, name: str) -> Iterator[bytes]:
        for node in _primaries(self._sets[name]):
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
            batch = {key: self._changed.pop(key) for key in list(self._changed)[:_BATCH]}
            self._copying = set(batch)
        try:
            for name in functions:
                self._copy_functions(name)
            for source in set(batch.values()):
                self._copy_keys(source, [key for key, name in batch.items() if name == source])
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

    def _copy_keys(self, source: str, keys: list[bytes]) -> None:
        pipeline: Any = self._client(source).pipeline()
        for key in keys:
            pipeline.execute_command("DUMP", key)
            pipeline.execute_command("PEXPIRETIME", key)
        answers = pipeline.execute(raise_on_error=True)
        states = list(zip(keys, answers[::2], answers[1::2], strict=True))
        for target in self._sets:
            if target != source:
                self._write(target, states)

    def _write(self, target: str, states: Iterable[tuple[bytes, bytes | None, int]]) -> None:
        pipeline: Any = self._client(target).pipeline()
        for key, payload, expires in states:
            with self._lock:
                if self._changed.get(key) == target:  # changed there after the change that is copied
                    continue
            if payload is None:
                pipeline.execute_command(OWN_DELETE, key)
            else:
                pipeline.execute_command("RESTORE", key, max(expires, 0), payload, OWN_RESTORE, "ABSTTL")
        pipeline.execute(raise_on_error=True)

    def _copy_functions(self, source: str) -> None:
        with contextlib.closing(raw_client(_primaries(self._sets[source])[0])) as client:
            payload = client.execute_command("FUNCTION", "DUMP")
        for target in self._sets:
            if target != source:
                for node in _primaries(self._sets[target]):
                    with contextlib.closing(raw_client(node)) as client:
                        client.execute_command("FUNCTION", "RESTORE", payload, "FLUSH")

    def _client(self, name: str) -> Cluster:
        if name not in self._clients:
            self._clients[name] = _cluster_client(self._sets[name])
        return self._clients[name]

    def _forget_clients(self) -> None:
        for client in self._clients.values():
            with contextlib.suppress(RedisError, OSError):
                client.close()
        self._clients = {}


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
