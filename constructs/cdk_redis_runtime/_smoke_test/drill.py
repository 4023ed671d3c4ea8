"""The failover drill: writes to and reads from every shard during a failover, and measures the outage.

Nothing here starts the failover: the state machine of the construct does, or a test.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from redis import Redis
from redis.cluster import RedisCluster
from redis.crc import key_slot
from redis.credentials import CredentialProvider
from redis.exceptions import RedisError

from cdk_redis_runtime._client.clients import ClientOptions, client_for
from cdk_redis_runtime._client.connect import credential_provider
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._client.timeouts import ClientTimeouts
from cdk_redis_runtime._smoke_test.drill_report import Attempt, DrillReport, ShardReport, outage_of

INTERVAL_SECONDS = 0.05
"""Seconds between two operations: shorter outages are not seen."""

_VERIFY_SECONDS = 20.0
_CHUNK = 500
_MOST_RANGES = 3
# How long keys live after the drill, if it is cut off before it deletes them.
_SPARE_SECONDS = 600

Client = Redis | RedisCluster


@dataclass(frozen=True)
class Progress:
    """What was answered in one second of a drill; one entry a shard.

    Attributes:
        second: Number of the second, from 1 on.
        writes: Writes that were answered in it.
        reads: Reads that were answered in it.
        silent: Seconds since the last answer to a write or a read, whichever are more.
    """

    second: int
    writes: tuple[int, ...]
    reads: tuple[int, ...]
    silent: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """The progress as JSON."""
        return asdict(self)


class Drill:
    """Writes to and reads from every shard, each with its own client, until it is stopped."""

    def __init__(
        self,
        connection: Connection,
        *,
        key_prefix: str,
        seconds: float,
        credentials: CredentialProvider | None = None,
        timeouts: ClientTimeouts | None = None,
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        """Keep the settings, without connecting.

        Args:
            connection: How to connect.
            key_prefix: Prefix of each key that is written.
            seconds: How long to write and read at most; the keys live ten minutes longer.
            credentials: How to sign in. Default: - as declared in the connection.
            timeouts: Timeouts and retries. Default: - those of `connect`.
            interval: Seconds between two operations on a shard.
        """
        self._connection = connection
        self._credentials = credentials or credential_provider(connection)
        self._timeouts = timeouts or ClientTimeouts()
        self._prefix = key_prefix
        self._seconds = seconds
        self._interval = interval
        self._done = threading.Event()
        self._shards: list[_Shard] = []

    def start(self) -> None:
        """Find the shards and begin.

        Raises:
            RedisError: The store cannot be reached, so there is nothing to measure.
        """
        client = self._client()
        run = secrets.token_hex(4)
        expiry = int(self._seconds) + _SPARE_SECONDS
        self._shards = [
            _Shard(f"{self._prefix}{{{tag}}}:drill:{run}", expiry, slots) for tag, slots in _shards(client).items()
        ]
        for shard in self._shards:
            shard.identity = _identity(client, shard.prefix)
        client.close()
        self._begun = time.monotonic()
        self._threads = [
            # Daemons, so that a client that hangs does not keep the process alive.
            threading.Thread(target=self._repeat, args=(operation, attempts), daemon=True)
            for shard in self._shards
            for operation, attempts in ((shard.write, shard.writes), (shard.read, shard.reads))
        ]
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Wait until the time is over, or `stop` is called."""
        self._done.wait(max(0.0, self._begun + self._seconds - time.monotonic()))

    def watch(self) -> Iterator[Progress]:
        """Wait as `wait` does, and report what was answered after each second."""
        for second in range(1, int(self._seconds) + 1):
            if self._done.wait(max(0.0, self._begun + second - time.monotonic())):
                return
            yield self._progress(second)
        self.wait()

    def _progress(self, second: int) -> Progress:
        begin, now = self._begun + second - 1, time.monotonic()
        answers = [
            (_answered_between(shard.writes, begin, begin + 1), _answered_between(shard.reads, begin, begin + 1))
            for shard in self._shards
        ]
        last = [
            min(_last_answer(shard.writes, self._begun), _last_answer(shard.reads, self._begun))
            for shard in self._shards
        ]
        return Progress(
            second,
            tuple(writes for writes, _ in answers),
            tuple(reads for _, reads in answers),
            tuple(round(now - answer, 1) for answer in last),
        )

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of each shard, once the drill was started."""
        return tuple(shard.slots for shard in self._shards)

    def stop(self) -> DrillReport:
        """End the operations and check which acknowledged writes the store still has."""
        self._done.set()
        for thread in self._threads:
            thread.join(self._timeouts.connect + self._timeouts.answer * (self._timeouts.retries + 1))
        ended = time.monotonic()
        reports = tuple(self._report(shard, ended) for shard in self._shards)
        return DrillReport(self._connection.store, self._connection.service, ended - self._begun, reports)

    def clean_up(self) -> None:
        """Delete the keys; keys on nodes that do not answer expire."""
        for shard in self._shards:
            numbers = range(shard.next_number)
            self._with_retries(
                lambda client, shard=shard, numbers=numbers: _in_chunks(client, "delete", shard.keys(numbers))
            )

    def _client(self) -> Client:
        return client_for(self._connection, self._credentials, ClientOptions(self._timeouts))

    def _repeat(self, operation: Callable[[Client], object], attempts: list[Attempt]) -> None:
        client: Client | None = None
        while not self._done.is_set():
            started = time.monotonic()
            try:
                client = client or self._client()
                operation(client)
                attempts.append(Attempt(started, time.monotonic()))
            except (RedisError, OSError) as error:
                attempts.append(Attempt(started, time.monotonic(), type(error).__name__))
            self._done.wait(self._interval)
        if client is not None:
            client.close()

    def _report(self, shard: _Shard, ended: float) -> ShardReport:
        acknowledged = tuple(shard.acknowledged)
        values = self._with_retries(lambda client: _in_chunks(client, "get", shard.keys(acknowledged)))
        lost = None
        if values is not None:
            lost = tuple(number for number, value in zip(acknowledged, values, strict=True) if value != str(number))
        identity = self._with_retries(lambda client: _identity(client, shard.prefix))
        return ShardReport(
            writes=outage_of(tuple(shard.writes), self._begun, ended),
            reads=outage_of(tuple(shard.reads), self._begun, ended),
            acknowledged=acknowledged,
            lost=lost,
            other_primary=None if identity is None else identity != shard.identity,
            slots=shard.slots,
        )

    def _with_retries(self, operation: Callable[[Client], Any]) -> Any:
        """Try for some time; return None if the store does not recover."""
        deadline = time.monotonic() + _VERIFY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(RedisError, OSError), contextlib.closing(self._client()) as client:
                return operation(client)
            time.sleep(0.5)
        return None


class _Shard:
    """The keys of one shard, and the operations on it."""

    def __init__(self, prefix: str, expiry: int, slots: str) -> None:
        self.prefix = prefix
        self.slots = slots
        self.identity = ""
        self.writes: list[Attempt] = []
        self.reads: list[Attempt] = []
        self.acknowledged: list[int] = []
        self.next_number = 0
        self._expiry = expiry

    def keys(self, numbers: Sequence[int]) -> list[str]:
        return [f"{self.prefix}:{number}" for number in numbers]

    def write(self, client: Client) -> None:
        # Each write has its own key: an overwritten value would hide a lost write.
        number = self.next_number
        self.next_number += 1
        client.set(f"{self.prefix}:{number}", str(number), ex=self._expiry)
        self.acknowledged.append(number)

    def read(self, client: Client) -> None:
        client.get(f"{self.prefix}:{max(0, self.next_number - 1)}")


def _answered_between(attempts: Sequence[Attempt], begin: float, end: float) -> int:
    # From the end: the other thread appends, and only the last ones are of interest.
    count = 0
    for attempt in reversed(attempts):
        if attempt.ended < begin:
            break
        count += attempt.error is None and attempt.ended < end
    return count


def _last_answer(attempts: Sequence[Attempt], begun: float) -> float:
    return next((attempt.ended for attempt in reversed(attempts) if attempt.error is None), begun)


def _shards(client: Client) -> dict[str, str]:
    """A hash tag for each shard, and its slots; in the order of the slots."""
    if isinstance(client, Redis):
        return {"0": ""}
    nodes: Mapping[int, Sequence[Any]] = client.nodes_manager.slots_cache
    primaries = {slot: nodes[slot][0].name for slot in sorted(nodes) if nodes[slot]}
    slots_of: dict[str, list[int]] = {}
    for slot, name in primaries.items():
        slots_of.setdefault(name, []).append(slot)
    tags: dict[str, str] = {}
    for number in itertools.count():
        if len(tags) == len(slots_of):
            break
        if name := primaries.get(key_slot(str(number).encode())):
            tags.setdefault(name, str(number))
    return {tags[name]: slot_ranges(slots) for name, slots in slots_of.items()}


def slot_ranges(slots: Sequence[int]) -> str:
    """Write sorted slots as ranges, the first three of them: ``0-99, 5461, 8192-16383``."""
    ranges: list[list[int]] = []
    for slot in slots:
        if ranges and ranges[-1][1] == slot - 1:
            ranges[-1][1] = slot
        else:
            ranges.append([slot, slot])
    texts = [f"{first}-{last}" if first != last else str(first) for first, last in ranges]
    return ", ".join(texts if len(texts) <= _MOST_RANGES else [*texts[:_MOST_RANGES], "..."])


def _identity(client: Client, prefix: str) -> str:
    """The run id of the process that serves the keys."""
    if isinstance(client, Redis):
        server: Any = client.info("server")
    else:
        server = client.info("server", target_nodes=client.get_node_from_key(prefix))
    return str(cast("dict[str, Any]", server)["run_id"])


def _in_chunks(client: Client, command: str, keys: Sequence[str]) -> list[Any]:
    answers: list[Any] = []
    for first in range(0, len(keys), _CHUNK):
        pipeline: Any = client.pipeline(transaction=False)
        for key in keys[first : first + _CHUNK]:
            getattr(pipeline, command)(key)
        answers += pipeline.execute()
    return answers
