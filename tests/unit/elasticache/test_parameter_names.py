"""Names of engine parameters, by family of parameter groups."""

from __future__ import annotations

import pytest

from cdk_redis._elasticache.parameter_names import known_parameters


@pytest.mark.parametrize(
    ("family", "has", "lacks"),
    [
        ("redis4.0", "close-on-slave-write", "stream-node-max-bytes"),
        ("redis5.0", "stream-node-max-bytes", "acllog-max-len"),
        ("redis6.x", "lazyfree-lazy-user-del", "latency-tracking"),
        ("redis7", "hash-max-listpack-value", "hash-max-ziplist-value"),
        ("valkey7", "lazyfree-lazy-expire", "extended-redis-compatibility"),
        ("valkey8", "commandlog-reply-larger-than", "lazyfree-lazy-expire"),
        ("valkey9", "cluster-databases", "lua-replicate-commands"),
    ],
)
def test_each_family_has_its_parameters(family: str, has: str, lacks: str) -> None:
    known = known_parameters(family)

    assert known is not None
    assert {has, "maxmemory-policy"} <= known
    assert lacks not in known


@pytest.mark.parametrize("family", ["valkey10", "memorydb_valkey7", "redis3.2", "mine"])
def test_parameters_of_an_unknown_family_are_not_checked(family: str) -> None:
    assert known_parameters(family) is None
