"""The report of a drill as JSON, as a table and as a picture."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from cdk_redis_runtime import render_report
from cdk_redis_runtime._smoke_test.drill import slot_ranges
from cdk_redis_runtime._smoke_test.drill_picture import draw_drill
from cdk_redis_runtime._smoke_test.drill_report import DrillReport, Outage, ShardReport, drill_passed
from tests.runtime.support.drill_reports import HEALTHY, HURT, SECONDS, report_of, shard

SVG = "{http://www.w3.org/2000/svg}"


def test_the_report_says_when_shards_did_not_answer() -> None:
    first, second = report_of(HEALTHY, HURT)["shards"]
    assert (first["writes"]["gaps"], first["slots"]) == ([], "0-5460")
    ((begin, end),) = second["writes"]["gaps"]
    assert begin == pytest.approx(10.0, abs=0.06)
    assert end == pytest.approx(12.5, abs=0.06)
    answered = second["per_second"]["writes"]
    assert len(answered) == SECONDS
    # Twenty answers a second before and after the outage, none in the seconds within it.
    assert (answered[9], answered[11], answered[13]) == (20, 0, 20)
    assert sum(answered) == second["writes"]["succeeded"]


def test_many_gaps_are_reported_as_the_longest_twenty() -> None:
    gaps = [(float(number), number + 0.5 + number / 100) for number in range(SECONDS - 1)]
    found = Outage(gaps=gaps).as_dict()["gaps"]
    assert len(found) == 20
    assert found == [[begin, round(end, 3)] for begin, end in gaps[-20:]]


def test_the_report_of_many_shards_fits_into_an_output_of_step_functions() -> None:
    shards = [shard(slots=f"{number * 32}-{number * 32 + 31}") for number in range(499)]
    report = report_of(*shards, shard((1.0, 4.0), slots="16352-16383"))
    # The quota for the output of a state is 256 KiB.
    assert len(json.dumps(report)) < 250_000
    with_series = [shard["slots"] for shard in report["shards"] if "per_second" in shard]
    assert 0 < len(with_series) < 500
    assert "16352-16383" in with_series
    assert draw_drill(report).count("<g ") == 24


@pytest.mark.parametrize(
    ("shards", "passed"),
    [
        ((HEALTHY, HURT), True),
        ((HEALTHY,), False),
        ((HURT, shard((25.0, 31.0))), False),
        ((HURT, shard(lost=[7])), False),
        ((HURT, shard(lost=None)), False),
    ],
    ids=["failed over", "no failover", "not recovered", "a write lost", "unknown"],
)
def test_a_drill_passes_if_a_shard_failed_over_and_nothing_was_lost(
    shards: tuple[ShardReport, ...], passed: bool
) -> None:
    report = report_of(*shards)
    assert report["passed"] is passed
    # Functions of earlier versions report no verdict.
    del report["passed"]
    assert drill_passed(report) is passed


@pytest.mark.parametrize(
    ("slots", "text"),
    [
        (range(16384), "0-16383"),
        ([5, 7, 8], "5, 7-8"),
        ([1, 3, 5, 7], "1, 3, 5, ..."),
    ],
)
def test_slots_are_written_as_ranges(slots: Sequence[int], text: str) -> None:
    assert slot_ranges(slots) == text


def _printed(report: dict[str, Any], width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(render_report(report))
    return capture.get()


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_the_table_fits_every_terminal(width: int) -> None:
    text = _printed(report_of(HEALTHY, HURT, shard(slots="10923-16383")), width)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    assert "another node serves shard 2; none of 1,500 acknowledged writes were lost" in words
    assert "5461-10922" in words
    assert "TimeoutError" in words


def test_the_table_names_what_went_wrong() -> None:
    words = " ".join(_printed(report_of(shard((25.0, 31.0), lost=[7], other=False)), 120).split())
    assert "failed in 30 s; no other node took over; not all shards answered again; 1 of 500" in words
    assert ", no end" in words


def test_healthy_shards_of_a_large_store_are_counted() -> None:
    text = _printed(report_of(*[HEALTHY] * 30, HURT), 100)
    assert "20 more shards without an outage" in text
    assert "│    31 │" in text


def _texts(element: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def test_the_picture_shows_each_shard_and_its_outage_at_its_time() -> None:
    drawn = ElementTree.fromstring(draw_drill(report_of(HEALTHY, HURT, HEALTHY)))
    panels = drawn.findall(f"{SVG}g")
    assert [panel.get("aria-label") for panel in panels] == ["shard 1", "shard 2", "shard 3"]
    for panel in panels:
        # Both axes have units, and each kind of operation a line.
        assert {"0", "10", "20", "answers/s"} <= set(_texts(panel))
        assert {line.get("class") for line in panel.findall(f"{SVG}polyline")} == {"writes", "reads"}
    assert [len(panel.findall(f"{SVG}rect[@class='outage']")) for panel in panels] == [0, 1, 0]
    assert "2.5 s" in _texts(panels[1])
    assert {"seconds since the start of the drill", "writes/s", "reads/s", "no answer"} <= set(_texts(drawn))
    (outage,) = panels[1].findall(f"{SVG}rect[@class='outage']")
    left, right = (float(panels[1].findall(f"{SVG}line")[0].get(name, "")) for name in ("x1", "x2"))
    begin = (float(outage.get("x", "")) - left) / (right - left) * SECONDS
    length = float(outage.get("width", "")) / (right - left) * SECONDS
    assert (begin, length) == (pytest.approx(10.0, abs=0.1), pytest.approx(2.5, abs=0.1))
    # The line falls to zero there, and nowhere else.
    zero = panels[1].findall(f"{SVG}line")[0].get("y1", "")
    lines = [panel.findall(f"{SVG}polyline")[0].get("points", "") for panel in panels]
    assert [f",{zero}" in line for line in lines] == [False, True, False]


@pytest.mark.parametrize("theme", ["prefers-color-scheme: dark", "--paper: #ffffff"])
def test_the_picture_has_colors_for_light_and_dark(theme: str) -> None:
    assert theme in draw_drill(report_of(HURT))


@pytest.mark.parametrize(("begin", "end"), [(0.0, 0.6), (14.0, 14.6), (29.0, 30.5)])
def test_labels_of_outages_stay_in_the_picture(begin: float, end: float) -> None:
    drawn = ElementTree.fromstring(draw_drill(report_of(shard((begin, end)))))
    for label in drawn.iter(f"{SVG}text"):
        if label.get("class") == "seconds":
            x, width = float(label.get("x", "")), 8.0 * len(label.text or "")
            first = {"start": x, "middle": x - width / 2, "end": x - width}[label.get("text-anchor", "")]
            assert first >= 0
            assert first + width <= 760


def test_a_report_without_single_seconds_has_no_picture() -> None:
    report = report_of(HURT)
    del report["shards"][0]["per_second"]
    with pytest.raises(ValueError, match="deploy the drill with this version"):
        draw_drill(report)


def test_names_in_the_picture_are_escaped() -> None:
    report = DrillReport("<orders&co>", "elasticache", 30.0, (HURT,)).as_dict()
    assert "<orders" not in draw_drill(report)
    assert Counter(ElementTree.fromstring(draw_drill(report)).itertext())[
        "Failover drill of elasticache <orders&co>: passed"
    ]
