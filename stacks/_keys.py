"""The customer managed key that encrypts the data of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms


def create_key(stack: cdk.Stack) -> kms.IKey:
    """Create a key with yearly rotation. It stays when the stack is deleted, because it decrypts the final snapshot."""
    from aws_cdk import aws_kms as kms

    key = kms.Key(
        stack,
        "Key",
        description=f"Data of {stack.stack_name}",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    # Type checkers do not see that a Key is an IKey: jsii names a parameter of add_alias differently in the two.
    return cast("kms.IKey", key)
