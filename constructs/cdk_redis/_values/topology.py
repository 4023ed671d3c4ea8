"""The declared shape of a store: engine, shards, replicas and TLS."""

from __future__ import annotations

from dataclasses import dataclass

from cdk_redis._core.checks import check_flags, check_required, value_of
from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token
from cdk_redis._values.engine import Engine


@dataclass(frozen=True)
class Topology:
    """Declared engine, shards, replicas and TLS; the smoke test compares them with the deployed store.

    Attributes:
        engine: Engine and version.
        cluster_mode: Whether keys are spread over shards.
        shards: Number of shards; 1 if cluster mode is off; None if the service chooses it.
        replicas: Number of replicas of each shard; None if the service chooses it.
        tls: Whether it accepts connections with TLS.
        plaintext: Whether it accepts connections without TLS.
    """

    engine: Engine
    cluster_mode: bool
    shards: int | None
    replicas: int | None
    tls: bool = True
    plaintext: bool = False

    def __post_init__(self) -> None:
        """Check every field; tokens pass. The stores check the limits of their service."""
        problems = Problems("Topology")
        check_required(problems, engine=self.engine)
        engine = value_of(problems, "engine", self.engine, Engine)
        check_flags(problems, cluster_mode=self.cluster_mode, tls=self.tls, plaintext=self.plaintext)
        _check_count(problems, "shards", self.shards, 1)
        _check_count(problems, "replicas", self.replicas, 0)
        problems.raise_if_any()
        object.__setattr__(self, "engine", engine)


def _check_count(problems: Problems, parameter: str, given: object, least: int) -> None:
    if given is None or is_token(given):
        return
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        problems.add(parameter, given, f"it must be a whole number, {least} or more")
