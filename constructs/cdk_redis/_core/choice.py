"""Enums whose members can be given as text."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from typing_extensions import Self


class Choice(Enum):
    """An enum whose values are text, as AWS spells it."""

    @classmethod
    @checked_arguments
    def from_text(cls, text: str) -> Self:
        """Read a member from its value.

        Args:
            text: Value of a member, as AWS spells it. Not a token, because the resources that are defined depend on it.

        Raises:
            ConfigurationError: If no member has this value.
        """
        for member in cls:
            if isinstance(text, str) and member.value == text:
                return member
        reason = f"it must be one of {', '.join(repr(member.value) for member in cls)}"
        hint = "write it out: a token is not known at synth" if is_token(text) else ""
        raise ConfigurationError(cls.__name__, [problem("text", text, reason, hint)])
