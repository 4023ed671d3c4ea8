"""What the commands share: their options, and the store that these name."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable

from redis.credentials import CredentialProvider, UsernamePasswordCredentialProvider

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.reading import host_and_port, whole_number
from cdk_redis_runtime._client.settings import Address, Connection

COULD_NOT_RUN = 2
_SECRET_ARN = "arn:"  # noqa: S105 - how an ARN begins


class UsageError(Exception):
    """The arguments do not describe something that the command can do."""


def add_store(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add the options that name a store and how to sign in.

    Args:
        parser: Of one command.
        required: Whether ``--host`` must be given.
    """
    parser.add_argument(
        "--host", type=host, required=required, help="configuration endpoint, or primary endpoint: a name or an address"
    )
    parser.add_argument("--port", type=whole_number_from(1, 65535), default=6379)
    parser.add_argument("--tls", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--cluster", action="store_true", help="cluster mode is on")
    parser.add_argument(
        "--serverless", action="store_true", help="an ElastiCache serverless cache, which has cluster mode on"
    )
    parser.add_argument("--user", help="user to sign in as; default: no authentication")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--iam", metavar="STORE", help="sign an IAM token for this replication group, serverless cache or cluster"
    )
    how.add_argument(
        "--password-from", metavar="ENV|SECRET", help="environment variable, or ARN of a secret, with the password"
    )
    parser.add_argument("--region", help="AWS Region of the store; default: AWS_REGION")
    parser.add_argument("--service", choices=[env.ELASTICACHE, env.MEMORYDB], default=env.ELASTICACHE)


def whole_number_from(low: int, high: int) -> Callable[[str], int]:
    """A type of argument: a whole number within bounds."""

    def read(text: str) -> int:
        try:
            return whole_number(text, low, high)
        except ValueError as error:
            # The parser replaces the message of a plain ValueError.
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def host(text: str) -> str:
    """A type of argument: a host name or an IP address, without a port."""
    with contextlib.suppress(ValueError):
        found, port = host_and_port(text)
        if port is None:
            return found
    raise argparse.ArgumentTypeError(f"got {text!r}, allowed is a host name or an IP address; --port takes the port")


def region_of(options: argparse.Namespace) -> str | None:
    """The Region in the options, or that of the environment."""
    return options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def connection_of(
    options: argparse.Namespace, reader: tuple[str, int | None] | None = None
) -> tuple[Connection, CredentialProvider | None]:
    """How to connect, according to the options of `add_store`.

    Args:
        options: From the parser.
        reader: Host and port of the reader endpoint.

    Returns:
        The settings, and the password if it is in an environment variable: settings hold no password.

    Raises:
        UsageError: The options contradict each other, or one is missing.
    """
    source: str | None = options.password_from
    if (options.user is None) != (options.iam is None and source is None):
        raise UsageError("--user needs --iam or --password-from, and they need --user")
    region = region_of(options)
    is_secret = source is not None and source.startswith(_SECRET_ARN)
    if (options.iam or is_secret) and not region:
        raise UsageError("--region is needed, or AWS_REGION")
    kind = env.AUTHENTICATION_IAM if options.iam else env.AUTHENTICATION_PASSWORD
    connection = Connection(
        service=options.service,
        store=options.iam or options.host,
        host=options.host or "",
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


def check_serverless(options: argparse.Namespace) -> None:
    """Refuse what no serverless cache has.

    Raises:
        UsageError: For MemoryDB, or without TLS.
    """
    if not options.serverless:
        return
    if options.service != env.ELASTICACHE:
        raise UsageError(f"--serverless is for --service {env.ELASTICACHE}: {options.service} has no serverless stores")
    if not options.tls:
        raise UsageError("--serverless cannot be combined with --no-tls: a serverless cache has TLS")
