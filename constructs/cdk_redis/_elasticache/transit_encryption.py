"""Encryption in transit, and the way from plaintext to TLS without an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_redis._core.choice import Choice
from cdk_redis._core.tokens import is_token

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
    """Note what AWS would refuse of a mode.

    Args:
        problems: Where to note it.
        mode: As given to the store, like all that follows.
        plaintext: Whether the store is to have no TLS.
        engine: As given.
    """
    if mode is None:
        return
    if not isinstance(mode, TransitEncryptionMode):
        problems.add("transit_encryption_mode", mode, "it is a TransitEncryptionMode, PREFERRED or REQUIRED")
        return
    if plaintext:
        problems.add(
            "transit_encryption_mode",
            mode.value,
            "the store has no TLS with unsafe_plaintext",
            "leave out one of the two",
        )
    if not _has_modes(engine):
        problems.add(
            "transit_encryption_mode",
            mode.value,
            f"{engine} has one mode only",
            "leave it out, or use Valkey, or Redis OSS 7.0 or newer",
        )


def _has_modes(engine: Engine) -> bool:
    if is_token(engine.name) or is_token(engine.version):
        return True
    return engine.name == "valkey" or engine.major_minor >= (7, 0)
