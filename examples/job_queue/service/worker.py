"""A worker: takes jobs from a stream, and those that another worker had taken when it died."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from redis import RedisError, ResponseError

from cdk_redis_runtime import ClientTimeouts, connect

Job = dict[str, str]
STREAM, GROUP, FAILED = "jobs", "workers", "jobs:failed"
DAY = 24 * 60 * 60
log = logging.getLogger(__name__)


class Worker:
    """Does jobs, one after the other.

    A job stays in the stream until its result is written. If its worker dies, or the job fails, it is taken again after
    `claim_seconds`; after `attempts` it goes to the stream of failed jobs. So a job is done at least once, and doing it
    twice must do no harm.
    """

    def __init__(
        self, client: Any, do: Callable[[Job], str], *, name: str, claim_seconds: float = 60, attempts: int = 5
    ) -> None:
        self._client, self._do, self._name = client, do, name
        self._claim_seconds, self._attempts = claim_seconds, attempts
        try:
            client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another worker created it
                raise

    def work(self, wait_seconds: float = 5) -> int:
        """Do the next jobs, or wait for one; returns how many there were."""
        jobs = self._abandoned() or self._new(wait_seconds)
        for number, job in jobs:
            try:
                result = self._do(job)
            except Exception:
                log.exception("job %s failed", number)
                self._give_up_after_attempts(number, job)
            else:
                self._client.set(f"jobs:result:{number}", result, ex=DAY)
                self._remove(number)
        return len(jobs)

    def _abandoned(self) -> list[tuple[str, Job]]:
        """A job that was taken so long ago that its worker must have died."""
        _, jobs, *_ = self._client.xautoclaim(STREAM, GROUP, self._name, round(self._claim_seconds * 1000), count=1)
        for number, _ in jobs:
            log.info("job %s is taken again", number)
        return jobs

    def _new(self, wait_seconds: float) -> list[tuple[str, Job]]:
        found = self._client.xreadgroup(GROUP, self._name, {STREAM: ">"}, count=5, block=round(wait_seconds * 1000))
        return found[0][1] if found else []

    def _give_up_after_attempts(self, number: str, job: Job) -> None:
        (taken,) = self._client.xpending_range(STREAM, GROUP, number, number, 1)
        if taken["times_delivered"] >= self._attempts:
            self._client.xadd(FAILED, {**job, "job": number})
            self._remove(number)

    def _remove(self, number: str) -> None:
        self._client.xack(STREAM, GROUP, number)
        self._client.xdel(STREAM, number)


def main() -> None:
    """Count the words of texts until ECS stops the program."""
    logging.basicConfig(level="INFO")
    # Longer than `work` waits for a job.
    client = connect(timeouts=ClientTimeouts(answer=10))
    worker = Worker(
        client,
        lambda job: str(len(job["text"].split())),
        name=f"{socket.gethostname()}-{os.getpid()}",
        claim_seconds=float(os.environ.get("CLAIM_SECONDS", "60")),
    )
    while True:
        try:
            worker.work()
        except RedisError as error:
            # During a failover. A job that was not finished is taken again.
            log.warning("the store does not answer: %s", error)
            time.sleep(1)


if __name__ == "__main__":
    main()
