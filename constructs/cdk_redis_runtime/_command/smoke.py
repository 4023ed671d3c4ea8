"""The command ``cdk-redis smoke``: the smoke test from a workstation, a bastion or a CI job.

Exits with 0 if the test passed, 1 if it failed, 2 if it could not run, 130 after Ctrl-C and 143 after SIGTERM. In each
case it first deletes the keys that it wrote.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

from redis.credentials import CredentialProvider

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.reading import host_and_port
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._command.options import (
    UsageError,
    add_store,
    check_serverless,
    connection_of,
    whole_number_from,
)
from cdk_redis_runtime._smoke_test.battery import smoke_test
from cdk_redis_runtime._smoke_test.declaration import Declaration
from cdk_redis_runtime._smoke_test.report import CheckResult, Report

PASSED, FAILED = 0, 1


def add_arguments(smoke: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_store(smoke, required=True)
    smoke.add_argument(
        "--reader", type=_host_and_port, metavar="HOST[:PORT]", help="reader endpoint, without cluster mode"
    )
    _add_declaration(smoke)
    smoke.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the smoke test, and print its report.

    Returns:
        The exit code: 0 passed, 1 failed.

    Raises:
        UsageError: The options do not describe a test that can run.
    """
    _check_serverless(options)
    connection, credentials = connection_of(options, options.reader)
    report = _run(connection, _declaration(options), credentials, as_json=options.json)
    return PASSED if report.passed else FAILED


def _add_declaration(smoke: argparse.ArgumentParser) -> None:
    smoke.add_argument("--engine", choices=["valkey", "redis"], default="valkey")
    smoke.add_argument("--engine-version", type=_version, default="8", help="as precise as it matters; default: 8")
    smoke.add_argument("--shards", type=whole_number_from(1, 500), help="default: 1")
    smoke.add_argument("--replicas", type=whole_number_from(0, 5), help="replicas of each shard; default: 0")
    smoke.add_argument("--maxmemory-policy")
    smoke.add_argument(
        "--latency-limit",
        type=_number(1, 60_000),
        default=env.DEFAULT_LATENCY_LIMIT_MS,
        metavar="MS",
        help="longest median round trip; default: %(default)s",
    )
    smoke.add_argument("--key-prefix", type=_key_prefix, default=env.DEFAULT_KEY_PREFIX)
    smoke.add_argument(
        "--budget",
        type=_number(1, 900),
        default=env.DEFAULT_BUDGET_SECONDS,
        metavar="SECONDS",
        help="longest duration of the test; default: %(default)s",
    )


def _number(low: int, high: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        with contextlib.suppress(ValueError):
            # NaN compares as false, too.
            if low <= (number := float(text)) <= high:
                return number
        raise argparse.ArgumentTypeError(f"got {text!r}, allowed is a number from {low} to {high}")

    return read


def _host_and_port(text: str) -> tuple[str, int | None]:
    try:
        return host_and_port(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _version(text: str) -> str:
    if re.fullmatch(r"\d+(\.\d+)*", text):
        return text
    raise argparse.ArgumentTypeError(f"got {text!r}, allowed are numbers with points between them: 8, 7.1 or 7.0.15")


def _key_prefix(text: str) -> str:
    if text:
        return text
    raise argparse.ArgumentTypeError("got '', a prefix is needed so that the test touches no other keys")


def _check_serverless(options: argparse.Namespace) -> None:
    check_serverless(options)
    if not options.serverless:
        return
    if options.shards is not None or options.replicas is not None:
        raise UsageError("--serverless cannot be combined with --shards or --replicas: the service chooses them")
    if options.reader is not None:
        raise UsageError("--serverless cannot be combined with --reader: a serverless cache has cluster mode")


def _declaration(options: argparse.Namespace) -> Declaration:
    return Declaration(
        engine=options.engine,
        engine_version=options.engine_version,
        shards=None if options.serverless else options.shards or 1,
        replicas=None if options.serverless else options.replicas or 0,
        key_prefix=options.key_prefix,
        budget=options.budget,
        maxmemory_policy=options.maxmemory_policy,
        latency_limit_ms=options.latency_limit,
    )


def _run(
    connection: Connection, declared: Declaration, credentials: CredentialProvider | None, *, as_json: bool
) -> Report:
    if as_json:
        report = smoke_test(connection, declared, credentials=credentials)
        print(json.dumps(report.as_dict(), indent=2))
        return report
    try:
        from rich.console import Console
        from rich.live import Live
    except ImportError:
        raise UsageError("the table needs rich: pip install 'cdk-redis-runtime[cli]', or give --json") from None
    from cdk_redis_runtime._smoke_test.render import render_report

    seen: list[CheckResult] = []

    def table() -> Any:
        return render_report(Report(connection.store, connection.service, 0, tuple(seen)).as_dict())

    console = Console()
    try:
        with Live(console=console, get_renderable=table, refresh_per_second=8, transient=True):
            report = smoke_test(connection, declared, credentials=credentials, on_verdict=seen.append)
    finally:
        # A signal may arrive while the live table is removed.
        console.show_cursor()
    console.print(render_report(report.as_dict()))
    return report
