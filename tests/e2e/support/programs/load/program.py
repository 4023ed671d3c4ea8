"""Reads and writes at a rate, and signs in again all the time: `program.py RECORD PREFIX RATE`.

Prints ``ready``, and, when its standard input ends, a line of JSON: commands, seconds, failures, slowest command.
An application would keep its connections; this one closes each after half a second, so that each password is used.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from redis import RedisCluster

from cdk_redis_runtime import ClientTimeouts, connect

_THREADS = 4
# Longer than the defaults: the machine may be busy with other tests. The number of retries is that of an application.
_TIMEOUTS = ClientTimeouts(connect=10, answer=20, first_answer=20)
_CONNECTION_SECONDS = 0.5


class Load:
    """Commands of some threads, each with a client of its own."""

    def __init__(self, record: str, prefix: str, rate: float) -> None:
        self._record = record
        self._prefix = prefix
        self._pause = _THREADS / rate
        self._stopped = threading.Event()
        self.commands = 0
        self.sign_ins = 0
        self.slowest = 0.0
        self.failures: list[str] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(_THREADS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        client = connect(record=self._record, timeouts=_TIMEOUTS)
        turn, due = 0, time.monotonic()
        close_at = due + _CONNECTION_SECONDS * (1 + number / _THREADS)
        while not self._stopped.is_set():
            due = max(due + self._pause, time.monotonic() - 1)
            self._stopped.wait(max(0.0, due - time.monotonic()))
            turn += 1
            began = time.monotonic()
            self._command(client, f"{self._prefix}{number}:{turn // 2 % 100}", write=turn % 2 == 0)
            ended = time.monotonic()
            with self._lock:
                self.slowest = max(self.slowest, ended - began)
            if ended >= close_at:
                close_at = ended + _CONNECTION_SECONDS
                _disconnect(client)
                with self._lock:
                    self.sign_ins += 1
        client.close()

    def _command(self, client: Any, key: str, *, write: bool) -> None:
        try:
            client.set(key, key) if write else client.get(key)
        except Exception as error:
            with self._lock:
                self.failures.append(f"{type(error).__name__}: {error}")
        with self._lock:
            self.commands += 1


def _disconnect(client: Any) -> None:
    if isinstance(client, RedisCluster):
        for node in client.get_nodes():
            if node.redis_connection is not None:
                node.redis_connection.connection_pool.disconnect()
    else:
        client.connection_pool.disconnect()


def main() -> None:
    load = Load(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    began = time.monotonic()
    load.start()
    print("ready", flush=True)
    sys.stdin.read()
    load.stop()
    report = {
        "commands": load.commands,
        "seconds": time.monotonic() - began,
        "sign_ins": load.sign_ins,
        "slowest_ms": round(load.slowest * 1000),
        "failures": load.failures,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
