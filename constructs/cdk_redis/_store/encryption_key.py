"""The key that encrypts a store's data at rest, where one is to be made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms


def choose_key(scope: Construct, kms_key: kms.IKey | None, *, create_kms_key: bool) -> kms.IKey | None:
    """The key that was given, or one created for the store; None for a key that AWS owns.

    A key that is made changes its material every year, and stays when the store goes: nothing else opens the store's
    snapshots.
    """
    if not create_kms_key:
        return kms_key
    from aws_cdk import aws_kms as kms

    key = kms.Key(
        scope,
        "Key",
        description=f"Data of {scope.node.path} at rest",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    return cast("kms.IKey", key)
