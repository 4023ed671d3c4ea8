"""The parser of ``cdk-redis``, and the choice of the command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import metadata

from cdk_redis_runtime._client.credentials import CredentialsUnavailableError
from cdk_redis_runtime._client.reading import SettingsError
from cdk_redis_runtime._command import connect, drill, report, smoke, token
from cdk_redis_runtime._command.options import COULD_NOT_RUN, UsageError

_COMMANDS = {
    "smoke": (smoke, "check that a store works and is as declared"),
    "report": (report, "print the last report of a smoke test or a failover drill"),
    "drill": (drill, "start a failover drill, follow it, and print its report"),
    "connect": (connect, "sign in with valkey-cli or redis-cli, or print the command that does"),
    "token": (token, "print an IAM token, the password of an IAM user for 15 minutes"),
}
# Commands of other distributions. Each takes the arguments behind its name, and returns the exit code.
_ENTRY_POINTS = "cdk_redis.commands"
_ADDED = ("adopt", "guard")
_EPILOG = (
    "The package cdk-redis adds the commands adopt, which prints the code for a store that exists, and guard, which "
    "says what a deployment would replace."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: Default: - those of the process.

    Returns:
        The exit code: 0 success, 1 the smoke test or the drill failed, 2 the command could not run.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _ADDED:
        return _run_added(given[0], given[1:])
    # What follows "--" is for another program.
    end = given.index("--") if "--" in given else len(given)
    options = _parser().parse_args(given[:end])
    try:
        if given[end:] and options.command != "connect":
            raise UsageError(f"arguments after -- are for connect; {options.command} takes none")
        options.arguments = given[end + 1 :]
        return _COMMANDS[options.command][0].run(options)
    except (UsageError, SettingsError, CredentialsUnavailableError) as error:
        print(f"cdk-redis: {error}", file=sys.stderr)
        return COULD_NOT_RUN


def _run_added(name: str, arguments: Sequence[str]) -> int:
    # Loaded only here: it imports the CDK, which takes seconds.
    for command in metadata.entry_points(group=_ENTRY_POINTS, name=name):
        return command.load()(arguments)
    print(f"cdk-redis: the command {name} needs the package cdk-redis: pip install cdk-redis", file=sys.stderr)
    return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cdk-redis", description="Tests and reaches Redis-compatible stores on AWS.", epilog=_EPILOG
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(command)
    return parser
