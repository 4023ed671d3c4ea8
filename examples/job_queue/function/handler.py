"""Accepts ``{"text": "..."}`` as a job, and answers ``{"job": "..."}`` with its result when a worker has done it."""

from __future__ import annotations

from typing import Any

from cdk_redis_runtime import ClientTimeouts, connect

# Without retries: a job whose XADD was sent twice would be done twice.
client = connect(timeouts=ClientTimeouts(retries=0))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Submit a job, or ask for its result."""
    if "text" in event:
        return {"job": client.xadd("jobs", {"text": event["text"]})}
    return {"result": client.get(f"jobs:result:{event['job']}")}
