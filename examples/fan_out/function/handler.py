"""Sets a price: ``{"product": "tea", "price": 4}``; answers how many servers got the message."""

from __future__ import annotations

import json
from typing import Any

from cdk_redis_runtime import connect

client = connect()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Set a price and tell all servers."""
    # The hash first: a server that subscribes in between reads it there.
    client.hset("prices", event["product"], event["price"])
    return {"servers": client.publish("prices:changed", json.dumps(event))}
