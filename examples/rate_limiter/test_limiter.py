from __future__ import annotations

import fakeredis
import pytest
from function.limiter import RateLimiter


class Clock:
    seconds = 6000.0  # the begin of a window

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(server: fakeredis.FakeServer, clock: Clock) -> RateLimiter:
    client = fakeredis.FakeRedis(server=server, decode_responses=True)
    return RateLimiter(client, calls=10, seconds=60, now=clock)


def test_each_caller_has_a_limit(limiter: RateLimiter) -> None:
    assert [limiter.allows("ada") for _ in range(11)] == [True] * 10 + [False]
    assert limiter.allows("bob")


def test_half_a_window_later_half_of_the_calls_count(limiter: RateLimiter, clock: Clock) -> None:
    for _ in range(10):
        limiter.allows("ada")
    clock.seconds += 60 + 30

    assert [limiter.allows("ada") for _ in range(6)] == [True] * 5 + [False]


def test_callers_are_not_stopped_without_the_cache(limiter: RateLimiter, server: fakeredis.FakeServer) -> None:
    server.connected = False

    assert all(limiter.allows("ada") for _ in range(20))
