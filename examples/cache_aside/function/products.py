"""Products, from the cache or from the source."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable
from typing import Any

from redis import Redis, RedisCluster, RedisError

Product = dict[str, Any]
log = logging.getLogger(__name__)


class Products:
    """Reads a product from the cache; if it is not there, from the source, and puts it into the cache.

    A product is as old as its entry at most. Products that do not exist are in the cache, too.
    """

    def __init__(
        self, client: Redis | RedisCluster, read: Callable[[str], Product | None], *, seconds: int = 300
    ) -> None:
        self._client = client
        self._read = read
        self._seconds = seconds

    def get(self, id: str) -> Product | None:
        """A product; None if there is none."""
        try:
            text = self._client.get(_key(id))
        except RedisError as error:
            # Slow is better than broken.
            log.warning("read without the cache: %s", error)
            return self._read(id)
        if text is not None:
            return json.loads(str(text))
        product = self._read(id)
        # Not all at the same time: entries that were made together would expire together.
        expires = round(self._seconds * random.uniform(0.9, 1.1))  # noqa: S311 - no secret
        try:
            self._client.set(_key(id), json.dumps(product), ex=expires)
        except RedisError as error:
            log.warning("not in the cache: %s", error)
        return product

    def forget(self, id: str) -> None:
        """Remove a product from the cache, after it was changed in the source."""
        self._client.delete(_key(id))


def _key(id: str) -> str:
    return f"product:{id}"
