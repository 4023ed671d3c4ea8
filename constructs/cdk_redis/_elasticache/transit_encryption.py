"""Encryption in transit, and the move from plaintext to TLS without interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._core.choice import Choice

if TYPE_CHECKING:
    from cdk_redis._core.errors import Problems
    from cdk_redis._values.engine import Engine


class TransitEncryptionMode(Choice):
    """Whether a replication group with TLS also accepts connections without TLS.

    Move an existing store without TLS in two deployments: first to `PREFERRED`, and to `REQUIRED` when all clients use
    TLS. Both update the store in place. (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption-enable.html)
    """

    PREFERRED = "preferred"
    """Accepts connections with and without TLS; use it only during the move."""
    REQUIRED = "required"
    """Accepts connections with TLS only."""


def check_transit_encryption(
    problems: Problems, mode: TransitEncryptionMode | None, *, plaintext: bool, engine: Engine
) -> None:
    """Check that a store supports a mode of encryption in transit.

    Args:
        problems: Where to add problems.
        mode: The mode.
        plaintext: Whether the store has no TLS.
        engine: Engine of the store.
    """
    if mode is None:
        return
    if plaintext:
        problems.add(
            "transit_encryption_mode",
            mode.value,
            "the store has no TLS with unsafe_plaintext",
            "leave out one of the two",
        )
    if not engine.is_at_least(valkey="7.2", redis="7.0"):
        problems.add(
            "transit_encryption_mode",
            mode.value,
            f"{engine} does not support this property",
            "leave it out, or use Valkey, or Redis OSS 7.0 or newer",
        )
