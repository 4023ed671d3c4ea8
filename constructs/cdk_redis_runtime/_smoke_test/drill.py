"""The failover drill: writes to and reads from every shard during a failover, and measures the outage.

Nothing here starts the failover: the state machine of the construct does, or a test.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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

INTERVAL_SECONDS = 0.05
"""Seconds between two operations: shorter outages are not seen."""

_NOTICEABLE_SECONDS = 0.5
_VERIFY_SECONDS = 20.0
_CHUNK = 500
# How long keys live after the drill, if it is cut off before it deletes them.
_SPARE_SECONDS = 600

Client = Redis | RedisCluster


@dataclass(frozen=True)
class Attempt:
    """One operation.

    Attributes:
        started: When it was sent, on the monotonic clock.
        ended: When it was answered or given up.
        error: Kind of the error; None after an answer.
    """

    started: float
    ended: float
    error: str | None = None


@dataclass
class Outage:
    """The outage of one kind of operation.

    Attributes:
        attempted: How many operations there were.
        succeeded: How many were answered.
        failed_seconds: Seconds without an answer: all gaps with an error, or of at least half a second.
        longest_gap_seconds: The longest time between two answers.
        longest_gap_ended: When the longest gap ended, on the monotonic clock; None if it did not.
        longest_call_seconds: The longest time that a caller waited for an answer or an error.
        errors: How many errors of each kind.
    """

    attempted: int = 0
    succeeded: int = 0
    failed_seconds: float = 0.0
    longest_gap_seconds: float = 0.0
    longest_gap_ended: float | None = None
    longest_call_seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter[str])

    @property
    def recovered(self) -> bool:
        """Whether there were answers after the longest gap."""
        return self.attempted > 0 and self.longest_gap_ended is not None

    def as_dict(self) -> dict[str, Any]:
        """The part of the report's JSON."""
        return {
            "attempted": self.attempted,
            "succeeded": self.succeeded,
            "failed_seconds": round(self.failed_seconds, 3),
            "longest_gap_seconds": round(self.longest_gap_seconds, 3),
            "longest_call_seconds": round(self.longest_call_seconds, 3),
            "recovered": self.recovered,
            "errors": dict(self.errors),
        }


def outage_of(attempts: Sequence[Attempt], begun: float, ended: float) -> Outage:
    """Measure the gaps without an answer.

    Args:
        attempts: Operations of one kind on one shard, in order.
        begun: Start of the drill, on the monotonic clock.
        ended: End of the drill.
    """
    outage = Outage(attempted=len(attempts))
    last, failing = begun, False
    # The end of the drill ends a gap, too, without an answer.
    for attempt in (*attempts, Attempt(ended, ended, error="")):
        outage.longest_call_seconds = max(outage.longest_call_seconds, attempt.ended - attempt.started)
        if attempt.error:
            outage.errors[attempt.error] += 1
            failing = True
            continue
        gap = attempt.ended - last
        if failing or gap >= _NOTICEABLE_SECONDS:
            outage.failed_seconds += gap
        answered = attempt.error is None
        if gap > outage.longest_gap_seconds:
            outage.longest_gap_seconds = gap
            outage.longest_gap_ended = attempt.ended if answered or not failing else None
        outage.succeeded += answered
        last, failing = attempt.ended, False
    return outage


@dataclass(frozen=True)
class ShardReport:
    """The result for one shard.

    Attributes:
        writes: The outage of writes.
        reads: The outage of reads.
        acknowledged: Numbers of the writes that the store acknowledged.
        lost: Numbers of acknowledged writes that the store no longer has; None if it did not answer.
        other_primary: Whether another node than at the start serves the shard; None if unknown.
    """

    writes: Outage
    reads: Outage
    acknowledged: tuple[int, ...]
    lost: tuple[int, ...] | None
    other_primary: bool | None

    def as_dict(self) -> dict[str, Any]:
        """The entry in the report's JSON."""
        return {
            "writes": self.writes.as_dict(),
            "reads": self.reads.as_dict(),
            "acknowledged_writes_lost": None if self.lost is None else len(self.lost),
            "other_primary": self.other_primary,
        }


@dataclass(frozen=True)
class DrillReport:
    """The outage that an application saw during a failover.

    Attributes:
        store: Name of the store.
        service: ``elasticache`` or ``memorydb``.
        seconds: How long the drill took.
        shards: One entry a shard.
    """

    store: str
    service: str
    seconds: float
    shards: tuple[ShardReport, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it: the worst shard's outage first, then each."""
        lost = [shard.lost for shard in self.shards]
        return {
            "store": self.store,
            "service": self.service,
            "seconds": round(self.seconds, 3),
            "failover_seen": any(shard.other_primary for shard in self.shards),
            "recovered": all(outage.recovered for shard in self.shards for outage in (shard.writes, shard.reads)),
            "seconds_of_failed_writes": round(max(shard.writes.failed_seconds for shard in self.shards), 3),
            "seconds_of_failed_reads": round(max(shard.reads.failed_seconds for shard in self.shards), 3),
            "longest_gap_seconds": round(
                max(max(shard.writes.longest_gap_seconds, shard.reads.longest_gap_seconds) for shard in self.shards), 3
            ),
            "errors": dict(sum((shard.writes.errors + shard.reads.errors for shard in self.shards), Counter[str]())),
            "acknowledged_writes": sum(len(shard.acknowledged) for shard in self.shards),
            "acknowledged_writes_lost": None if None in lost else sum(len(numbers or ()) for numbers in lost),
            "shards": [shard.as_dict() for shard in self.shards],
        }


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
        self._shards = [_Shard(f"{self._prefix}{{{tag}}}:drill:{run}", expiry) for tag in _tags(client)]
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

    def __init__(self, prefix: str, expiry: int) -> None:
        self.prefix = prefix
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


def _tags(client: Client) -> list[str]:
    """A hash tag for each shard."""
    if isinstance(client, Redis):
        return ["0"]
    tags: dict[str, str] = {}
    primaries = {nodes[0].name for nodes in client.nodes_manager.slots_cache.values()}
    for number in itertools.count():
        if len(tags) == len(primaries):
            return list(tags.values())
        nodes = client.nodes_manager.slots_cache.get(key_slot(str(number).encode()))
        if nodes:
            tags.setdefault(nodes[0].name, str(number))
    raise AssertionError("counting has no end")


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
