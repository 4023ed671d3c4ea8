"""Measures how soon clients with different timeouts and retries recover after a primary dies.

Run: python benchmarks/client_settings.py [docs/client-settings.md docs/client-settings.svg]

Each fault is repeated on a cluster of three shards on this machine, and the worst run counts. A drill for every setting
runs at the same time, so that all settings see the same failover. "Late" is the time from the first write that the new
primary accepts from an observer, which tries every 10 ms, to the first write of a client.

Runs in its own network namespaces, in which a router drops all packets of an unreachable node.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from redis.crc import key_slot
from redis.credentials import UsernamePasswordCredentialProvider
from redis.exceptions import RedisError

from cdk_redis_local import AclUser, EngineSet, Node, RoutedNetwork, find_engine, own_network
from cdk_redis_runtime import ClientTimeouts, Connection
from cdk_redis_runtime._smoke_test.drill import Drill
from cdk_redis_runtime._smoke_test.drill_report import DrillReport

PASSWORD = "only-for-this-run-of-the-benchmark"
PREFIX = "cdk-redis-drill:"
NODE_TIMEOUT = 3.0
FAULTS: tuple[str, ...] = ("killed", "frozen", "unreachable")
TIMEOUTS = (0.25, 0.5, 0.75, 1.5, 3.0, 5.5)
RETRIES = (0, 3)


@dataclass
class Result:
    """Results of one setting with one fault, in seconds; one entry per repetition."""

    late: list[float] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    longest_call: list[float] = field(default_factory=list)


def grid() -> list[ClientTimeouts]:
    """The settings to compare."""
    return [ClientTimeouts(timeout, timeout, retries) for retries in RETRIES for timeout in TIMEOUTS]


def break_node(node: Node, fault: str, network: RoutedNetwork) -> None:
    """Inject a fault into a primary."""
    if fault == "killed":
        node.stop()
    elif fault == "frozen":
        node.freeze()
    else:
        network.lose()


def wait_for_write(standby: Node) -> float:
    """Wait until the replica accepts a write; returns the time of the monotonic clock."""
    key = next(f"observer:{n}" for n in range(1000) if key_slot(f"observer:{n}".encode()) * 3 // 16384 == standby.shard)
    while True:
        with contextlib.suppress(RedisError):
            standby.admin.set(key, "1", ex=60)
            return time.monotonic()
        time.sleep(0.01)


def measure(fault: str, network: RoutedNetwork, results: dict[tuple[str, ClientTimeouts], Result]) -> float:
    """Inject a fault while drills with all settings run; returns the seconds until the engines replaced the primary."""
    user = AclUser("drill", f"on ~{PREFIX}* +@all", passwords=(PASSWORD,))
    with EngineSet(
        shards=3,
        replicas=1,
        cluster_mode=True,
        users=[user],
        node_timeout=NODE_TIMEOUT,
        place=lambda shard, role: network.far if (shard, role) == (0, "primary") else network.near,
    ) as engines:
        os.environ["SSL_CERT_FILE"] = engines.ca_file
        credentials = UsernamePasswordCredentialProvider("drill", PASSWORD)
        host, port = engines.primaries[1].host, engines.primaries[1].port
        connection = Connection("elasticache", "orders", host, port, authentication="password", user="drill")
        drills = {
            timeouts: Drill(
                connection, key_prefix=PREFIX, seconds=120, credentials=credentials, timeouts=timeouts, interval=0.1
            )
            for timeouts in grid()
        }
        for drill in drills.values():
            drill.start()
        time.sleep(2)
        victim = engines.primaries[0]
        standby = next(node for node in engines.replica_nodes if node.shard == victim.shard)
        broken = time.monotonic()
        break_node(victim, fault, network)
        answered = wait_for_write(standby)
        # Wait for the client with the longest timeout and its retries.
        time.sleep(max(TIMEOUTS) + 2)
        reports = _stop(drills)
        if fault == "unreachable":
            network.find()
        for timeouts, report in reports.items():
            hurt = max(report.shards, key=lambda shard: shard.writes.longest_gap_seconds)
            ended = hurt.writes.longest_gap_ended
            result = results.setdefault((fault, timeouts), Result())
            result.late.append(float("inf") if ended is None else ended - answered)
            result.errors.append(sum(hurt.writes.errors.values()))
            result.longest_call.append(hurt.writes.longest_call_seconds)
        return answered - broken


def _stop(drills: dict[ClientTimeouts, Drill]) -> dict[ClientTimeouts, DrillReport]:
    reports: dict[ClientTimeouts, DrillReport] = {}

    def stop(timeouts: ClientTimeouts, drill: Drill) -> None:
        reports[timeouts] = drill.stop()

    threads = [threading.Thread(target=stop, args=pair) for pair in drills.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reports


def table(results: dict[tuple[str, ClientTimeouts], Result]) -> str:
    """A Markdown table with a row per setting and a group of columns per fault."""
    heads = [f"{fault}: {what}" for fault in FAULTS for what in ("late (s)", "longest call (s)", "errors")]
    lines = ["| timeout (s) | retries | " + " | ".join(heads) + " |", "| --- " * (2 + len(heads)) + "|"]
    for timeouts in grid():
        cells = [f"{timeouts.answer:g}", str(timeouts.retries)]
        for fault in FAULTS:
            result = results[fault, timeouts]
            late = f"{statistics.median(result.late):.2f} (max {max(result.late):.2f})"
            cells += [late, f"{max(result.longest_call):.1f}", f"{statistics.median(result.errors):.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(results: dict[tuple[str, ClientTimeouts], Result]) -> str:
    """An SVG plot of the worst delay by timeout, with a line for each fault and number of retries."""
    width, height, left, bottom, highest = 640, 360, 60, 310, 6.0
    colours: dict[str, str] = dict(zip(FAULTS, ("#4c78a8", "#e45756", "#54a24b"), strict=True))

    def at(timeout: float, late: float) -> tuple[float, float]:
        return left + timeout / 6.0 * (width - left - 150), bottom - min(late, highest) / highest * (bottom - 20)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for mark in range(7):
        (x, _), (_, y) = at(mark, 0), at(0, mark)
        parts.append(f'<line x1="{left}" y1="{y:.0f}" x2="{width - 150}" y2="{y:.0f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{mark}</text>')
        parts.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{mark}</text>')
    parts.append(f'<text x="{left}" y="{height - 8}">timeout of connecting and answering (s)</text>')
    parts.append(f'<text x="{left}" y="14">first write after the new primary took one, worst of all runs (s)</text>')
    for row, (fault, retries) in enumerate((fault, retries) for fault in FAULTS for retries in RETRIES):
        points = [at(t, max(results[fault, ClientTimeouts(t, t, retries)].late)) for t in TIMEOUTS]
        dash = "" if retries else ' stroke-dasharray="5 4"'
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colours[fault]}" stroke-width="2"{dash}/>')
        y = 40 + 20 * row
        parts.append(
            f'<line x1="{width - 140}" y1="{y}" x2="{width - 115}" y2="{y}" stroke="{colours[fault]}"{dash} '
            f'stroke-width="2"/><text x="{width - 110}" y="{y + 4}">{fault}, {retries} retries</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Measure and print the table; with file names, write the plot, and write the table between its marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", type=Path)
    parser.add_argument("picture", nargs="?", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--inside", action="store_true", help="the process already runs in its own network namespace")
    arguments = parser.parse_args()
    if not arguments.inside:
        command = [*own_network(), sys.executable, *sys.argv, "--inside"]
        os.execvp(command[0], command)
    results: dict[tuple[str, ClientTimeouts], Result] = {}
    with RoutedNetwork() as network:
        replaced = [
            f"{fault} {measure(fault, network, results):.1f}" for _ in range(arguments.repeat) for fault in FAULTS
        ]
    text = (
        f"{find_engine()}, node timeout {NODE_TIMEOUT:g} s, {arguments.repeat} runs of each fault; the engines "
        f"replaced the primary after (s): {', '.join(replaced)}.\n\n{table(results)}"
    )
    print(text)
    if arguments.page:
        before, _, rest = arguments.page.read_text().partition("<!-- measured -->")
        after = rest.partition("<!-- end -->")[2]
        arguments.page.write_text(f"{before}<!-- measured -->\n{text}\n<!-- end -->{after}")
    if arguments.picture:
        arguments.picture.write_text(plot(results))


if __name__ == "__main__":
    main()
