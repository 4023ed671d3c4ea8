"""Print the last report of each smoke test and failover drill, from the logs of their functions.

  cdk-redis report Orders
  cdk-redis report arn:aws:lambda:eu-west-1:111122223333:function:OrdersSmokeTest --json

Exits with 0 if all of these passed, with 1 if one failed, and with 2 if there is no report. After the rollback of a new
stack, whose logs are deleted with it, the command prints why CloudFormation rolled it back.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from cdk_redis_runtime._command.aws import Aws, AwsRefusedError
from cdk_redis_runtime._command.log_lines import last_lines
from cdk_redis_runtime._command.options import UsageError, whole_number_from
from cdk_redis_runtime._command.targets import Function, add_target, find_functions, target_of
from cdk_redis_runtime._smoke_test.drill_report import REPORT_LINE as DRILL_LINE
from cdk_redis_runtime._smoke_test.drill_report import drill_passed
from cdk_redis_runtime._smoke_test.report import REPORT_LINE as SMOKE_TEST_LINE

PASSED, FAILED = 0, 1
_KEYS = {"smoke test": SMOKE_TEST_LINE, "failover drill": DRILL_LINE}
# How the message of a failed smoke test begins.
_FAILURE = "Smoke test of "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_target(parser, "a smoke test's function, or of a drill's function, state machine or execution")
    parser.add_argument(
        "--last", type=whole_number_from(1, 100), default=1, metavar="N", help="last runs of each; default: 1"
    )
    parser.add_argument("--json", action="store_true", help="print a list with the reports as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the last reports.

    Returns:
        The exit code: 0 all passed, 1 one failed.

    Raises:
        UsageError: There is no report, or the options do not name a smoke test or a drill.
    """
    functions, aws = find_functions(options)
    found = [entry for function in functions for entry in _reports(aws, function, options.last)]
    if not found:
        found = list(_rollbacks(options))
    if not found:
        raise UsageError("there is no report: nothing has run, or the logs have expired")
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        _print(found)
    last = {entry["function"]: entry for entry in found}
    return PASSED if all(entry["passed"] for entry in last.values()) else FAILED


def _reports(aws: Aws, function: Function, count: int) -> Iterator[dict[str, Any]]:
    try:
        # One more than is printed, to say that an earlier run failed.
        logged = last_lines(aws, function, _KEYS[function.kind], count + 1)
    except AwsRefusedError as refused:
        if not refused.not_found:
            raise
        return
    if len(logged) > count:
        hidden = logged.pop(0)
        if not _passed(hidden.content) and _passed(logged[0].content):
            hint = f"the {function.kind} {function.name} failed before, at {_time(hidden.logged)}"
            print(f"cdk-redis: {hint}; --last {count + 1} shows it", file=sys.stderr)
    for line in logged:
        yield {
            "function": function.name,
            "kind": function.kind,
            "time": _time(line.logged),
            "passed": _passed(line.content),
            "report": line.content,
        }


def _passed(report: Mapping[str, Any]) -> bool:
    return bool(report["passed"]) if "checks" in report else drill_passed(report)


def _rollbacks(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The last failure of a smoke test in the events of the stack, which outlive its functions and log groups."""
    stack, service, aws = target_of(options)
    if service != "cloudformation":
        return
    method, what = "describe_stack_events", f"the stack {stack}"
    for page in aws.pages("cloudformation", method, what, "NextToken", StackName=stack):
        for event in page["StackEvents"]:  # the newest first
            _, found, reason = str(event.get("ResourceStatusReason", "")).partition(_FAILURE)
            if found:
                yield {
                    "function": None,
                    "kind": "smoke test",
                    "time": _time(int(event["Timestamp"].timestamp() * 1000)),
                    "passed": False,
                    "reason": found + reason,
                }
                return


def _print(found: list[dict[str, Any]]) -> None:
    try:
        from rich.console import Console
    except ImportError:
        raise UsageError("the table needs rich: pip install 'cdk-redis-runtime[cli]', or give --json") from None
    from cdk_redis_runtime._smoke_test.render import render_report

    console = Console()
    for entry in found:
        name = entry["function"] or "rolled back, so that only CloudFormation's events have its result"
        console.print(f"{entry['kind']} {name}, {entry['time']}", markup=False, highlight=False)
        if "report" in entry:
            console.print(render_report(entry["report"]))
        else:
            console.print(entry["reason"], markup=False, highlight=False)


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
