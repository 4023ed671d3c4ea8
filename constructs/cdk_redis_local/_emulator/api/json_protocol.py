"""The protocol of MemoryDB: JSON 1.1, with times in seconds since 1970."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from botocore.utils import parse_timestamp

from cdk_redis_local._emulator.ministack import Response

_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}


def read(parameters: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    """The parameters of a request, with times as `datetime` objects."""
    return _read(parameters, shape)


def write(answer: Any, operation: Any) -> Response:
    """The response of an action."""
    del operation
    return 200, dict(_HEADERS), json.dumps(answer, default=_seconds).encode()


def write_error(status: int, code: str, message: str, service: Any) -> Response:
    """An error response."""
    del service
    return status, dict(_HEADERS), json.dumps({"__type": code, "message": message}).encode()


def _read(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return {name: _read(one, shape.members[name]) for name, one in value.items() if name in shape.members}
    if shape.type_name == "list" and isinstance(value, list):
        return [_read(one, shape.member) for one in value]
    return parse_timestamp(value) if shape.type_name == "timestamp" else value


def _seconds(value: object) -> float:
    if isinstance(value, dt.datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"{value!r} is not a value of JSON")
