"""The command ``cdk-redis smoke``: the smoke test from a workstation, a bastion or a CI job.

Exits with 0 if the test passed, 1 if it failed, 2 if it could not run, 130 after Ctrl-C and 143 after SIGTERM. In each
case it first deletes the keys that it wrote.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from redis.credentials import CredentialProvider, UsernamePasswordCredentialProvider

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.reading import host_and_port, whole_number
from cdk_redis_runtime._client.settings import Address, Connection, Declaration
from cdk_redis_runtime._smoke_test.battery import smoke_test
from cdk_redis_runtime._smoke_test.report import CheckResult, Report

PASSED, FAILED, COULD_NOT_RUN = 0, 1, 2
_SECRET_ARN = "arn:"  # noqa: S105 - how an ARN begins


class UsageError(Exception):
    """The arguments do not describe a test that can run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Default: - those of the process.

    Returns:
        The exit code: 0 passed, 1 failed, 2 could not run.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        connection, credentials = _connection(options)
        report = _run(connection, _declaration(options), credentials, as_json=options.json)
    except UsageError as error:
        print(f"cdk-redis: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    return PASSED if report.passed else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cdk-redis", description="Tests Redis-compatible stores on AWS.")
    smoke = parser.add_subparsers(dest="command", required=True).add_parser(
        "smoke", help="check that a store works and is as declared", description=__doc__
    )
    smoke.add_argument(
        "--host", type=_host, required=True, help="configuration endpoint, or primary endpoint: a name or an IP address"
    )
    smoke.add_argument("--port", type=_whole_number(1, 65535), default=6379)
    smoke.add_argument(
        "--reader", type=_host_and_port, metavar="HOST[:PORT]", help="reader endpoint, without cluster mode"
    )
    smoke.add_argument("--tls", action=argparse.BooleanOptionalAction, default=True)
    smoke.add_argument("--cluster", action="store_true", help="cluster mode is on")
    smoke.add_argument("--user", help="user to sign in as; default: no authentication")
    how = smoke.add_mutually_exclusive_group()
    how.add_argument(
        "--iam", metavar="STORE", help="sign an IAM token for this replication group, serverless cache or cluster"
    )
    how.add_argument(
        "--password-from", metavar="ENV|SECRET", help="environment variable, or ARN of a secret, with the password"
    )
    smoke.add_argument("--region", help="AWS Region of the store; default: AWS_REGION")
    smoke.add_argument("--service", choices=[env.ELASTICACHE, env.MEMORYDB], default=env.ELASTICACHE)
    _add_declaration(smoke)
    smoke.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _add_declaration(smoke: argparse.ArgumentParser) -> None:
    smoke.add_argument("--engine", choices=["valkey", "redis"], default="valkey")
    smoke.add_argument("--engine-version", type=_version, default="8", help="as precise as it matters; default: 8")
    smoke.add_argument(
        "--serverless",
        action="store_true",
        help="an ElastiCache serverless cache: cluster mode is on, and the service chooses shards and replicas",
    )
    smoke.add_argument("--shards", type=_whole_number(1, 500), help="default: 1")
    smoke.add_argument("--replicas", type=_whole_number(0, 5), help="replicas of each shard; default: 0")
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


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            return whole_number(text, low, high)
        except ValueError as error:
            # The parser replaces the message of a plain ValueError.
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


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


def _host(text: str) -> str:
    with contextlib.suppress(ValueError):
        host, port = host_and_port(text)
        if port is None:
            return host
    raise argparse.ArgumentTypeError(f"got {text!r}, allowed is a host name or an IP address; --port takes the port")


def _version(text: str) -> str:
    if re.fullmatch(r"\d+(\.\d+)*", text):
        return text
    raise argparse.ArgumentTypeError(f"got {text!r}, allowed are numbers with points between them: 8, 7.1 or 7.0.15")


def _key_prefix(text: str) -> str:
    if text:
        return text
    raise argparse.ArgumentTypeError("got '', a prefix is needed so that the test touches no other keys")


def _connection(options: argparse.Namespace) -> tuple[Connection, CredentialProvider | None]:
    source: str | None = options.password_from
    reader: tuple[str, int | None] | None = options.reader
    if (options.user is None) != (options.iam is None and source is None):
        raise UsageError("--user needs --iam or --password-from, and they need --user")
    _check_serverless(options)
    region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    is_secret = source is not None and source.startswith(_SECRET_ARN)
    if (options.iam or is_secret) and not region:
        raise UsageError("--region is needed, or AWS_REGION")
    kind = env.AUTHENTICATION_IAM if options.iam else env.AUTHENTICATION_PASSWORD
    connection = Connection(
        service=options.service,
        store=options.iam or options.host,
        host=options.host,
        port=options.port,
        reader=reader and Address(reader[0], reader[1] or options.port),
        tls=options.tls,
        cluster_mode=options.cluster or options.serverless,
        authentication=kind if options.user else env.AUTHENTICATION_NONE,
        user=options.user,
        secret_arn=source if is_secret else None,
        region=region,
        serverless=options.serverless,
    )
    if source is None or is_secret:
        return connection, None
    if not os.environ.get(source):
        # Not quoted, because it may be the password itself.
        raise UsageError(
            "--password-from: the value is neither the name of an environment variable that is set nor the ARN of a "
            "secret; give one of the two, never the password itself"
        )
    return connection, UsernamePasswordCredentialProvider(options.user, os.environ[source])


def _check_serverless(options: argparse.Namespace) -> None:
    if not options.serverless:
        return
    if options.service != env.ELASTICACHE:
        raise UsageError(f"--serverless is for --service {env.ELASTICACHE}: {options.service} has no serverless stores")
    if options.shards is not None or options.replicas is not None:
        raise UsageError("--serverless cannot be combined with --shards or --replicas: the service chooses them")
    if options.reader is not None or not options.tls:
        raise UsageError(
            "--serverless cannot be combined with --reader or --no-tls: a serverless cache has TLS and cluster mode"
        )


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
