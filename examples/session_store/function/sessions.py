"""Sessions: each is one key, which expires when the session is not used."""

from __future__ import annotations

import json
import secrets
from typing import Any

from redis import Redis, RedisCluster


class Sessions:
    """Creates, reads and ends sessions."""

    def __init__(self, client: Redis | RedisCluster, seconds: int) -> None:
        self._client = client
        self._seconds = seconds

    def start(self, user: str) -> str:
        """Start a session of a user; returns its id, which only the user's browser gets to know."""
        session = secrets.token_urlsafe(32)
        self.save(session, {"user": user})
        return session

    def load(self, session: str) -> dict[str, Any] | None:
        """The data of a session, whose time begins again; None if it has expired or ended."""
        # In one command: a session that is being read cannot expire in between.
        text = self._client.getex(_key(session), ex=self._seconds)
        return None if text is None else json.loads(str(text))

    def save(self, session: str, data: dict[str, Any]) -> None:
        """Replace the data of a session."""
        self._client.set(_key(session), json.dumps(data), ex=self._seconds)

    def end(self, session: str) -> None:
        """End a session, at sign-out."""
        self._client.delete(_key(session))


def _key(session: str) -> str:
    return f"session:{session}"
