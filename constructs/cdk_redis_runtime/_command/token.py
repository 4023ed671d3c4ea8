"""Print one IAM token, for other tools: it is the password of an IAM user of ElastiCache or MemoryDB.

It is valid for 15 minutes, for one user of one store, and for starting any number of connections. Signing needs AWS
credentials (as the AWS CLI finds them), and no network call. Treat the token as a password.

  cdk-redis token --record /orders/cache
  cdk-redis token --iam orders --user app --region eu-west-1
  REDISCLI_AUTH="$(cdk-redis token --record /orders/cache)" redis-cli --tls -c -h HOST --user app
"""

from __future__ import annotations

import argparse

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._command.options import UsageError
from cdk_redis_runtime._command.sources import add_sources, find_store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_sources(parser)


def run(options: argparse.Namespace) -> int:
    """Print a token.

    Returns:
        0.

    Raises:
        UsageError: The options do not name an IAM user of a store.
        SettingsError: A record or the environment does not describe a store.
        CredentialsUnavailableError: There are no AWS credentials.
    """
    connection, provider = find_store(options)
    if provider is None or connection.authentication != env.AUTHENTICATION_IAM:
        user = f"the user {connection.user!r} signs in with a password" if connection.user else "no user signs in"
        raise UsageError(f"{user}: a token needs an IAM user, --user and --iam; cdk-redis connect uses passwords, too")
    print(provider.get_credentials()[-1])
    return 0
