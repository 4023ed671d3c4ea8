"""The key that a store's data is encrypted with, where the account wants one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms


def create_key(stack: cdk.Stack) -> kms.IKey:
    """A key that is rotated every year. It stays when the stack goes: its snapshots are unreadable without it."""
    from aws_cdk import aws_kms as kms

    key = kms.Key(
        stack,
        "Key",
        description=f"Data of {stack.stack_name}",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    # To a type checker a Key is no IKey: jsii names a parameter of add_alias differently in the two.
    return cast("kms.IKey", key)
