from __future__ import annotations

import fakeredis
import pytest
from service.worker import FAILED, GROUP, STREAM, Job, Worker


@pytest.fixture
def client() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis(decode_responses=True)


def worker(client: fakeredis.FakeRedis, name: str) -> Worker:
    def upper(job: Job) -> str:
        if job["text"] == "broken":
            raise ValueError(job["text"])
        return job["text"].upper()

    return Worker(client, upper, name=name, claim_seconds=0, attempts=2)


def test_a_job_is_done_once_and_its_result_is_kept(client: fakeredis.FakeRedis) -> None:
    one, two = worker(client, "one"), worker(client, "two")
    job = client.xadd(STREAM, {"text": "tea"})

    assert [worker.work(wait_seconds=0.01) for worker in (one, two)] == [1, 0]
    assert client.get(f"jobs:result:{job}") == "TEA"
    assert client.xlen(STREAM) == 0


def test_the_job_of_a_dead_worker_is_done_by_another(client: fakeredis.FakeRedis) -> None:
    two = worker(client, "two")
    job = client.xadd(STREAM, {"text": "tea"})
    client.xreadgroup(GROUP, "dead", {STREAM: ">"})

    assert two.work(wait_seconds=0.01) == 1
    assert client.get(f"jobs:result:{job}") == "TEA"


def test_a_job_that_fails_again_and_again_is_put_aside(client: fakeredis.FakeRedis) -> None:
    one = worker(client, "one")
    job = client.xadd(STREAM, {"text": "broken"})

    while client.xlen(STREAM):
        one.work(wait_seconds=0.01)

    assert [fields for _, fields in client.xrange(FAILED) or []] == [{"text": "broken", "job": job}]
