"""What a template declares of a store, read from environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.reading import Reader


@dataclass(frozen=True)
class Declaration:
    """What the template declares; the smoke test compares it with the store.

    Attributes:
        engine: ``valkey`` or ``redis``.
        engine_version: As precise as it was declared: ``7.1`` accepts 7.1.0, ``7.1.0`` does not accept 7.1.4.
        shards: Number of shards, at least 1; None if the service chooses it.
        replicas: Replicas of each shard, 0 or more; None if the service chooses it.
        key_prefix: Prefix of every key that the smoke test touches.
        budget: Seconds within which the smoke test ends.
        maxmemory_policy: Declared ``maxmemory-policy``; None if it is the default of the parameter group's family.
        latency_limit_ms: Milliseconds that the median round trip may take.
    """

    engine: str
    engine_version: str
    shards: int | None
    replicas: int | None
    key_prefix: str = env.DEFAULT_KEY_PREFIX
    budget: float = env.DEFAULT_BUDGET_SECONDS
    maxmemory_policy: str | None = None
    latency_limit_ms: float = env.DEFAULT_LATENCY_LIMIT_MS

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Declaration:
        """Read the variables named in `cdk_redis_runtime._client.environment`.

        Args:
            environment: ``os.environ``, or the like.

        Raises:
            SettingsError: With every variable that is missing or wrong.
        """
        read = Reader(environment)
        declaration = cls(
            engine=read.choice(env.ENGINE, "valkey", "redis"),
            engine_version=read.text(env.ENGINE_VERSION),
            shards=read.number(env.SHARDS, 1, 500) if read.has(env.SHARDS) else None,
            replicas=read.number(env.REPLICAS, 0, 5) if read.has(env.REPLICAS) else None,
            key_prefix=read.text(env.KEY_PREFIX),
            budget=read.number(env.BUDGET_SECONDS, 1, 900),
            maxmemory_policy=read.text(env.MAXMEMORY_POLICY) if read.has(env.MAXMEMORY_POLICY) else None,
            latency_limit_ms=(
                read.number(env.LATENCY_LIMIT_MS, 1, 60_000)
                if read.has(env.LATENCY_LIMIT_MS)
                else env.DEFAULT_LATENCY_LIMIT_MS
            ),
        )
        read.raise_if_any()
        return declaration
