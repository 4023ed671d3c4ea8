"""Tokens: values that nobody knows before the deploy, and that every check lets pass."""

from __future__ import annotations

import math

import aws_cdk as cdk


def is_token(value: object) -> bool:
    """Whether a value is, or contains, a token; False for anything that the CDK could not have made.

    ``cdk.Token.is_unresolved`` alone ends in a stack trace from jsii when it is given, say, a tuple or a NaN,
    and crosses to Node.js for every plain word.
    """
    if isinstance(value, str):
        return "${Token[" in value and cdk.Token.is_unresolved(value)
    if isinstance(value, (int, float)):
        # The CDK hides number tokens among the very large negative numbers.
        return value < 0 and math.isfinite(value) and cdk.Token.is_unresolved(value)
    if isinstance(value, list):
        return any(isinstance(item, str) and "#{Token[" in item for item in value) or any(map(is_token, value))
    return hasattr(type(value), "__jsii_type__") and cdk.Token.is_unresolved(value)
