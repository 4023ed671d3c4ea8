"""The KMS key that encrypts a store's data at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.naming import description_of

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms


def choose_key(scope: Construct, kms_key: kms.IKey | None, *, create_kms_key: bool) -> kms.IKey | None:
    """Return the key that was given, or a new one for the store; None for a key that AWS owns.

    A new key is rotated every year. It is retained when the store is deleted, because the store's snapshots need it.
    """
    if not create_kms_key:
        return kms_key
    from aws_cdk import aws_kms as kms

    key = kms.Key(
        scope,
        "Key",
        description=description_of(f"Data of {scope.node.path} at rest"),
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    return cast("kms.IKey", key)
