"""Errors of a rotation. Secrets Manager tries again after each; none contains a password."""

from __future__ import annotations

from typing import Any


class RotationError(Exception):
    """A step of a rotation failed; the message has the reason and how to fix it."""


def code_of(error: Exception) -> str:
    """The code of an error of an AWS API, such as ``InvalidUserState``; empty for other errors."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
