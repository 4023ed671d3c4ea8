"""Smithy's protocol with CBOR, which boto3 speaks to CloudWatch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import cbor2

from cdk_redis_local._emulator.ministack import Response

_HEADERS = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


def read(parameters: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    """The parameters of a request, without those that the service does not have."""
    return {name: value for name, value in parameters.items() if name in shape.members}


def write(answer: Any, operation: Any) -> Response:
    """The response of an action."""
    del operation
    return 200, dict(_HEADERS), _dumps(answer)


def write_error(status: int, code: str, message: str, service: Any) -> Response:
    """An error response; clients know errors by the names of the older protocol, which has a header of its own."""
    name = next((one.name for one in _errors(service) if code in (one.name, one.error_code)), code)
    headers = {**_HEADERS, "x-amzn-query-error": f"{code};Sender"}
    return status, headers, _dumps({"__type": name, "message": message})


def _dumps(value: object) -> bytes:
    return cbor2.dumps(value, datetime_as_timestamp=True, timezone=dt.timezone.utc)


def _errors(service: Any) -> list[Any]:
    shapes: Mapping[str, Any] = {name: service.shape_for(name) for name in service.shape_names}
    return [shape for shape in shapes.values() if getattr(shape, "error_code", None)]
