"""Answers ``{"submit": 120, "player": "ada"}``, ``{"player": "ada"}`` and ``{"top": 10}``."""

from __future__ import annotations

from typing import Any

from ranking import Leaderboard

from cdk_redis_runtime import connect

board = Leaderboard(connect())


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Submit a score, or answer with ranks."""
    if "submit" in event:
        return {"rank": board.submit(event["player"], event["submit"])}
    if "player" in event:
        return {"rank": board.rank(event["player"]), "around": board.around(event["player"])}
    return {"top": board.top(event.get("top", 10))}
