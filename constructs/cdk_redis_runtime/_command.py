"""The command ``cdk-redis smoke``: the smoke test from a workstation, a bastion or a CI job.

Ends with 0 if every check passed, 1 if one failed, 2 if the test could not run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from redis.credentials import CredentialProvider, UsernamePasswordCredentialProvider

from cdk_redis_runtime import _environment as env
from cdk_redis_runtime._battery import smoke_test
from cdk_redis_runtime._report import CheckResult, Report
from cdk_redis_runtime._settings import Address, Connection, Declaration

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
    parser = argparse.ArgumentParser(prog="cdk-redis", description="Looks after Redis-compatible stores on AWS.")
    smoke = parser.add_subparsers(dest="command", required=True).add_parser(
        "smoke", help="prove that a store does what it should", description=__doc__
    )
    smoke.add_argument("--host", required=True, help="configuration endpoint, or primary endpoint")
    smoke.add_argument("--port", type=int, default=6379)
    smoke.add_argument("--reader", metavar="HOST[:PORT]", help="reader endpoint, where cluster mode is off")
    smoke.add_argument("--tls", action=argparse.BooleanOptionalAction, default=True)
    smoke.add_argument("--cluster", action="store_true", help="cluster mode is on")
    smoke.add_argument("--user", help="user to sign in as; none where the store lets everybody in")
    how = smoke.add_mutually_exclusive_group()
    how.add_argument("--iam", metavar="STORE", help="sign an IAM token for this replication group or cluster")
    how.add_argument("--password-from", metavar="ENV|SECRET", help="variable, or ARN of a secret, with the password")
    smoke.add_argument("--region", help="AWS Region of the store; default: AWS_REGION")
    smoke.add_argument("--service", choices=[env.ELASTICACHE, env.MEMORYDB], default=env.ELASTICACHE)
    smoke.add_argument("--engine", choices=["valkey", "redis"], default="valkey")
    smoke.add_argument("--engine-version", default="8", help="as precise as it matters; default: 8")
    smoke.add_argument("--shards", type=int, default=1)
    smoke.add_argument("--replicas", type=int, default=0, help="replicas of each shard")
    smoke.add_argument("--maxmemory-policy")
    smoke.add_argument("--latency-limit", type=float, default=env.DEFAULT_LATENCY_LIMIT_MS, metavar="MS")
    smoke.add_argument("--key-prefix", default=env.DEFAULT_KEY_PREFIX)
    smoke.add_argument("--budget", type=float, default=env.DEFAULT_BUDGET_SECONDS, metavar="SECONDS")
    smoke.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _connection(options: argparse.Namespace) -> tuple[Connection, CredentialProvider | None]:
    source: str | None = options.password_from
    if (options.user is None) != (options.iam is None and source is None):
        raise UsageError("--user needs --iam or --password-from, and they need --user")
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
        reader=_reader(options),
        tls=options.tls,
        cluster_mode=options.cluster,
        authentication=kind if options.user else env.AUTHENTICATION_NONE,
        user=options.user,
        secret_arn=source if is_secret else None,
        region=region,
    )
    if source is None or is_secret:
        return connection, None
    if not os.environ.get(source):
        raise UsageError(f"--password-from: the variable {source} is not set")
    return connection, UsernamePasswordCredentialProvider(options.user, os.environ[source])


def _reader(options: argparse.Namespace) -> Address | None:
    if options.reader is None:
        return None
    host, _, port = options.reader.partition(":")
    if port and not port.isdigit():
        raise UsageError(f"--reader: got {options.reader!r}, allowed is HOST or HOST:PORT")
    return Address(host, int(port or options.port))


def _declaration(options: argparse.Namespace) -> Declaration:
    return Declaration(
        engine=options.engine,
        engine_version=options.engine_version,
        shards=options.shards,
        replicas=options.replicas,
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
        raise UsageError("the table needs rich: pip install 'cdk-redis[cli]', or give --json") from None
    from cdk_redis_runtime._render import render_report

    seen: list[CheckResult] = []

    def table() -> Any:
        return render_report(Report(connection.store, connection.service, 0, tuple(seen)).as_dict())

    with Live(console=Console(), get_renderable=table, refresh_per_second=8, transient=True):
        report = smoke_test(connection, declared, credentials=credentials, on_verdict=seen.append)
    Console().print(render_report(report.as_dict()))
    return report
