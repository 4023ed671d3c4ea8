"""Start a failover drill, show its progress, and print its report as a table.

  cdk-redis drill Orders --picture drill.svg
  cdk-redis drill arn:aws:states:eu-west-1:111122223333:stateMachine:OrdersDrill
  cdk-redis drill arn:aws:states:eu-west-1:111122223333:execution:OrdersDrill:1a2b   (one that was started)

Exits with 0 if another node took over, every shard recovered and no acknowledged write was lost, with 1 if not, and
with 2 if the drill could not run. Ctrl-C ends the command only: the drill goes on in AWS, and the last form shows it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from cdk_redis_runtime._command.aws import Aws
from cdk_redis_runtime._command.log_lines import lines
from cdk_redis_runtime._command.options import UsageError
from cdk_redis_runtime._command.targets import Function, Machine, add_target, find_machine, function_of
from cdk_redis_runtime._smoke_test.drill_picture import draw_drill
from cdk_redis_runtime._smoke_test.drill_report import NOTICEABLE_SECONDS, PROGRESS_LINE, drill_passed

PASSED, FAILED = 0, 1
# FilterLogEvents allows five calls a second and more. (CloudWatch Logs, service quotas)
_POLL_SECONDS = 1.0
# So many shards fit into one line of a terminal.
_MOST_SHARDS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_target(parser, "the drill's state machine or of an execution")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write an SVG of the answers a second by shard")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace) -> int:
    """Run or follow a drill, and print its report.

    Returns:
        The exit code: 0 passed, 1 failed.

    Raises:
        UsageError: The drill cannot start or ended without a report, or the options do not name one.
    """
    show = _printer(as_json=options.json)
    if options.picture is not None and not options.picture.absolute().parent.is_dir():
        raise UsageError(f"--picture: there is no folder {options.picture.absolute().parent}")
    machine, aws = find_machine(options)
    execution = machine.execution or _start(aws, machine)
    try:
        ended = _follow(aws, machine, execution)
    except BaseException:  # Ctrl-C, and AWS not being reached
        print(f"cdk-redis: the drill goes on in AWS; to see it: cdk-redis drill {execution}", file=sys.stderr)
        raise
    report = report_of(ended)
    show(report)
    if options.picture is not None:
        _write_picture(options.picture, report)
    return PASSED if drill_passed(report) else FAILED


def report_of(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The report of an execution that has ended.

    Raises:
        UsageError: It ended without a report, or did not start the drill because of an alarm.
    """
    if execution["status"] == "SUCCEEDED":
        return json.loads(execution["output"])
    cause = f"{execution.get('error', '')}: {execution.get('cause', '')}".strip(": ")
    raise UsageError(f"the drill ended without a report: {execution['status']}" + (f", {cause}" if cause else ""))


def _start(aws: Aws, machine: Machine) -> str:
    what = f"the drill {machine.arn}"
    started = aws.call("stepfunctions", "start_execution", what, "started", stateMachineArn=machine.arn)
    return str(started["executionArn"])


def _printer(*, as_json: bool) -> Callable[[Mapping[str, Any]], None]:
    """What prints a report. Made before the drill starts, because it may need a package that is not installed."""

    def print_json(report: Mapping[str, Any]) -> None:
        print(json.dumps(report, indent=2))

    if as_json:
        return print_json
    try:
        from rich.console import Console
    except ImportError:
        raise UsageError("the table needs rich: pip install 'cdk-redis-runtime[cli]', or give --json") from None
    from cdk_redis_runtime._smoke_test.render import render_report

    def print_table(report: Mapping[str, Any]) -> None:
        Console().print(render_report(report))

    return print_table


def _write_picture(path: Path, report: Mapping[str, Any]) -> None:
    try:
        path.write_text(draw_drill(report), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"cdk-redis: no picture: {error}", file=sys.stderr)


def _follow(aws: Aws, machine: Machine, execution: str) -> dict[str, Any]:
    """Show the progress until the execution ends; returns its description."""
    what = f"the execution {execution}"

    def describe() -> dict[str, Any]:
        return aws.call("stepfunctions", "describe_execution", what, executionArn=execution)

    found = describe()
    if found["status"] != "RUNNING":
        return found
    print(
        f"cdk-redis: started {execution}" if machine.execution is None else f"cdk-redis: {execution}", file=sys.stderr
    )
    if machine.before is not None:
        print(f"cdk-redis: the shard fails over {machine.before} s after the start", file=sys.stderr)
    with _Progress(aws, machine, execution, int(found["startDate"].timestamp() * 1000)) as progress:
        while found["status"] == "RUNNING":
            progress.show()
            time.sleep(_POLL_SECONDS)
            found = describe()
        if found["status"] == "SUCCEEDED":
            progress.show()
    return found


class _Progress:
    """Shows the lines of progress that the function logs: on a terminal as one line, otherwise as lines."""

    def __init__(self, aws: Aws, machine: Machine, execution: str, started: int) -> None:
        self._aws = aws
        self._execution = execution
        self._since = started
        self._second = 0
        self._slots: list[str] = []
        self._rewrites = sys.stderr.isatty()
        self._function = self._find(machine.function)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._rewrites and self._second:
            print(file=sys.stderr)

    def show(self) -> None:
        """Show what was logged since the last time."""
        with self._or_without():
            for text in self._new():
                if self._rewrites:
                    print(f"\r\033[K{text[: _columns() - 1]}", end="", file=sys.stderr, flush=True)
                else:
                    print(text, file=sys.stderr, flush=True)

    def _find(self, function: str) -> Function | None:
        with self._or_without():
            return function_of(self._aws, function)
        return None

    @contextlib.contextmanager
    def _or_without(self) -> Generator[None]:
        """Go on without progress if the log cannot be read: the report does not need it."""
        try:
            yield
        except UsageError as error:
            self._function = None
            print(f"cdk-redis: no progress is shown: {error}", file=sys.stderr)

    def _new(self) -> Iterator[str]:
        if self._function is None:
            return
        for line in lines(self._aws, self._function, PROGRESS_LINE, self._since):
            progress = line.content
            if progress.get("execution") == self._execution and progress["second"] > self._second:
                self._second, self._since = progress["second"], line.logged
                self._slots = progress.get("slots") or self._slots
                yield progress_text(progress, self._slots)


def progress_text(progress: Mapping[str, Any], slots: list[str]) -> str:
    """One second of a drill as a line of text.

    Args:
        progress: From the function's log.
        slots: The slots of each shard.
    """
    writes, reads, silent = progress["writes"], progress["reads"], progress["silent"]
    hurt = [number for number, seconds in enumerate(silent) if seconds >= NOTICEABLE_SECONDS]
    shown = list(range(len(writes))) if len(writes) <= _MOST_SHARDS else hurt[:_MOST_SHARDS]
    texts: list[str] = []
    if len(shown) < len(writes):
        texts.append(f"{len(writes)} shards: {sum(writes)} writes/s {sum(reads)} reads/s")
    for number in shown:
        text = f"shard {number + 1}: {writes[number]} writes/s {reads[number]} reads/s"
        if number in hurt:
            where = f" from slots {slots[number]}" if slots and slots[number] else ""
            text += f", NO ANSWER for {silent[number]:.1f} s{where}"
        texts.append(text)
    if len(hurt) > len(shown):
        texts.append(f"{len(hurt)} shards do not answer")
    return f"{progress['second']:4d} s  " + "  |  ".join(texts)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns
