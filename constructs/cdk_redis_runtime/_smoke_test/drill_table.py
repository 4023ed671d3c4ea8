"""The report of a failover drill for people: a table, or a list if the terminal is too narrow for a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cdk_redis_runtime._smoke_test.drill_report import drill_passed

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

_COLUMNS = ("shard", "slots", "no writes", "no reads", "max wait", "lost", "errors")
_RIGHT = {"shard", "no writes", "no reads", "max wait", "lost"}
# The lines between and around the columns.
_RULES = 3 * len(_COLUMNS) + 1
_MIN_ERRORS_WIDTH = 13
# Shards without an outage beyond these are counted only.
_MOST_WELL = 10


class DrillRendering:
    """Chooses table or list when it is printed, because the width is known only then."""

    def __init__(self, report: Mapping[str, Any]) -> None:
        """Keep the report."""
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield what rich prints."""
        from rich.text import Text

        yield _title(self._report)
        rows, left_out = _rows(self._report["shards"])
        columns = [_COLUMNS, *rows]
        # Without cluster mode, there are no slots.
        kept = [number for number in range(len(_COLUMNS)) if number != 1 or any(row[1] for row in rows)]
        fixed = sum(max(len(row[number]) for row in columns) for number in kept[:-1])
        if options.max_width >= fixed + _RULES + _MIN_ERRORS_WIDTH:
            yield _table(rows, kept)
        else:
            for row in rows:
                yield Text(f"shard {row[0]}")
                for number in kept[1:]:
                    yield Text(f"  {_COLUMNS[number]}: {row[number]}", overflow="fold")
        if left_out:
            yield Text(f"{left_out} more shards without an outage")


def _title(report: Mapping[str, Any]) -> Text:
    from rich.text import Text

    verdict = ("passed", "green") if drill_passed(report) else ("failed", "bold red")
    head = f"Failover drill of {report['service']} {report['store']}: "
    return Text.assemble(
        head, verdict, f" in {report['seconds']:.0f} s; {'; '.join(_findings(report))}", overflow="fold"
    )


def _findings(report: Mapping[str, Any]) -> Iterator[str]:
    others = [number for number, shard in enumerate(report["shards"], start=1) if shard["other_primary"]]
    if not report["failover_seen"]:
        yield "no other node took over"
    elif len(others) == 1:
        yield f"another node serves shard {others[0]}"
    else:
        yield f"other nodes serve {len(others)} shards"
    if not report["recovered"]:
        yield "not all shards answered again"
    lost, acknowledged = report["acknowledged_writes_lost"], report["acknowledged_writes"]
    if lost is None:
        yield "it is unknown whether acknowledged writes were lost"
    else:
        yield f"{lost or 'none'} of {acknowledged:,} acknowledged writes {'was' if lost == 1 else 'were'} lost"


def _rows(shards: Sequence[Mapping[str, Any]]) -> tuple[list[list[str]], int]:
    """The cells of each shard that is shown, and how many are not."""
    rows: list[list[str]] = []
    well = 0
    for number, shard in enumerate(shards, start=1):
        writes, reads, lost = shard["writes"], shard["reads"], shard["acknowledged_writes_lost"]
        errors = {
            kind: writes["errors"].get(kind, 0) + reads["errors"].get(kind, 0)
            for kind in sorted({*writes["errors"], *reads["errors"]})
        }
        if not (writes["failed_seconds"] or reads["failed_seconds"] or lost or errors or shard["other_primary"]):
            well += 1
            if well > _MOST_WELL:
                continue
        longest = max(writes["longest_call_seconds"], reads["longest_call_seconds"])
        rows.append(
            [
                str(number),
                shard.get("slots", ""),
                _seconds(writes),
                _seconds(reads),
                f"{longest:.2f} s",
                "?" if lost is None else str(lost),
                ", ".join(f"{count} {kind}" for kind, count in errors.items()),
            ]
        )
    return rows, max(0, well - _MOST_WELL)


def _seconds(outage: Mapping[str, Any]) -> str:
    return f"{outage['failed_seconds']:.2f} s" + ("" if outage["recovered"] else ", no end")


def _table(rows: Sequence[Sequence[str]], kept: Sequence[int]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for number in kept:
        name = _COLUMNS[number]
        last = number == len(_COLUMNS) - 1
        table.add_column(name, justify="right" if name in _RIGHT else "left", no_wrap=not last, overflow="fold")
    for row in rows:
        hurt = row[2] != "0.00 s" or row[3] != "0.00 s"
        table.add_row(*(Text(row[number], "bold" if hurt else "") for number in kept))
    return table
