"""An application that uses a client all the time."""

from __future__ import annotations

import threading
from typing import Any

from redis.exceptions import RedisClusterException, RedisError

from tests.support.concurrency import wait_until


class Application:
    """Threads that write and read all the time."""

    def __init__(self, client: Any, threads: int = 4) -> None:
        self._client = client
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(threads)]
        self.commands = 0
        self.rounds = [0] * threads
        self.failures: list[Exception] = []

    def __enter__(self) -> Application:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        while not self._ended.wait(0.002):
            try:
                self._client.set(f"key:{number}", self.commands)
                self._client.get(f"key:{number}")
            except (RedisError, RedisClusterException) as error:
                self.failures.append(error)
            self.commands += 2
            self.rounds[number] += 1

    def wait_for_all_threads(self) -> None:
        """Wait until each thread has sent commands that it began after this call."""
        before = [*self.rounds]
        wait_until(lambda: all(now > earlier + 1 for now, earlier in zip(self.rounds, before, strict=True)))
