"""Counts its calls in the cache."""

from __future__ import annotations

from typing import Any

from cdk_redis_runtime import connect

# One client for all invocations of this function instance; it signs a token for each connection.
client = connect()


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Count one more call."""
    return {"calls": client.incr("counter:calls")}
