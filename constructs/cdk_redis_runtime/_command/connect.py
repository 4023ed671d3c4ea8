"""Sign in to a store with valkey-cli or redis-cli, over TLS; what follows -- is for that program.

  cdk-redis connect --record /orders/cache
  cdk-redis connect --stack Orders -- GET app:1
  cdk-redis connect --record /orders/cache --print

Runs the program unless --print is given. The IAM token or the password is in its environment (VALKEYCLI_AUTH and
REDISCLI_AUTH), never among its arguments, which every user of the machine can read. A token is valid for 15 minutes:
start the command again if the program must sign in again after that.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from redis.credentials import CredentialProvider

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.settings import Connection
from cdk_redis_runtime._command.options import UsageError
from cdk_redis_runtime._command.sources import add_sources, find_store

PROGRAMS = ("valkey-cli", "redis-cli")
"""In the order of preference."""

# The second is for every version of both programs. From 9.0 on, valkey-cli prefers the first
# (https://github.com/valkey-io/valkey/pull/2334).
_VARIABLES = ("VALKEYCLI_AUTH", "REDISCLI_AUTH")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_sources(parser)
    parser.add_argument(
        "--print", action="store_true", dest="prints", help="print the command for a shell, and do not run it"
    )
    parser.add_argument(
        "--show-password", action="store_true", help="with --print: show the password or token, not how to get it"
    )
    parser.add_argument("--program", choices=PROGRAMS, help="default: valkey-cli if it is on PATH, else redis-cli")


def run(options: argparse.Namespace) -> int:
    """Replace this process with the program, or print the command.

    Returns:
        0 after printing.

    Raises:
        UsageError: The options do not name a store, or there is no program that can reach it.
        SettingsError: A record or the environment does not describe a store.
        CredentialsUnavailableError: There are no AWS credentials, or the secret cannot be read.
    """
    if options.show_password and not options.prints:
        raise UsageError("--show-password needs --print")
    connection, provider = find_store(options)
    if not connection.host:
        raise UsageError("--host is needed")
    if not options.prints:
        program = options.program or _program()
        _check_tls(program, connection)
        _replace_process(command(program, connection, options.arguments), _with_password(os.environ, provider))
    print(_line(options, connection, provider))
    return 0


def command(program: str, connection: Connection, arguments: Sequence[str]) -> list[str]:
    """The program and its arguments, without a password."""
    return [
        program,
        *("-h", connection.host, "-p", str(connection.port)),
        *(["--tls"] if connection.tls else []),
        # Follow redirections to the node that has the slot.
        *(["-c"] if connection.cluster_mode else []),
        *(["--user", connection.user] if connection.user else []),
        *arguments,
    ]


def _with_password(environment: Mapping[str, str], provider: CredentialProvider | None) -> dict[str, str]:
    found = {name: value for name, value in environment.items() if name not in _VARIABLES}
    if provider is None:
        return found
    return found | dict.fromkeys(_VARIABLES, str(provider.get_credentials()[-1]))


def _program() -> str:
    found = next((program for program in PROGRAMS if shutil.which(program)), None)
    if found is None:
        raise UsageError(
            f"neither {' nor '.join(PROGRAMS)} is on PATH; install one (Debian, Ubuntu: apt install redis-tools or "
            "valkey-tools; Amazon Linux 2023: dnf install valkey), or give --print"
        )
    return found


def _check_tls(program: str, connection: Connection) -> None:
    if not shutil.which(program):
        raise UsageError(f"{program} is not on PATH")
    if not connection.tls:
        return
    shown = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    if "--tls" not in shown.stdout + shown.stderr:
        raise UsageError(f"{program} was built without TLS, and the store needs it; install one that has --tls")


def _replace_process(words: list[str], environment: Mapping[str, str]) -> NoReturn:
    # Signals and the terminal are the program's from here on, and its exit code is that of the command.
    sys.stdout.flush()
    os.execvpe(words[0], words, environment)  # noqa: S606 - a list of words, without a shell


def _line(options: argparse.Namespace, connection: Connection, provider: CredentialProvider | None) -> str:
    program = options.program or next((program for program in PROGRAMS if shutil.which(program)), "valkey-cli")
    words = shlex.join(command(program, connection, options.arguments))
    if provider is None:
        return words
    if options.show_password:
        return f"{_VARIABLES[-1]}={shlex.quote(str(provider.get_credentials()[-1]))} {words}"
    return f'{_VARIABLES[-1]}="{_password_source(options, connection)}" {words}'


def _password_source(options: argparse.Namespace, connection: Connection) -> str:
    """What a shell replaces by the password."""
    region = ["--region", connection.region or ""]
    if connection.authentication == env.AUTHENTICATION_IAM:
        names = ["--service", connection.service, "--iam", connection.store, "--user", connection.user or ""]
        serverless = ["--serverless"] if connection.serverless else []
        return f"$({shlex.join(['cdk-redis', 'token', *names, *region, *serverless])})"
    if connection.secret_arn is None:
        return f"${{{options.password_from}}}"
    secret = ["--secret-id", connection.secret_arn, "--query", "SecretString", "--output", "text"]
    return f"$({shlex.join(['aws', 'secretsmanager', 'get-secret-value', *region, *secret])} | jq -r .password)"
