"""The report of a failover drill as an SVG: the answers a second of each shard, with its outages shaded.

A browser, a code host or an image viewer shows it; its colors follow the reader's light or dark theme.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from cdk_redis_runtime._smoke_test.drill_report import drill_passed

_WIDTH, _LEFT, _RIGHT = 760, 62, 20
_TOP, _PANEL, _GAP, _BOTTOM = 78, 92, 40, 46
_MOST_PANELS = 24
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300)
_MOST_TICKS = 12
_LABEL_WIDTH = 40
# Colors that people with a colour-vision deficiency can tell apart, too; the reads are also dashed.
_STYLE = """
svg { --paper: #ffffff; --ink: #1f2328; --faint: #656d76; --grid: #d8dee4; --writes: #0550ae; --reads: #b35900;
      --outage: #cf222e; font: 12px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #e6edf3; --faint: #9198a1; --grid: #30363d; --writes: #79c0ff; --reads: #ffa657;
        --outage: #ff7b72; }
}
.paper { fill: var(--paper); } text { fill: var(--ink); } .faint { fill: var(--faint); }
.grid { stroke: var(--grid); } .writes, .reads { fill: none; stroke-width: 2; }
.writes { stroke: var(--writes); } .reads { stroke: var(--reads); stroke-dasharray: 5 3; }
.outage { fill: var(--outage); fill-opacity: 0.22; } .seconds { fill: var(--outage); font-weight: 600; }
.head { font-size: 15px; font-weight: 600; }
"""


def draw_drill(report: Mapping[str, Any]) -> str:
    """Draw the writes and reads that were answered in each second, a panel a shard.

    Args:
        report: The report as JSON has it.

    Raises:
        ValueError: It has no figures of single seconds, because an older version of the function made it.
    """
    shards: list[tuple[int, Mapping[str, Any]]] = list(enumerate(report["shards"], start=1))
    drawn = [(number, shard) for number, shard in shards if "per_second" in shard]
    if not drawn:
        raise ValueError("the report has no answers a second: deploy the drill with this version of cdk-redis")
    # Those with the longest outages, in the order of the shards.
    drawn = sorted(sorted(drawn, key=_longest_outage_first)[:_MOST_PANELS], key=operator.itemgetter(0))
    end = max(report["seconds"], 1.0)
    most = max(1, *(count for _, shard in drawn for series in shard["per_second"].values() for count in series))
    height = _TOP + len(drawn) * (_PANEL + _GAP) - _GAP + _BOTTOM
    title = f"Failover drill of {report['service']} {report['store']}"
    verdict = "passed" if drill_passed(report) else "failed"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(title)}: {verdict}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
        _text(_LEFT, 24, f"{title}: {verdict}", style="head"),
        *_legend(),
    ]
    if len(drawn) < len(shards):
        rest = f"{len(drawn)} of {len(shards)} shards, those with the longest outages"
        parts.append(_text(_WIDTH - _RIGHT, 46, rest, style="faint", anchor="end"))
    for place, (number, shard) in enumerate(drawn):
        last = place == len(drawn) - 1
        parts += _panel(_TOP + place * (_PANEL + _GAP), number, shard, end, most, with_seconds=last)
    parts.append(
        _text((_LEFT + _WIDTH - _RIGHT) / 2, height - 10, "seconds since the start of the drill", anchor="middle")
    )
    return "\n".join([*parts, "</svg>", ""])


def _longest_outage_first(numbered: tuple[int, Mapping[str, Any]]) -> float:
    _, shard = numbered
    return -float(max(shard["writes"]["failed_seconds"], shard["reads"]["failed_seconds"]))


def _legend() -> Iterator[str]:
    for left, kind, text in ((_LEFT, "writes", "writes/s"), (_LEFT + 110, "reads", "reads/s")):
        yield f'<line class="{kind}" x1="{left}" y1="42" x2="{left + 28}" y2="42"/>'
        yield _text(left + 34, 46, text)
    left = _LEFT + 220
    yield f'<rect class="outage" x="{left}" y="35" width="28" height="14"/>'
    yield _text(left + 34, 46, "no answer")


def _panel(
    top: float, number: int, shard: Mapping[str, Any], end: float, most: int, *, with_seconds: bool
) -> Iterator[str]:
    """One shard: its name, its axes, its outages and its two lines."""
    bottom, highest = top + _PANEL, _nice(most)

    def x(second: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(second, end) / end

    def y(count: float) -> float:
        return bottom - _PANEL * count / highest

    slots = f", slots {shard['slots']}" if shard.get("slots") else ""
    primary = "; another node took over" if shard["other_primary"] else ""
    yield f'<g class="shard" aria-label="shard {number}">'
    yield _text(_LEFT, top - 8, f"shard {number}{slots}{primary}")
    for count in (0, highest / 2, highest):
        yield f'<line class="grid" x1="{_LEFT}" y1="{y(count):.1f}" x2="{_WIDTH - _RIGHT}" y2="{y(count):.1f}"/>'
        yield _text(_LEFT - 8, y(count) + 4, f"{count:g}", style="faint", anchor="end")
    yield (
        f'<text class="faint" text-anchor="middle" transform="translate({_LEFT - 40},{top + _PANEL / 2}) rotate(-90)">'
        "answers/s</text>"
    )
    if with_seconds:
        for second in _ticks(end):
            yield _text(x(second), bottom + 16, f"{second:g}", style="faint", anchor="middle")
    for begin, until in _union(shard):
        left, width = x(begin), max(1.0, x(until) - x(begin))
        yield f'<rect class="outage" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_PANEL}"/>'
        yield _label(left, width, top + _PANEL / 2, f"{until - begin:.1f} s")
    for kind in ("writes", "reads"):
        points = " ".join(f"{x(second):.1f},{y(count):.1f}" for second, count in _stairs(shard["per_second"][kind]))
        yield f'<polyline class="{kind}" points="{points}"/>'
    yield "</g>"


def _label(left: float, width: float, y: float, text: str) -> str:
    """The length of an outage: in it if there is room, otherwise next to it."""
    if width >= _LABEL_WIDTH:
        return _text(left + width / 2, y + 4, text, style="seconds", anchor="middle")
    if left + width + _LABEL_WIDTH < _WIDTH - _RIGHT:
        return _text(left + width + 4, y + 4, text, style="seconds")
    return _text(left - 4, y + 4, text, style="seconds", anchor="end")


def _union(shard: Mapping[str, Any]) -> list[tuple[float, float]]:
    """The times in which writes or reads had no answer."""
    found: list[tuple[float, float]] = []
    for begin, until in sorted(tuple(gap) for kind in ("writes", "reads") for gap in shard[kind]["gaps"]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((begin, until))
    return found


def _stairs(series: Sequence[int]) -> Iterator[tuple[int, int]]:
    for second, count in enumerate(series):
        yield second, count
        yield second + 1, count


def _nice(most: int) -> int:
    """The top of an axis: the next of 2, 4, 10, 20, 40, 100, ..."""
    power = 10 ** math.floor(math.log10(most))
    return next(step * power for step in (2, 4, 10, 20) if step * power >= most)


def _ticks(end: float) -> range:
    step = next((step for step in _STEPS if end / step <= _MOST_TICKS), 600)
    return range(0, int(end) + 1, step)


def _text(x: float, y: float, text: str, *, style: str = "", anchor: str = "start") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
