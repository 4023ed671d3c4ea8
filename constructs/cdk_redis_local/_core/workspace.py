"""A workspace: a temporary directory and the processes that run in it.

Processes and files of a workspace do not outlive its owner. When the owner ends, the keeper (see `keeper`) ends the
processes and deletes the directory. If the keeper is killed, the owner starts another. If owner and keeper are killed
together, the kernel kills the processes that the owner started (see `spawning`), and the next start deletes the files.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from cdk_redis_local._core.errors import LocalCloudError, full_disk_explained
from cdk_redis_local._core.keeper import LOCK, MARK, NotPrivateError, open_private_directory, sweep
from cdk_redis_local._core.spawning import start_bound

_PREFIX = "cdk-redis-local-"
# Wait before replacing a killed keeper: all processes of the workspace may be being killed one after the other.
_REPLACE_SECONDS = 0.1


def require_linux() -> None:
    """Check the operating system.

    Raises:
        LocalCloudError: It is not Linux: other kernels have no ``/proc``, and do not end processes with their parent.
    """
    if platform.system() != "Linux":
        raise LocalCloudError(
            f"the local cloud needs Linux, and this is {platform.system()}: run it in a container, for example "
            '`docker run --rm -v "$PWD":/app -w /app python:3.12 sh -c "pip install \'cdk-redis[local]\' pytest && '
            'pytest"`, on Intel and on Apple silicon'
        )


def _require_temporary_folder() -> None:
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise LocalCloudError(
            "no folder for temporary files is writable (TMPDIR, /tmp, /var/tmp): set TMPDIR to one"
        ) from error


class Workspace:
    """A temporary directory and the processes started in it, which end together.

    The constructor creates the directory. Leaving the ``with`` block, :meth:`close`, or the end of this process (even
    if it is killed) ends all the processes and removes the directory. The constructor also removes private directories
    of this user that earlier processes could not remove (out of memory, or the keeper was killed too). Linux only.
    """

    @full_disk_explained()
    def __init__(self) -> None:
        """Create the directory and start its keeper."""
        require_linux()
        _require_temporary_folder()
        _remove_abandoned()
        # Set the path before creating the directory, so that an interrupt at any point knows what to remove.
        self.path = Path(tempfile.gettempdir()).resolve() / f"{_PREFIX}{secrets.token_hex(8)}"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._keeper: _Keeper | None = None
        try:
            self.path.mkdir(mode=0o700)
            directory = open_private_directory(str(self.path))
            self._keeper = _Keeper(directory, _hold_lock(directory))
        except BaseException:
            _remove(self.path)
            raise

    @classmethod
    def of_owner(cls, path: Path) -> Workspace:
        """The workspace of another process, to start processes in it; its owner ends them."""
        workspace = cls.__new__(cls)
        workspace.path = path
        workspace._processes = []
        workspace._keeper = None
        return workspace

    def __enter__(self) -> Workspace:
        """Return the workspace."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes and remove the directory."""
        self.close()

    def directory(self, name: str) -> Path:
        """A directory with this name in the workspace; creates it if it is missing."""
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
        """Start a process that ends with the workspace, in a new session.

        In a new session, the process does not get the terminal's Ctrl-C: the owner decides the order in which processes
        end.

        Args:
            command: Program and arguments.
            environment: The process's whole environment. Default: - the environment of this process.
            cwd: The working directory. Default: - the workspace's directory.
            stdin: As in ``subprocess.Popen``. Default: ``/dev/null``.
            stdout: As in ``subprocess.Popen``.
            stderr: As in ``subprocess.Popen``.
            descriptors: File descriptors that the process inherits, with the same numbers.
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
    """The owner's handle of the keeper process: replaces a killed keeper, and starts the clean-up."""

    def __init__(self, directory: int, lock: int) -> None:
        # The owner keeps the lock open too, so that a killed keeper does not make the workspace look abandoned.
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
        _release(self._process)
        self._watch.join()
        # The thread may have started another keeper in the meantime.
        _release(self._process)
        if self._process.wait():  # killed during the clean-up
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
            # The keeper inherits the lock, so a directory is locked as long as its owner or its keeper lives.
            pass_fds=[self._directory, self._lock],
            start_new_session=True,
            cwd="/",
        )

    def _replace_when_killed(self) -> None:
        while not self._finishing.is_set():
            self._process.wait()
            if self._finishing.wait(_REPLACE_SECONDS):
                return
            # Out of memory: try again later. Meanwhile, the lock protects the workspace.
            with contextlib.suppress(OSError):
                self._process = self._start()


def _release(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin
    keeper.stdin.close()


def _hold_lock(directory: int) -> int:
    # Lock the file before renaming it, so that no other process finds the file of a live workspace unlocked.
    unnamed = f"{LOCK}.new"
    descriptor = os.open(unnamed, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600, dir_fd=directory)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.rename(unnamed, LOCK, src_dir_fd=directory, dst_dir_fd=directory)
    return descriptor


def _remove(path: Path) -> None:
    # The directory may not exist yet, or belong to another user.
    with contextlib.suppress(NotPrivateError):
        directory = open_private_directory(str(path))
        try:
            sweep(directory)
        finally:
            os.close(directory)


def _remove_abandoned() -> None:
    folder = os.open(tempfile.gettempdir(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in os.listdir(folder):  # noqa: PTH208 - list the descriptor, because its path may have changed
            if name.startswith(_PREFIX):
                # Skip directories of other users, and those that are being created or removed now.
                with contextlib.suppress(NotPrivateError, FileNotFoundError, BlockingIOError):
                    _remove_if_abandoned(name, folder)
    finally:
        os.close(folder)


def _remove_if_abandoned(name: str, folder: int) -> None:
    directory = open_private_directory(name, folder)
    try:
        lock = os.open(LOCK, os.O_RDWR | os.O_NOFOLLOW, dir_fd=directory)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sweep(directory)
        finally:
            os.close(lock)
    finally:
        os.close(directory)
