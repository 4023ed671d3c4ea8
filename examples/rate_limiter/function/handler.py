"""Answers ``{"caller": "ada"}`` with status 200, or 429 beyond the limit."""

from __future__ import annotations

import os
from typing import Any

from limiter import RateLimiter

from cdk_redis_runtime import ClientTimeouts, connect

limiter = RateLimiter(
    # Without retries: INCR could count a call twice, and a limiter must not wait for its cache.
    connect(timeouts=ClientTimeouts(retries=0)),
    calls=int(os.environ["CALLS"]),
    seconds=int(os.environ["WINDOW_SECONDS"]),
)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer, or refuse."""
    if not limiter.allows(event["caller"]):
        return {"statusCode": 429, "body": "too many calls, try again later"}
    return {"statusCode": 200, "body": f"hello {event['caller']}"}
