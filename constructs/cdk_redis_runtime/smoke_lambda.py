"""The smoke test as a Lambda function, run by CloudFormation at the end of a deploy."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Protocol

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._smoke_test.battery import smoke_test
from cdk_redis_runtime._smoke_test.declaration import Declaration
from cdk_redis_runtime._smoke_test.metrics import embedded_metrics
from cdk_redis_runtime._smoke_test.report import REPORT_LINE, SmokeTestFailed

# To write the log and to answer. A function that is cut off reports only "Task timed out".
_RESERVE_SECONDS = 2.0
_MIN_BUDGET_SECONDS = 1.0


class LambdaContext(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""
        ...


def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Run the smoke test on the store that the environment describes.

    Prints the report as one line of JSON, ``{"cdk_redis_smoke_test": ...}``, and a second line with metrics if the
    environment names their namespace.

    Args:
        event: Not used: everything comes from the environment.
        context: Lambda's context; the smoke test ends before the function's timeout.

    Returns:
        The report.

    Raises:
        SmokeTestFailed: A check failed, and the environment does not ask for a warning only. CloudFormation and the
            CDK CLI show the message.
        SettingsError: The environment does not describe a store.
    """
    del event
    connection = Connection.from_environment(os.environ)
    declared = Declaration.from_environment(os.environ)
    left = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
    declared = dataclasses.replace(declared, budget=max(_MIN_BUDGET_SECONDS, min(declared.budget, left)))
    report = smoke_test(connection, declared)
    _print_line({REPORT_LINE: report.as_dict()})
    if namespace := os.environ.get(env.METRICS_NAMESPACE):
        _print_line(embedded_metrics(report, namespace))
    if not report.passed:
        failure = SmokeTestFailed(report)
        if os.environ.get(env.ON_FAILURE) != env.WARN:
            raise failure
        print(f"[WARNING] {failure}", flush=True)
    return report.as_dict()


def _print_line(line: dict[str, Any]) -> None:
    print(json.dumps(line, separators=(",", ":")), flush=True)
