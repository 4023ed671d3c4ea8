"""`runtime_code`: the code of a function that uses a store.

::

    function = lambda_.Function(
        self,
        "Counter",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="counter.handler",
        code=runtime_code("functions/counter"),
        vpc=network.vpc,
        vpc_subnets=network.subnet_selection,
    )
    cache.bind(function, user=user)
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cdk_redis._code.package import CACHE, CLIENT_PACKAGES, FILE_MODE, PROGRAM_MODE, PackageFile, client_files, code_of
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

# Files with requirements that nothing here installs.
_REQUIREMENTS = ("Pipfile", "poetry.lock", "pylock.toml", "pyproject.toml", "requirements.txt", "uv.lock")
# A folder with one of these is that of an app or of a checkout, and not that of a function.
_NOT_CODE = (".git", ".venv", "cdk.json", "cdk.out", "node_modules")
_MODULES = (".py", ".pyc", ".pyd", ".so")
_LARGEST_MB = 250


@checked_arguments
def runtime_code(folder: Path | str) -> lambda_.Code:
    """Put the code of a function together at synth: its own folder, redis-py and ``cdk_redis_runtime``.

    redis-py and ``cdk_redis_runtime`` are copied from the app's Python environment, without Docker, network or pip.
    The asset is the same on every machine that has the same files; folders named ``__pycache__`` are left out, and all
    users can read the files. Give it to a function with Python 3.11 or newer: Lambda's runtime has the AWS SDK, which
    signs IAM tokens and reads secrets.

    Args:
        folder: The folder whose contents come to the top of the asset. A relative path starts at the working directory,
            which is that of ``cdk.json`` if the CDK CLI runs the app.

    Returns:
        The code, for one or more functions of a stack.

    Raises:
        ConfigurationError: If the folder does not exist or has no Python code, or has something that does not belong
            there: files with requirements, which this function does not install; modules that Python would import
            instead of redis-py or ``cdk_redis_runtime``; links to folders; a whole CDK app; more than 250 MB, which
            Lambda rejects (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
    """
    problems = Problems("runtime_code")
    given = str(folder)
    if is_token(given):
        problems.add("folder", given, "it is a path that is known at synth", "write the path out")
        problems.raise_if_any()
    root = Path(folder)
    if not root.is_dir():
        hint = f"the working directory is {Path.cwd()}; write Path(__file__).with_name({root.name!r})"
        problems.add("folder", given, "there is no such folder", hint)
        problems.raise_if_any()
    _check_names(problems, root)
    problems.raise_if_any()
    own = _own_files(problems, root)
    problems.raise_if_any()
    files = [*own, *client_files()]
    _check_contents(problems, given, own, files)
    problems.raise_if_any()
    return code_of(files)


def _check_names(problems: Problems, root: Path) -> None:
    """Check what is directly in the folder."""
    hint = "put the code of the function into a folder of its own"
    for path in sorted(root.iterdir()):
        if path.name in _NOT_CODE:
            problems.add("folder", str(root), f"it has {path.name}, so it is not the folder of a function only", hint)
        elif path.name in _REQUIREMENTS:
            problems.add(
                "folder",
                str(root),
                f"it has {path.name}, and its requirements are not installed",
                "remove the file, or package the function with a tool that installs it, such as PythonFunction of "
                "aws-lambda-python-alpha, and add a RedisClientLayer",
            )
        elif (package := _imported_as(path)) in CLIENT_PACKAGES:
            problems.add(
                "folder",
                str(root),
                f"Python would import {path.name} instead of the package {package}",
                "rename it" if path.is_file() else "remove or rename it: runtime_code adds the package",
            )


def _imported_as(path: Path) -> str | None:
    """Name of the module that Python imports from a folder or file; None for another file."""
    if path.is_dir():
        return path.name
    return path.name.partition(".")[0] if path.suffix in _MODULES else None


def _own_files(problems: Problems, root: Path) -> list[PackageFile]:
    found: list[PackageFile] = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != CACHE)
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for path in (Path(folder, name) for name in sorted([*links, *names])):
            relative = path.relative_to(root).as_posix()
            # Follows links.
            if not path.is_file():
                kind = "a link to a folder" if path.is_dir() else "a broken link" if path.is_symlink() else "no file"
                problems.add("folder", str(root), f"{relative} is {kind}", "replace it with what belongs there")
            else:
                mode = PROGRAM_MODE if path.stat().st_mode & stat.S_IXUSR else FILE_MODE
                found.append(PackageFile(PurePosixPath(relative), path, mode))
    return found


def _check_contents(problems: Problems, given: str, own: list[PackageFile], files: list[PackageFile]) -> None:
    if not any(file.path.suffix == ".py" for file in own):
        problems.add("folder", given, "it has no .py file", "give the folder of the function's module")
    megabytes = sum(file.source.stat().st_size for file in files) / 2**20
    if megabytes > _LARGEST_MB:
        reason = f"with the client it has {megabytes:,.0f} MB, and a function has at most {_LARGEST_MB} MB of code"
        problems.add("folder", given, reason, "leave out what the function does not need")
