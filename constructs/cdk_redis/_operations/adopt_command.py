"""``cdk-redis adopt``: prints the construct for a store that exists."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from cdk_redis._operations.existing_stores import (
    NotAdoptableError,
    cluster_code,
    replication_group_code,
    serverless_cache_code,
)

FAILED = 2
_DESCRIPTION = """\
Reads a store that exists, and prints the Python code of its construct, to paste into a stack. The deployment with
--import-existing-resources then takes the store over, with its data: see docs/adoption.md.

It needs permission to describe the store and its subnets, parameter group and tags, and changes nothing.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Arguments behind ``adopt``. Default: - those of the process.

    Returns:
        0, or 2 if the store could not be read or cannot be adopted.
    """
    parser = argparse.ArgumentParser(
        "cdk-redis adopt", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    store = parser.add_mutually_exclusive_group(required=True)
    store.add_argument("--replication-group", metavar="ID", help="an ElastiCache replication group")
    store.add_argument("--serverless-cache", metavar="NAME", help="an ElastiCache serverless cache")
    store.add_argument("--cluster", metavar="NAME", help="a MemoryDB cluster")
    parser.add_argument("--region", help="AWS Region of the store; default: that of the AWS configuration")
    parser.add_argument(
        "--auth-token-secret", metavar="SECRET", help="name or ARN of the secret with the store's AUTH token"
    )
    given = parser.parse_args(arguments)
    try:
        lines = _code(given)
    except NotAdoptableError as error:
        print(f"cdk-redis adopt: {error}", file=sys.stderr)
        return FAILED
    print("\n".join(lines))
    return 0


def _code(given: argparse.Namespace) -> list[str]:
    call = _Aws(given.region)
    if given.replication_group:
        return replication_group_code(call, given.replication_group, given.auth_token_secret)
    if given.auth_token_secret:
        raise NotAdoptableError("only a replication group has an AUTH token: leave out --auth-token-secret")
    if given.serverless_cache:
        return serverless_cache_code(call, given.serverless_cache)
    return cluster_code(call, given.cluster)


class _Aws:
    """Calls AWS, and says what went wrong."""

    def __init__(self, region: str | None) -> None:
        self._region = region
        self._session: Any = _session()
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, method: str, /, **parameters: object) -> Any:
        from botocore import exceptions as aws_errors

        try:
            if service not in self._clients:
                self._clients[service] = self._session.create_client(service, region_name=self._region)
            return getattr(self._clients[service], method)(**parameters)
        except aws_errors.ClientError as error:
            details: Any = error.response.get("Error", {})
            reason = f"{details.get('Code', 'unknown')}: {details.get('Message', '')}"
            hint = "--region chooses another Region"
            raise NotAdoptableError(f"{service}:{method} failed ({reason}); {hint}") from None
        except aws_errors.NoRegionError:
            raise NotAdoptableError("--region is needed, or AWS_REGION") from None
        except aws_errors.BotoCoreError as error:
            raise NotAdoptableError(f"{service}:{method} failed ({type(error).__name__}: {error})") from None


def _session() -> Any:
    try:
        import botocore.session
    except ImportError:
        raise NotAdoptableError('it needs botocore: pip install "cdk-redis[cli]"') from None
    return botocore.session.Session()
