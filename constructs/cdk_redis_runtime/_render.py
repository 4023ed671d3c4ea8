"""A report as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


def render_report(report: Mapping[str, Any]) -> Table:
    """Make a table of a report.

    Args:
        report: As the smoke test's function returns and logs it.

    Returns:
        A table for ``rich.print``.

    Raises:
        ImportError: rich is not installed; it comes with ``cdk-redis[cli]``.
    """
    from rich.table import Table
    from rich.text import Text

    verdict = Text("passed", "green") if report["passed"] else Text("failed", "bold red")
    title = Text.assemble(f"{report['service']} {report['store']}: ", verdict, f" in {report['duration_ms']:,} ms")
    table = Table(title=title, title_justify="left", title_style="")
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what was found", overflow="fold")
    table.add_column("ms", justify="right", no_wrap=True)
    for check in report["checks"]:
        found = check["observed"] if check["status"] == "passed" else check["reason"]
        table.add_row(
            Text(check["name"]),
            Text(check["status"], _STYLES.get(check["status"], "")),
            Text(found or check["reason"]),
            str(check["duration_ms"]),
        )
    return table
