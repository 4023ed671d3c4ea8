"""Pages of long answers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from cdk_redis_local._emulator.api.errors import ApiError


@dataclass(frozen=True)
class Pages:
    """The parameters and members for the pages of one action, from botocore's description of its paginator.

    ``result_key`` and ``output_token`` are paths, such as ``EngineDefaults.Parameters``.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("input_token", "output_token", "limit_key", "result_key")

    input_token: str
    output_token: str
    limit_key: str
    result_key: str

    def cut(self, answer: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """The page of an answer that the parameters ask for; without a limit, it has 100 items.

        Raises:
            ApiError: The token is not one of an earlier page.
        """
        *path, items = self.result_key.split(".")
        page = dict(answer)
        holder = page
        for name in path:
            holder[name] = dict(holder[name])
            holder = holder[name]
        found = list(holder.get(items) or ())
        start = _number(parameters.get(self.input_token), self.input_token)
        end = start + int(parameters.get(self.limit_key) or 100)
        holder[items] = found[start:end]
        if end < len(found):
            holder[self.output_token.rpartition(".")[2]] = base64.urlsafe_b64encode(b"item:%d" % end).decode()
        return page


def _number(token: str | None, name: str) -> int:
    if not token:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        if kind == "item":
            return int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise ApiError("InvalidParameterValueException", f"The parameter {name} is not valid: {token}")
