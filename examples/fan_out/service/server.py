"""A server that has all prices in its memory."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from redis import RedisError

from cdk_redis_runtime import connect


class Prices:
    """A copy of all prices; call `update` in a loop, in a thread of its own.

    Messages are not stored: what is published while a server is not connected never arrives. So it reads all prices
    when it has subscribed, also after a failover, and once a minute.
    """

    def __init__(self, client: Any, *, reload_seconds: float = 60) -> None:
        self.prices: dict[str, int] = {}
        self._client = client
        self._reload_seconds = reload_seconds
        self._loaded = 0.0
        self._messages = self._client.pubsub()
        self._messages.subscribe("prices:changed")

    def update(self, wait_seconds: float = 1) -> bool:
        """Wait for the next message; returns whether prices may have changed."""
        # The client connects and subscribes again by itself, and gets another message of the type "subscribe".
        message = self._messages.get_message(timeout=wait_seconds)
        if message is not None and message["type"] == "message":
            changed = json.loads(message["data"])
            self.prices[changed["product"]] = changed["price"]
            return True
        if message is not None or time.monotonic() > self._loaded + self._reload_seconds:
            self.prices = {product: int(price) for product, price in self._client.hgetall("prices").items()}
            self._loaded = time.monotonic()
            return True
        return False


def main() -> None:
    """Write the prices to the log whenever they change."""
    prices = Prices(connect())
    while True:
        try:
            if prices.update():
                print(json.dumps(prices.prices), flush=True)
        except RedisError as error:
            # During a failover; until its end, the server works with the prices that it has.
            logging.warning("the store does not answer: %s", error)
            time.sleep(1)


if __name__ == "__main__":
    main()
