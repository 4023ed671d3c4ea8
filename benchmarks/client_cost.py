"""Compares `connect()` with plain redis-py; fails if a ratio is higher than promised.

Run: python benchmarks/client_cost.py

Both clients have the same engine, TLS, user, protocol, timeouts and retries, and take turns. Measured is the processor
time of the client: by the clock, two equal clients differed by 14 % on a busy machine. Each ratio is that of the lower
quartiles, because other processes can only add time.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.cluster import RedisCluster
from redis.credentials import UsernamePasswordCredentialProvider
from redis.retry import Retry

from cdk_redis_local import AclUser, EngineSet
from cdk_redis_runtime import ClientTimeouts, Connection
from cdk_redis_runtime._client.clients import ClientOptions, client_for, without_notifications

PASSWORD = "a-password-of-the-benchmark"
KEY = "key"
COMMANDS = 10_000
BLOCK = 20
PIPELINES = 30
IMPORTS = 40
HIGHEST_COMMANDS = 1.03
HIGHEST_IMPORT = 1.10


@dataclass
class Pair:
    """Seconds of processor time of plain redis-py and of `connect()` for the same work."""

    plain: list[float]
    ours: list[float]

    @property
    def ratio(self) -> float:
        """Of the lower quartiles."""
        return _lower_quartile(self.ours) / _lower_quartile(self.plain)


def _lower_quartile(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=4)[0]


def take_turns(plain: Callable[[], object], ours: Callable[[], object], times: int) -> Pair:
    """Run both, in turns, and the first of them in turns, too."""
    pair = Pair([], [])
    for number in range(times):
        sides = [(plain, pair.plain), (ours, pair.ours)]
        for work, seconds in sides if number % 2 else reversed(sides):
            began = time.thread_time()
            work()
            seconds.append(time.thread_time() - began)
    return pair


def clients(engines: EngineSet) -> tuple[Any, Any]:
    """A client of plain redis-py and one of `connect()`."""
    host, port = engines.endpoint
    credentials = UsernamePasswordCredentialProvider("app", PASSWORD)
    timeouts = ClientTimeouts()
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "credential_provider": credentials,
        "ssl": True,
        "ssl_ca_certs": engines.ca_file,
        "socket_connect_timeout": timeouts.connect,
        "socket_timeout": timeouts.answer,
        "retry": Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), timeouts.retries),
        "decode_responses": True,
        **without_notifications(),
    }
    plain = RedisCluster(**options) if engines.cluster_mode else Redis(**options)
    os.environ["SSL_CERT_FILE"] = engines.ca_file
    connection = Connection("elasticache", "bench", host, port, cluster_mode=engines.cluster_mode, user="app")
    return plain, client_for(connection, credentials, ClientOptions(timeouts))


def measure_commands(engines: EngineSet) -> dict[str, Pair]:
    """Time single commands and pipelines of both clients."""
    plain, ours = clients(engines)

    def gets(client: Any) -> Callable[[], None]:
        def work() -> None:
            for _ in range(BLOCK):
                client.get(KEY)

        return work

    def pipeline(client: Any) -> Callable[[], None]:
        def work() -> None:
            with client.pipeline(transaction=False) as commands:
                for _ in range(COMMANDS):
                    commands.get(KEY)
                commands.execute()

        return work

    gc.collect()
    gc.freeze()
    for client in (plain, ours):
        client.set(KEY, "value")
        gets(client)()
        pipeline(client)()
    measured = {
        f"{COMMANDS:,} single GETs": take_turns(gets(plain), gets(ours), COMMANDS // BLOCK),
        f"a pipeline of {COMMANDS:,}": take_turns(pipeline(plain), pipeline(ours), PIPELINES),
    }
    plain.close()
    ours.close()
    return measured


def measure_imports() -> Pair:
    """Time the imports in new processes, with the compiled files of both in one folder."""
    plain, ours, pair = "import redis", "from cdk_redis_runtime import connect", Pair([], [])
    with TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}

        def seconds(statement: str) -> float:
            program = f"import time; began = time.process_time()\n{statement}\nprint(time.process_time() - began)"
            command = [sys.executable, "-c", program]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            return float(done.stdout)

        seconds(ours)
        for number in range(IMPORTS):
            sides = [(plain, pair.plain), (ours, pair.ours)]
            for statement, times in sides if number % 2 else reversed(sides):
                times.append(seconds(statement))
    return pair


def main() -> None:
    """Measure and print the ratios.

    Raises:
        SystemExit: A ratio is higher than promised.
    """
    too_high: list[str] = []

    def show(what: str, pair: Pair, highest: float) -> None:
        print(
            f"{what}: {pair.ratio:.3f} times redis-py (at most {highest:.2f}); "
            f"{_lower_quartile(pair.plain) * 1000:.1f} ms and {_lower_quartile(pair.ours) * 1000:.1f} ms",
            flush=True,
        )
        if pair.ratio > highest:
            too_high.append(what)

    show("import", measure_imports(), HIGHEST_IMPORT)
    user = AclUser("app", "on ~* +@all", passwords=(PASSWORD,))
    for cluster_mode in (False, True):
        with EngineSet(shards=3 if cluster_mode else 1, cluster_mode=cluster_mode, users=[user]) as engines:
            for what, pair in measure_commands(engines).items():
                show(f"{what}, {'three shards' if cluster_mode else 'one node'}", pair, HIGHEST_COMMANDS)
    if too_high:
        raise SystemExit(f"too slow: {', '.join(too_high)}")


if __name__ == "__main__":
    main()
