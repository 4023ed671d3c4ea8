from __future__ import annotations

import fakeredis
import pytest
from function.sessions import Sessions


@pytest.fixture
def client() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis(decode_responses=True)


@pytest.fixture
def sessions(client: fakeredis.FakeRedis) -> Sessions:
    return Sessions(client, seconds=1800)


def test_a_session_has_what_was_saved_until_it_ends(sessions: Sessions) -> None:
    session = sessions.start("ada")
    sessions.save(session, {"user": "ada", "cart": ["tea"]})
    assert sessions.load(session) == {"user": "ada", "cart": ["tea"]}

    sessions.end(session)

    assert sessions.load(session) is None


def test_the_time_of_a_session_begins_again_when_it_is_used(client: fakeredis.FakeRedis, sessions: Sessions) -> None:
    session = sessions.start("ada")
    client.expire(f"session:{session}", 5)

    sessions.load(session)

    assert 1790 < client.ttl(f"session:{session}") <= 1800


def test_two_sessions_of_a_user_are_different(sessions: Sessions) -> None:
    assert sessions.start("ada") != sessions.start("ada")
