"""A report for people: a table, or a list if the terminal is too narrow for a table."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cdk_redis_runtime._smoke_test.drill_table import DrillRendering

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table
    from rich.text import Text

_STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
# A reason has a hundred characters or more.
_MIN_REASON_WIDTH = 30
# The lines between and around four columns.
_RULES = 13


def render_report(report: Mapping[str, Any]) -> RenderableType:
    """Make a report readable at any width.

    Args:
        report: The JSON that the function of a smoke test or of a failover drill returns and logs.

    Returns:
        What ``rich.print`` takes.

    Raises:
        ImportError: rich is not installed; it comes with ``cdk-redis-runtime[cli]``.
    """
    # Raised here, and not when it is printed.
    importlib.import_module("rich")
    return _Rendering(report) if "checks" in report else DrillRendering(report)


class _Rendering:
    """Chooses table or list when it is printed, because the width is known only then."""

    def __init__(self, report: Mapping[str, Any]) -> None:
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        checks = self._report["checks"]
        fixed = sum(
            max((len(cell) for cell in column), default=0)
            for column in (
                ["check", *(check["name"] for check in checks)],
                ["verdict"],
                ["ms", *(str(check["duration_ms"]) for check in checks)],
            )
        )
        if options.max_width >= fixed + _RULES + _MIN_REASON_WIDTH:
            yield _table(self._report)
        else:
            yield from _list(self._report)


def _table(report: Mapping[str, Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=_title(report), title_justify="left", title_style="")
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what was found", overflow="fold")
    table.add_column("ms", justify="right", no_wrap=True)
    for check in report["checks"]:
        status = check["status"]
        table.add_row(
            Text(check["name"]), Text(status, _STYLES.get(status, "")), Text(_found(check)), str(check["duration_ms"])
        )
    return table


def _list(report: Mapping[str, Any]) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    yield _title(report)
    for check in report["checks"]:
        status = check["status"]
        head = (check["name"], ": ", (status, _STYLES.get(status, "")), f" ({check['duration_ms']:,} ms)")
        yield Text.assemble(*head, overflow="fold")
        yield Padding(Text(_found(check), overflow="fold"), (0, 0, 0, 2))


def _title(report: Mapping[str, Any]) -> Text:
    from rich.text import Text

    verdict = ("passed", "green") if report["passed"] else ("failed", "bold red")
    head = f"{report['service']} {report['store']}: "
    return Text.assemble(head, verdict, f" in {report['duration_ms']:,} ms", overflow="fold")


def _found(check: Mapping[str, Any]) -> str:
    found = check["observed"] if check["status"] == "passed" else check["reason"]
    return found or check["reason"]
