"""Scores of players, in a sorted set."""

from __future__ import annotations

from redis import Redis, RedisCluster


class Leaderboard:
    """The best score of each player, and the ranks; the best player has rank 1."""

    def __init__(self, client: Redis | RedisCluster, name: str = "all-time") -> None:
        self._client = client
        self._key = f"leaderboard:{name}"

    def submit(self, player: str, score: float) -> int:
        """Count a score if it is the player's best; returns the player's rank."""
        # A repeated ZADD with GT changes nothing, so that the client may retry it.
        self._client.zadd(self._key, {player: score}, gt=True)
        rank = self.rank(player)
        assert rank is not None
        return rank

    def rank(self, player: str) -> int | None:
        """The player's rank; None without a score."""
        rank = self._client.zrevrank(self._key, player)
        return None if rank is None else int(rank) + 1

    def top(self, count: int = 10) -> list[tuple[str, float]]:
        """The best players with their scores."""
        return self._between(0, count - 1)

    def around(self, player: str, neighbours: int = 1) -> list[tuple[str, float]]:
        """The player, and that many better and worse players."""
        rank = self.rank(player)
        if rank is None:
            return []
        return self._between(max(0, rank - 1 - neighbours), rank - 1 + neighbours)

    def _between(self, first: int, last: int) -> list[tuple[str, float]]:
        found = self._client.zrange(self._key, first, last, desc=True, withscores=True)
        return [(str(player), float(score)) for player, score in found]
