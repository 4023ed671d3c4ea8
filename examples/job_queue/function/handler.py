"""Accepts ``{"text": "..."}`` as a job, and answers ``{"job": "..."}`` with its result when a worker has done it.

Any other event is answered with the number of jobs in the queue, and of those that a worker has taken.
"""

from __future__ import annotations

from typing import Any

from cdk_redis_runtime import ClientTimeouts, connect

# Without retries: a job whose XADD was sent twice would be done twice.
client = connect(timeouts=ClientTimeouts(retries=0))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Submit a job, or ask for its result or for the queue."""
    if "text" in event:
        return {"job": client.xadd("jobs", {"text": event["text"]})}
    if "job" in event:
        return {"result": client.get(f"jobs:result:{event['job']}")}
    groups: Any = client.xinfo_groups("jobs")
    return {"jobs": client.xlen("jobs"), "taken": sum(group["pending"] for group in groups)}
