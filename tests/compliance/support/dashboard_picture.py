"""A picture of a dashboard, drawn from the body that the library synthesizes. The values in it are made up.

Draw it again with ``python -m tests.compliance.support.dashboard_picture > docs/dashboard.svg``.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_events as events

from cdk_redis import FailoverDrill, MemoryDbCluster, RedisDashboard, RedisNetwork, ReplicationGroup, SmokeTest
from tests.compliance.support.dashboard_body import body_of

# Pixels of a unit of the dashboard's grid, which has 24 columns.
COLUMN, ROW, GAP = 52, 38, 6
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22")
POINTS = 90
ALARM_ON = ("Orders: memory",)
# Usual value and largest deviation of a metric.
VALUES: dict[str, tuple[float, float]] = {
    "EngineCPUUtilization": (34, 14),
    "DatabaseMemoryUsagePercentage": (62, 3),
    # A shard that is fuller than the others.
    "DatabaseMemoryUsagePercentage 0002": (85, 2),
    "CurrConnections": (420, 60),
    "ReplicationLag": (0.02, 0.02),
    "SuccessfulReadRequestLatency": (180, 60),
    "SuccessfulWriteRequestLatency": (240, 80),
    "NetworkBytesIn": (3.1e7, 8e6),
    "NetworkBytesOut": (5.2e7, 1.2e7),
    "Evictions": (0, 0),
    "CacheHitRate": (93, 3),
    "MaxReplicationThroughput": (2.4e7, 1.4e7),
    "ReplicationDelayedWriteCommands": (0, 0),
    "LatencyP50": (0.6, 0.1),
    "LatencyP99": (1.9, 0.7),
}
NUMBERS = {"passed": "17", "failed": "0"}
REPORTS: dict[str, list[list[str]]] = {
    "Smoke test": [[f"11:{minute:02d}:04", "orders", "1", str(580 + minute)] for minute in (55, 50, 45, 40, 35, 30)],
    "Failover drills": [
        ["2026-11-20 09:12:40", "orders", "1", "1", "1.966", "1.922", "1.966", "230", "0"],
        ["2026-10-16 09:10:12", "orders", "1", "1", "2.310", "2.284", "2.310", "228", "0"],
    ],
}


def example() -> dict[str, Any]:
    """The body of a dashboard with a store of each service, a canary and a drill."""
    stack = cdk.Stack(cdk.App(), "Shop", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    network = RedisNetwork(stack, "Network")
    orders = ReplicationGroup(stack, "Orders", network=network, shards=3, replicas=1)
    ledger = MemoryDbCluster(stack, "Ledger", network=network, shards=2, replicas=1)
    for store in (orders, ledger):
        store.add_alarms()
    every_five_minutes = events.Schedule.rate(cdk.Duration.minutes(5))
    test = SmokeTest(stack, "SmokeTest", target=orders, schedule=every_five_minutes)
    dashboard = RedisDashboard(
        stack,
        "Dashboard",
        stores=[orders, ledger],
        smoke_tests=[test],
        drills=[FailoverDrill(stack, "Drill", target=orders)],
    )
    assert test.alarm is not None
    names = {str(stack.get_logical_id(store.resource)): store.node.id.lower() for store in (orders, ledger)}
    for store in (orders, ledger):
        for alarm_name, alarm in store.alarms.items():
            resource = cast("cdk.CfnElement", alarm.node.default_child)
            names[str(stack.get_logical_id(resource))] = f"{store.node.id}: {alarm_name}"
    names[str(stack.get_logical_id(cast("cdk.CfnElement", test.alarm.node.default_child)))] = "Orders: smoke test"

    def name_of(function: Mapping[str, Any]) -> str:
        (given,) = function.values()
        return names.get(given if isinstance(given, str) else given[0], "")

    return body_of(dashboard, name_of)


def picture(body: Mapping[str, Any]) -> str:
    """The dashboard as SVG."""
    widgets: list[dict[str, Any]] = body["widgets"]
    width = 24 * COLUMN + GAP
    height = max(widget["y"] + widget["height"] for widget in widgets) * ROW + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
    ]
    for widget in widgets:
        x, y = widget["x"] * COLUMN + GAP, widget["y"] * ROW + GAP
        size = (widget["width"] * COLUMN - GAP, widget["height"] * ROW - GAP)
        parts.append(f'<g transform="translate({x} {y})">')
        parts.append(f'<rect width="{size[0]}" height="{size[1]}" fill="#fff" stroke="#d5dbdb" rx="3"/>')
        parts += DRAWN[_kind(widget)](widget["properties"], *size)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _kind(widget: Mapping[str, Any]) -> str:
    return "number" if widget["properties"].get("view") == "singleValue" else widget["type"]


def _text(x: float, y: float, text: str, **attributes: str) -> str:
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.0f}" y="{y:.0f}"{given}>{escape(text)}</text>'


def _title(text: str) -> str:
    return _text(12, 21, text, font_weight="bold", fill="#16191f")


def _draw_text(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    del height
    y = 0
    for line in properties["markdown"].splitlines():
        if line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            y += 32 - 4 * level
            yield _text(12, y, line.lstrip("# "), font_size=str(24 - 3 * level), font_weight="bold", fill="#16191f")
        elif line.startswith("| ---"):
            yield f'<line x1="12" x2="{width - 12}" y1="{y + 8}" y2="{y + 8}" stroke="#d5dbdb"/>'
        elif line.startswith("|"):
            y += 27
            cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
            yield from (_text(12 + index * (width - 24) / len(cells), y, cell) for index, cell in enumerate(cells))
        elif line:
            y += 26
            yield _text(12, y, line, fill="#545b64")


def _draw_alarms(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    del height
    yield _title(properties["title"])
    cell = (width - 24) / 6
    for index, name in enumerate(sorted(properties["alarms"], key=lambda one: one not in ALARM_ON)):
        x, y = 12 + index % 6 * cell, 34 + index // 6 * 35
        state, fill = ("ALARM", "#d13212") if name in ALARM_ON else ("OK", "#1d8102")
        yield f'<rect x="{x:.0f}" y="{y}" width="{cell - 6:.0f}" height="29" rx="3" fill="{fill}"/>'
        yield _text(x + 8, y + 19, name, fill="#fff", font_size="11")
        if state != "OK":
            yield _text(x + cell - 14, y + 19, state, fill="#fff", font_size="11", text_anchor="end")


def _draw_number(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    yield _title(properties["title"])
    metrics = properties["metrics"]
    for index, metric in enumerate(metrics):
        x = width * (index + 0.5) / len(metrics)
        options = metric[-1]
        yield _text(x, height / 2 + 16, NUMBERS[options["label"]], font_size="48", text_anchor="middle")
        yield f'<circle cx="{x - 28:.0f}" cy="{height / 2 + 40:.0f}" r="5" fill="{options["color"]}"/>'
        yield _text(x - 18, height / 2 + 44, options["label"])


def _draw_log(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    del height
    yield _title(properties["title"])
    fields = properties["query"].partition("fields ")[2].partition("\n")[0].split(", ")
    names = [field.rpartition(" as ")[2] for field in fields]
    (rows,) = (rows for kind, rows in REPORTS.items() if properties["title"].startswith(kind))
    # The column of the time is the widest.
    edges = [12, *(12 + (width - 12) * (index + 0.6) / (len(names) + 0.6) for index in range(1, len(names)))]
    for line, cells in enumerate([names, *rows]):
        style = {"fill": "#545b64"} if line == 0 else {}
        yield from (_text(x, 50 + 26 * line, cell, **style) for x, cell in zip(edges, cells, strict=True))
    yield f'<line x1="12" x2="{width - 12}" y1="58" y2="58" stroke="#d5dbdb"/>'


def _draw_graph(properties: Mapping[str, Any], width: int, height: int) -> Iterator[str]:
    left, right, top, bottom = 58, width - 14, 46, height - 50
    lines = list(_lines(properties["metrics"]))
    marks = [(mark["value"], mark["label"]) for mark in properties.get("annotations", {}).get("horizontal", ())]
    highest = _round_up(max([*(max(values) for _, values in lines), *(value for value, _ in marks)]) or 1)
    axis = properties["yAxis"]["left"]["label"]

    def at(value: float) -> float:
        return bottom - value / highest * (bottom - top)

    yield _title(properties["title"])
    yield _text(12, 38, axis, font_size="10", fill="#545b64")
    for step in range(5):
        value = highest * step / 4
        y = at(value)
        yield f'<line x1="{left}" x2="{right}" y1="{y:.0f}" y2="{y:.0f}" stroke="#eaeded"/>'
        yield _text(left - 6, y + 4, _number(value), font_size="10", text_anchor="end", fill="#545b64")
    for index, hour in enumerate(("09:00", "10:00", "11:00", "12:00")):
        x = left + (right - left) * index / 3
        anchor = "end" if index == 3 else "middle"
        yield _text(x, bottom + 14, hour, font_size="10", text_anchor=anchor, fill="#545b64")
    for (_, values), color in zip(lines, _colors(len(lines)), strict=True):
        points = " ".join(
            f"{left + (right - left) * index / (POINTS - 1):.0f},{at(value):.1f}" for index, value in enumerate(values)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5"/>'
    for value, label in marks:
        y = at(value)
        yield f'<line x1="{left}" x2="{right}" y1="{y:.0f}" y2="{y:.0f}" stroke="#d13212" stroke-dasharray="5 3"/>'
        yield _text(right, y - 4, f"{label}: {_number(value)}", font_size="10", text_anchor="end", fill="#d13212")
    yield from _legend([label for label, _ in lines], width, height)


def _legend(labels: Sequence[str], width: int, height: int) -> Iterator[str]:
    each = (width - 24) / max(len(labels), 3)
    for index, (label, color) in enumerate(zip(labels, _colors(len(labels)), strict=True)):
        x = 12 + index * each
        yield f'<rect x="{x:.0f}" y="{height - 21}" width="10" height="10" fill="{color}"/>'
        yield _text(x + 13, height - 12, label, font_size="10")


def _colors(count: int) -> list[str]:
    return [COLORS[index % len(COLORS)] for index in range(count)]


def _lines(metrics: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[float]]]:
    for metric in metrics:
        options = metric[-1]
        name, label = metric[1], options["label"]
        usual, most = VALUES.get(f"{name} {label[:4]}") or VALUES.get(name, (2.0, 1.5))
        yield label, _values(f"{name} {label}", usual * (0.7 if label == "average" else 1), most)


def _values(seed: str, usual: float, most: float) -> list[float]:
    """A curve that is the same each time."""
    source = random.Random(seed)
    phase, share = source.uniform(0, 6), source.uniform(0.3, 0.8)
    level = usual * source.uniform(0.92, 1.08)
    return [
        max(0.0, level + most * (share * math.sin(phase + index / 14) + source.uniform(-0.2, 0.2)))
        for index in range(POINTS)
    ]


def _round_up(value: float) -> float:
    step = 10 ** math.floor(math.log10(value))
    return next(
        step * factor for factor in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if step * factor >= value * 1.05 or factor == 10
    )


def _number(value: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M")):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


DRAWN = {
    "text": _draw_text,
    "alarm": _draw_alarms,
    "number": _draw_number,
    "metric": _draw_graph,
    "log": _draw_log,
}


if __name__ == "__main__":
    print(picture(example()), end="")
