"""A workspace: one temporary directory, and all the processes that run in it.

Nothing that is started in a workspace outlives its owner: see ``_keeper``.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from ._keeper import MARK, sweep

_PREFIX = "cdk-redis-local-"
_LOCK = "lock"


class Workspace:
    """One temporary directory and the processes started in it, gone together.

    The directory is made at once. Leaving the ``with`` block, :meth:`close`, or the death of this process in
    whatever way ends all the processes and removes the directory. What an earlier keeper could not clean
    up (the machine's memory ran out, somebody killed the keeper as well) is removed first. Linux only.
    """

    def __init__(self) -> None:
        """Make the directory and start its keeper."""
        _remove_abandoned()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._keeper: subprocess.Popen[bytes] | None = None
        try:
            self._keeper = _start_keeper(self.path)
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    @classmethod
    def of_owner(cls, path: Path) -> Workspace:
        """The workspace of another process, to start processes in: its owner ends them."""
        workspace = cls.__new__(cls)
        workspace.path = path
        workspace._processes = []
        workspace._keeper = None
        return workspace

    def __enter__(self) -> Workspace:
        """Return the workspace itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes and remove the directory."""
        self.close()

    def directory(self, name: str) -> Path:
        """A directory of that name in the workspace, made when it is missing."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def spawn(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        descriptors: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a process that ends with the workspace, in a session of its own.

        Its own session keeps the terminal's Ctrl-C from it: the owner decides in which order things end.

        Args:
            command: Program and arguments.
            environment: Its whole environment. Default: - that of this process.
            cwd: Where it runs. Default: - the workspace's directory.
            stdin: As in ``subprocess.Popen``. Default: nothing to read.
            stdout: As in ``subprocess.Popen``.
            stderr: As in ``subprocess.Popen``.
            descriptors: Open files that the process keeps under the same numbers.
        """
        process = subprocess.Popen(
            command,
            env={**(os.environ if environment is None else environment), MARK: str(self.path)},
            cwd=cwd or self.path,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=descriptors,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """End all the processes and remove the directory. A second call does nothing."""
        if self._keeper is None:
            return
        if self._keeper.stdin and not self._keeper.stdin.closed:
            self._keeper.stdin.close()
        self._keeper.wait()
        for process in self._processes:
            process.wait()
        self._processes.clear()


def _start_keeper(directory: Path) -> subprocess.Popen[bytes]:
    lock = _hold_lock(directory)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("_keeper.py")), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # The keeper shares the lock, so a directory is locked for as long as somebody looks after it.
            pass_fds=[lock],
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(lock)


def _hold_lock(directory: Path) -> int:
    # Locked before it gets its name, so that nobody finds the file of a living workspace unlocked.
    unnamed = directory / f"{_LOCK}.new"
    descriptor = os.open(unnamed, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unnamed.rename(directory / _LOCK)
    return descriptor


def _remove_abandoned() -> None:
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(directory / _LOCK, os.O_RDWR)
        except OSError:  # another person's, or one that is being made or removed right now
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            sweep(directory.resolve())
        finally:
            os.close(descriptor)
