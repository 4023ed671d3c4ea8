"""The failover drill's writer and reader as a Lambda function, which a state machine runs during the failover."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Protocol, cast

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._smoke_test.drill import Drill
from cdk_redis_runtime._smoke_test.drill_report import PROGRESS_LINE, REPORT_LINE

# To look for lost writes, to delete, and to answer. A function that is cut off reports nothing.
_RESERVE_SECONDS = 60.0


class LambdaContext(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""
        ...


def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Write and read until the time is over, and report the outage.

    Prints a line of JSON each second, ``{"cdk_redis_drill_progress": ...}``, and the report as one line of JSON,
    ``{"cdk_redis_failover_drill": ...}``.

    Args:
        event: The state machine gives the ARN of its execution as ``execution``, which each line of progress has;
            everything else comes from the environment.
        context: Lambda's context; the drill ends before the function's timeout.

    Returns:
        The report.
    """
    execution = _execution(event)
    left = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    drill = Drill(
        Connection.from_environment(os.environ),
        key_prefix=os.environ.get(env.KEY_PREFIX) or env.DEFAULT_DRILL_KEY_PREFIX,
        seconds=max(1.0, min(float(os.environ.get(env.DRILL_SECONDS) or left), left)),
    )
    drill.start()
    head = {"execution": execution, "slots": drill.slots}
    for progress in drill.watch():
        _print_line({PROGRESS_LINE: {**head, **progress.as_dict()}})
        head = {"execution": execution}
    report = drill.stop().as_dict()
    drill.clean_up()
    _print_line({REPORT_LINE: report})
    return report


def _execution(event: object) -> str | None:
    found = cast("Mapping[str, object]", event).get("execution") if isinstance(event, Mapping) else None
    return found if isinstance(found, str) else None


def _print_line(line: dict[str, Any]) -> None:
    print(json.dumps(line, separators=(",", ":")), flush=True)
