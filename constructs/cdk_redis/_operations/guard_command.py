"""``cdk-redis guard OLD NEW``: fails if a deployment would replace or remove a store."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._operations.guard import cannot_compare, compare, describe

REPLACES, FAILED = 1, 2
# The CDK CLI sets it: templates then have the path of each construct.
_PATHS = "aws:cdk:enable-path-metadata"

_DESCRIPTION = """\
Compares what is deployed with what is to be deployed, and says for each store, and for each resource that its data
depends on, whether it changes in place or is replaced, which property causes it, what happens to the data, and how to
avoid it.

OLD and NEW are each a folder with a cloud assembly (cdk.out), a template file in JSON, a folder with a cdk.json, or a
git revision of this folder. Of the last two the app is synthesized, with the packages that are installed now.
"""
_EPILOG = "exit code: 0 nothing is replaced or removed, 1 something is, 2 the comparison failed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Arguments behind ``guard``. Default: - those of the process.

    Returns:
        0, 1 if a resource is replaced or removed, 2 if the templates cannot be compared.
    """
    parser = argparse.ArgumentParser(
        "cdk-redis guard",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", help="what is deployed, such as main or cdk.out.deployed")
    parser.add_argument("new", nargs="?", default=".", help="what is to be deployed (default: this folder)")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="LOGICAL_ID", help="may be replaced or removed; repeatable"
    )
    given = parser.parse_args(arguments)
    try:
        with contextlib.ExitStack() as stack:
            old, new = (stack.enter_context(_templates(one)) for one in (given.old, given.new))
            changes = compare(old, new)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return FAILED
    for change in changes:
        print(describe(change))
    ended = [one for one in changes if one.effect.ends_resource and one.logical_id not in given.allow]
    print(f"{len(ended)} replaced or removed, {len(changes) - len(ended)} other changes")
    return REPLACES if ended else 0


@contextlib.contextmanager
def _templates(given: str) -> Generator[Path, None, None]:
    """The cloud assembly or the template file that an argument names, synthesized if need be."""
    path = Path(given)
    if path.is_file() or (path / "manifest.json").is_file():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="cdk-redis-guard-") as temporary:
        folder = path if path.is_dir() else _checkout(given, Path(temporary) / "source")
        output = Path(temporary) / "cdk.out"
        _synthesize(folder, output, given)
        yield output


def _checkout(revision: str, target: Path) -> Path:
    """The files of this folder in a git revision, copied: the repository and its work tree stay as they are."""
    prefix = _git("rev-parse", "--show-prefix", what=revision).decode().strip()
    commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", what=revision).decode().strip()
    archive = target.with_suffix(".tar")
    top = _git("rev-parse", "--show-toplevel", what=revision).decode().strip()
    _git("-C", top, "archive", "--format=tar", f"--output={archive}", commit, what=revision)
    with tarfile.open(archive) as files:
        files.extractall(target, filter="data") if hasattr(tarfile, "data_filter") else files.extractall(target)  # noqa: S202
    folder = target / prefix
    # What npm installed is not in git.
    if (modules := Path("node_modules")).is_dir() and not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(modules.resolve())
    return folder


def _git(*arguments: str, what: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise cannot_compare(
            f"{what} is no file and no folder, and git is not installed to look for a revision"
        ) from None
    if done.returncode != 0:
        raise cannot_compare(
            f"{what} is no cloud assembly, no template file, no folder with a cdk.json and no git revision"
        ) from None
    return done.stdout


def _synthesize(folder: Path, output: Path, what: str) -> None:
    """Run the app as the CDK CLI does: the context and the output folder are in its environment."""
    try:
        settings = json.loads((folder / "cdk.json").read_text())
        command = shlex.split(settings["app"])
    except FileNotFoundError:
        raise cannot_compare(f"{what} has no cdk.json in this folder") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise cannot_compare(f"the cdk.json of {what} is not JSON with an `app`") from None
    context = {_PATHS: True, **settings.get("context", {})}
    if (cached := folder / "cdk.context.json").is_file():
        context |= json.loads(cached.read_text())
    environment = {**os.environ, "CDK_OUTDIR": str(output.resolve()), "CDK_CONTEXT_JSON": json.dumps(context)}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise cannot_compare(f"the app of {what}, {settings['app']!r}, cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-20:])
        raise cannot_compare(f"the app of {what}, {settings['app']!r}, failed:\n{last}")
    if not (output / "manifest.json").is_file():
        raise cannot_compare(f"the app of {what}, {settings['app']!r}, wrote no cloud assembly")
