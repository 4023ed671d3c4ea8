"""A workspace: one temporary directory, and all the processes that run in it.

Nothing that is started in a workspace outlives its owner. When the owner ends, the keeper (see ``_keeper``) ends all
that runs in the workspace and deletes it. A keeper that is killed is replaced. Where owner and keeper are killed at
once, the kernel ends what the owner started (see ``_spawning``), and the next start deletes the files.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from cdk_redis_local._core.keeper import LOCK, MARK, NotOurOwnError, open_own_directory, sweep
from cdk_redis_local._core.spawning import start_bound

_PREFIX = "cdk-redis-local-"
# Before a keeper that was killed is replaced: somebody may be killing all that we have, one after another.
_REPLACE_SECONDS = 0.1


class Workspace:
    """One temporary directory and the processes started in it, gone together.

    The directory is made at once. Leaving the ``with`` block, :meth:`close`, or the death of this process in
    whatever way ends all the processes and removes the directory. What an earlier process could not clean
    up (the machine's memory ran out, somebody killed its keeper as well) is removed first, if it is a directory that
    belongs to us alone. Linux only.
    """

    def __init__(self) -> None:
        """Make the directory and start its keeper."""
        _remove_abandoned()
        # Named before it is made: whenever this is interrupted, we know what to remove.
        self.path = Path(tempfile.gettempdir()).resolve() / f"{_PREFIX}{secrets.token_hex(8)}"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._keeper: _Keeper | None = None
        try:
            self.path.mkdir(mode=0o700)
            directory = open_own_directory(str(self.path))
            self._keeper = _Keeper(directory, _hold_lock(directory))
        except BaseException:
            _remove(self.path)
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
        process = start_bound(
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
        self._keeper.finish()
        for process in self._processes:
            process.wait()
        self._processes.clear()


class _Keeper:
    """The keeper's process, seen from the owner: replaced when it is killed, and told when to clean up."""

    def __init__(self, directory: int, lock: int) -> None:
        # The owner keeps both open: the death of a keeper is no reason to take the workspace for abandoned.
        self._directory = directory
        self._lock = lock
        self._finishing = threading.Event()
        self._process = self._start()
        self._watch = threading.Thread(target=self._replace_when_killed, name="keeper", daemon=True)
        self._watch.start()

    def finish(self) -> None:
        """End the processes and remove the directory. A second call does nothing."""
        if self._directory < 0:
            return
        self._finishing.set()
        _let_go(self._process)
        self._watch.join()
        # One that was started while we said so has not heard it.
        _let_go(self._process)
        if self._process.wait():  # killed while it cleaned up
            sweep(self._directory)
        os.close(self._lock)
        os.close(self._directory)
        self._directory = -1

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py")), str(self._directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # The keeper shares the lock, so a directory is locked for as long as somebody looks after it.
            pass_fds=[self._directory, self._lock],
            start_new_session=True,
            cwd="/",
        )

    def _replace_when_killed(self) -> None:
        while not self._finishing.is_set():
            self._process.wait()
            if self._finishing.wait(_REPLACE_SECONDS):
                return
            # Without memory for a process there may be some in a moment; until then, a start finds the lock held.
            with contextlib.suppress(OSError):
                self._process = self._start()


def _let_go(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin
    keeper.stdin.close()


def _hold_lock(directory: int) -> int:
    # Locked before it gets its name, so that nobody finds the file of a living workspace unlocked.
    unnamed = f"{LOCK}.new"
    descriptor = os.open(unnamed, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600, dir_fd=directory)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.rename(unnamed, LOCK, src_dir_fd=directory, dst_dir_fd=directory)
    return descriptor


def _remove(path: Path) -> None:
    # Not made yet, or somebody else's.
    with contextlib.suppress(NotOurOwnError):
        directory = open_own_directory(str(path))
        try:
            sweep(directory)
        finally:
            os.close(directory)


def _remove_abandoned() -> None:
    folder = os.open(tempfile.gettempdir(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in os.listdir(folder):  # noqa: PTH208 - of what is open, whatever its path leads to by now
            if name.startswith(_PREFIX):
                # Not of another person, and not one that is being made or removed right now.
                with contextlib.suppress(NotOurOwnError, FileNotFoundError, BlockingIOError):
                    _remove_if_abandoned(name, folder)
    finally:
        os.close(folder)


def _remove_if_abandoned(name: str, folder: int) -> None:
    directory = open_own_directory(name, folder)
    try:
        lock = os.open(LOCK, os.O_RDWR | os.O_NOFOLLOW, dir_fd=directory)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sweep(directory)
        finally:
            os.close(lock)
    finally:
        os.close(directory)
