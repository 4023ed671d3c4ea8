"""``cdk-redis-local``: a local AWS for the CDK CLI, with real engines.

cdk-redis-local up                    runs until Ctrl-C, and prints the environment variables to set
cdk-redis-local run -- COMMAND...     runs a command with these environment variables
cdk-redis-local demo [-c key=value]   deploys the app in this directory, shows its smoke tests, destroys it
cdk-redis-local break STORE FAULT     injects a fault into a running store, in the environment of up or run
cdk-redis-local repair STORE FAULT    takes it back
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shlex
import shutil
import signal
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from types import FrameType

from rich.console import Console

from cdk_redis_local._cloud import ACCOUNT, LocalCloud
from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._core.keeper import MARK
from cdk_redis_local._core.spawning import start_bound
from cdk_redis_local._demo import Demo, Narrator
from cdk_redis_local._emulator import own_calls
from cdk_redis_local._emulator.faults import FAULTS, STORE_FAULTS
from cdk_redis_local._testing.deploys import Deploys

_INTERRUPTED = 130
_END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Variables that another shell needs to use the local cloud.
_SHOWN = (
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "SSL_CERT_FILE",
    "NO_PROXY",
    "no_proxy",
)
# Variables of a request to the local cloud.
_NEEDED = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_STORE_ACTIONS = {"break": "BreakStore", "repair": "RepairStore"}
# Variables that would take precedence over these in another shell.
_UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=options.command == "run")
    # All these signals act like Ctrl-C. Set SIGINT too, because a shell makes background jobs ignore it.
    before = {number: signal.signal(number, _interrupt) for number in _END_SIGNALS}
    try:
        return _run(options, console)
    except LocalCloudError as error:
        print(f"cdk-redis-local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted. The local cloud has stopped.")
        return _INTERRUPTED
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _run(options: argparse.Namespace, console: Console) -> int:
    if options.command in _STORE_ACTIONS:
        return _call_store(options.command, options.store, options.fault)
    cloud = LocalCloud(faults=options.fault, region=options.region, say=Narrator(console), stand_in=options.stand_in)
    console.print(f"[bold cyan]==>[/] Starting the local cloud with {cloud.engine}")
    for fault in options.fault:
        console.print(f"[bold yellow]Fault {fault}[/]: {FAULTS[fault]}")
    with cloud:
        if options.command == "demo":
            code = Demo(cloud, console, Path.cwd(), _context(options.context, cloud)).run()
            console.print("\n[bold cyan]==>[/] Stopping the local cloud")
            return code
        if options.bootstrap:
            Deploys(cloud).bootstrap()
        if options.command == "run":
            return _command(options.words, cloud)
        with _env_file(options.env_file, cloud):
            return _up(cloud, console, bootstrapped=options.bootstrap)


def _call_store(command: str, store: str, fault: str) -> int:
    missing = [name for name in _NEEDED if name not in os.environ]
    if missing:
        raise LocalCloudError(f"{command} needs the environment of `up` or `run`; not set: {', '.join(missing)}")
    which = {"Store": store, "Service": None, "Region": None, "Fault": fault}
    own_calls.call(os.environ, _STORE_ACTIONS[command], **which)
    return 0


def _command(words: Sequence[str], cloud: LocalCloud) -> int:
    if shutil.which(words[0], path=cloud.environment["PATH"]) is None:
        raise LocalCloudError(f"cannot run {words[0]}: the program was not found")
    # In this process's session, so that the command can use the terminal; with the workspace's mark, so that processes
    # that it leaves running end with the cloud.
    return cloud.wait_for(start_bound(words, env={**cloud.environment, MARK: str(cloud.workspace.path)}))


@contextlib.contextmanager
def _env_file(path: Path | None, cloud: LocalCloud) -> Generator[None]:
    """A file with the variables, one a line, as long as the cloud runs; only its owner can read it."""
    if path is None:
        yield
        return
    text = "".join(f"{name}={cloud.environment[name]}\n" for name in _SHOWN)
    try:
        # Another name first: whoever waits for the file finds it whole.
        written = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        written.touch(mode=0o600, exist_ok=False)
        written.write_text(text)
        written.replace(path)
    except OSError as error:
        raise LocalCloudError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield
    finally:
        # Another cloud may have replaced it.
        with contextlib.suppress(OSError):
            if path.read_text() == text:
                path.unlink()


def _up(cloud: LocalCloud, console: Console, *, bootstrapped: bool) -> int:
    console.print("\nRun these commands in another shell:\n")
    print(f"unset {' '.join(_UNSET)}")
    for name in _SHOWN:
        print(f"export {name}={shlex.quote(cloud.environment[name])}")
    print("" if bootstrapped else f"\ncdk bootstrap aws://{ACCOUNT}/{cloud.region}\n", flush=True)
    console.print("Ctrl-C stops the local cloud and all its stores.")
    cloud.wait()
    return 0


def _context(given: Sequence[str], cloud: LocalCloud) -> dict[str, str]:
    context = {"env": "local", "engine": f"{cloud.engine.name}:{cloud.engine.major_minor}"}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals:
            raise LocalCloudError(f"-c must be key=value, not {item}")
        context[key] = value
    return context


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cdk-redis-local", description="A local AWS for the CDK CLI, with real engines over TLS."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run until Ctrl-C, and print the environment variables to set")
    run = commands.add_parser("run", help="run a command with these variables: run -- cdk deploy ...")
    demo = commands.add_parser("demo", help="deploy the app in this directory, show its smoke tests, destroy it")
    for command in (up, run, demo):
        command.add_argument("--region", default="us-east-1", help="the simulated Region (default: %(default)s)")
        command.add_argument(
            "--fault", action="append", default=[], metavar="NAME", help=f"inject this fault: {', '.join(FAULTS)}"
        )
        command.add_argument(
            "--stand-in", action="store_true", help="let an engine of this machine run in place of one that it lacks"
        )
    for command in (up, run):
        command.add_argument("--bootstrap", action="store_true", help="create the stack of `cdk bootstrap`, too")
    up.add_argument(
        "--env-file", type=Path, metavar="FILE", help="write the variables to this file, one a line, while it runs"
    )
    for name, text in (("break", "inject a fault into a running store"), ("repair", "take a fault back")):
        command = commands.add_parser(name, help=f"{text}, in the environment of up or run")
        command.add_argument("store", metavar="STORE", help="replication group id, cluster or cache name")
        command.add_argument("fault", metavar="FAULT", help=f"one of {', '.join(STORE_FAULTS)}")
    run.add_argument("words", nargs="+", metavar="COMMAND", help="the command and its arguments, after --")
    demo.add_argument(
        "-c", "--context", action="append", default=[], metavar="KEY=VALUE", help="context for the app, as for cdk"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
