"""Lines of JSON in the log group of a function: reports, and the progress of a drill."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from cdk_redis_runtime._command.aws import Aws
from cdk_redis_runtime._command.targets import Function

_HOUR = 3600
# A canary logs a report each few minutes for months. FilterLogEvents begins with the oldest.
_WINDOWS = (_HOUR, 24 * _HOUR, 31 * 24 * _HOUR, 10 * 366 * 24 * _HOUR)


@dataclass(frozen=True)
class Line:
    """A line of JSON with one key.

    Attributes:
        logged: When it was logged, in milliseconds since 1970.
        content: The value of the key.
    """

    logged: int
    content: dict[str, Any]


def lines(aws: Aws, function: Function, key: str, since: int) -> Iterator[Line]:
    """The lines that a function has logged, oldest first.

    Args:
        aws: The clients.
        function: The function.
        key: The key of the lines.
        since: In milliseconds since 1970.
    """
    what = f"the log group {function.log_group}"
    parameters = {"logGroupName": function.log_group, "filterPattern": f'"{key}"', "startTime": since}
    for page in aws.pages("logs", "filter_log_events", what, "nextToken", **parameters):
        for event in page["events"]:
            content = _content(event["message"], key)
            if content is not None and _is_of(event.get("logStreamName", ""), function):
                yield Line(int(event["timestamp"]), content)


def last_lines(aws: Aws, function: Function, key: str, count: int) -> list[Line]:
    """The last lines that a function has logged, oldest first."""
    found: list[Line] = []
    for window in _WINDOWS:
        found = list(lines(aws, function, key, max(0, int((time.time() - window) * 1000))))
        if len(found) >= count:
            break
    return found[-count:]


def _content(message: str, key: str) -> dict[str, Any] | None:
    try:
        line: object = json.loads(message)
    except ValueError:  # a line of text that mentions the key
        return None
    content = cast("dict[str, object]", line).get(key) if isinstance(line, dict) else None
    return cast("dict[str, Any]", content) if isinstance(content, dict) else None


def _is_of(stream: str, function: Function) -> bool:
    # 2026/11/22/[$LATEST]..., and 2026/11/22/name[$LATEST]... in a log group that functions can share.
    name = stream.rpartition("/")[2].partition("[")[0]
    return name in ("", function.name)
