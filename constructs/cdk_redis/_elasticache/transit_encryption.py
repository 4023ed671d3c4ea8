"""Encryption in transit, and the way from plaintext to TLS without an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._core.choice import Choice

if TYPE_CHECKING:
    from cdk_redis._core.errors import Problems
    from cdk_redis._values.engine import Engine


class TransitEncryptionMode(Choice):
    """Whether a replication group with TLS lets in clients without it.

    A store that was made in plaintext is moved to TLS in two deployments: first `PREFERRED`, and when every client
    uses TLS `REQUIRED`. Both are updates in place. (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption-enable.html)
    """

    PREFERRED = "preferred"
    """Lets in clients with and without TLS: for the time of the move only."""
    REQUIRED = "required"


def check_transit_encryption(
    problems: Problems, mode: TransitEncryptionMode | None, *, plaintext: bool, engine: Engine
) -> None:
    """Check that a store can have a mode of encryption in transit.

    Args:
        problems: Where to add what is found.
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
            f"{engine} has one mode only",
            "leave it out, or use Valkey, or Redis OSS 7.0 or newer",
        )
