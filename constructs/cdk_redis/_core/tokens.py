"""Tokens: values that are not known before the deployment; no check rejects them."""

from __future__ import annotations

import sys

import aws_cdk as cdk

# jsii cannot encode infinity, and whole numbers that are larger.
_LARGEST = sys.float_info.max


def is_token(value: object) -> bool:
    """Whether a value is or contains a token; False for all types that the CDK does not use for tokens.

    ``cdk.Token.is_unresolved`` alone raises a jsii error for other types, such as a tuple or NaN, and calls Node.js
    even for plain text.
    """
    if isinstance(value, str):
        return "${Token[" in value and cdk.Token.is_unresolved(value)
    if isinstance(value, (int, float)):
        # The CDK encodes number tokens as very large negative numbers.
        return -_LARGEST < value < 0 and cdk.Token.is_unresolved(value)
    if isinstance(value, list):
        return any(isinstance(item, str) and "#{Token[" in item for item in value) or any(
            is_token(item) for item in value if not isinstance(item, list)
        )
    return hasattr(type(value), "__jsii_type__") and cdk.Token.is_unresolved(value)
