"""The declared shape of a store: engine, shards, replicas and TLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cdk_redis._values.engine import Engine


@dataclass(frozen=True)
class Topology:
    """Declared engine, shards, replicas and TLS; the smoke test compares them with the deployed store.

    Attributes:
        engine: Engine and version.
        cluster_mode: Whether keys are spread over shards.
        shards: Number of shards; 1 where cluster mode is off; None where the service chooses it.
        replicas: Number of replicas of each shard; None where the service chooses it.
        tls: Whether it speaks TLS.
        plaintext: Whether it lets in clients without TLS.
    """

    engine: Engine
    cluster_mode: bool
    shards: int | None
    replicas: int | None
    tls: bool = True
    plaintext: bool = False
