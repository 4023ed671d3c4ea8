"""The API of the emulator's CloudWatch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch

from cdk_redis_local._emulator.insides import replace
from cdk_redis_local._emulator.ministack import Response

_TARGET = "GraniteServiceVersion20100801"


@dataclass(frozen=True)
class Request:
    """A request of CloudWatch's API.

    Attributes:
        path: Path of the URL.
        headers: Headers by their names in small letters.
        body: The body.
        query: Parameters of the URL.
        emulate: Calls the emulator with an action and its parameters in JSON.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, Sequence[str]]
    emulate: Callable[[str, bytes], Awaitable[Response]]


def answer_cloudwatch(answer: Callable[[Request], Awaitable[Response]]) -> None:
    """Answer the requests of CloudWatch's API with this function."""
    emulated = cloudwatch.handle_request

    async def emulate(action: str, body: bytes) -> Response:
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"{_TARGET}.{action}"}
        return await emulated("POST", "/", headers, body, {})

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Response:
        del method
        return await answer(Request(path, headers, body, query_params, emulate))

    replace(cloudwatch, "handle_request", handle)
