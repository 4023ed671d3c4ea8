"""The keeper of a workspace: ends what was started in it and removes its files.

It runs as a process of its own, reads its standard input until its owner closes it or is gone (Ctrl-C,
SIGTERM, SIGKILL), then ends every process that carries the workspace's mark and deletes the directory. So
there is one way of cleaning up, and it does not depend on how the owner ended. Standard library only: it
must start in milliseconds.

The temporary folder may be shared with people who wish us ill. So a directory is judged and emptied through one
descriptor, which was opened without following a link, and only processes of our own user are ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import time
from pathlib import Path

MARK = "CDK_REDIS_LOCAL_WORKSPACE"
LOCK = "lock"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SWEEP_SECONDS = 10.0


class NotOurOwnError(Exception):
    """A path is no directory that belongs to us alone: nothing in it may be believed, ended or deleted."""


def open_own_directory(name: str, folder: int | None = None) -> int:
    """Open a directory that belongs to us alone; returns its descriptor.

    Args:
        name: Its path, or its name in ``folder``.
        folder: Descriptor of the directory that it is in. Default: - ``name`` is a path.

    Raises:
        NotOurOwnError: It is a link, is missing, belongs to somebody else, or its mode is not 0700.
    """
    try:
        directory = os.open(name, _DIRECTORY, dir_fd=folder)
    except OSError as error:
        raise NotOurOwnError(f"{name}: {error.strerror}") from error
    found = os.fstat(directory)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        os.close(directory)
        raise NotOurOwnError(f"{name}: it belongs to user {found.st_uid} and has mode {stat.S_IMODE(found.st_mode):o}")
    return directory


def marked_processes(workspace: Path) -> list[int]:
    """Ids of our living processes that were started in the workspace, or by something started in it."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [number for number in numbers if number != os.getpid() and _is_marked(number, workspace)]


def _is_marked(process: int, workspace: Path) -> bool:
    entry = Path("/proc") / str(process)
    # A process may end while it is read.
    with contextlib.suppress(OSError):
        # Root may read and end everybody's: anybody can give a process of theirs our mark, but not our user.
        if entry.stat().st_uid != os.geteuid():
            return False
        # Engines write their title over their environment, but they run in their directory.
        if (entry / "cwd").readlink().is_relative_to(workspace):
            return True
        return f"{MARK}={workspace}".encode() in (entry / "environ").read_bytes().split(b"\0")
    return False


def _holds_ports(process: int) -> bool:
    # A killed process loses its environment first and its sockets later; a zombie has lost them all.
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def sweep(directory: int) -> None:
    """End every process of the workspace whose open directory this is, then delete the directory."""
    # The kernel's own name for what is open: no link leads to another place.
    workspace = Path(f"/proc/self/fd/{directory}").readlink()
    deadline = time.monotonic() + _SWEEP_SECONDS
    while (processes := marked_processes(workspace)) and time.monotonic() < deadline:
        for process in processes:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        while any(map(_holds_ports, processes)) and time.monotonic() < deadline:
            time.sleep(0.01)
    _empty(directory, last=LOCK)
    # Fails where something is left, and where somebody has put something else in its place: a link, above all.
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(directory), workspace.lstat()):
            workspace.rmdir()


def _empty(directory: int, last: str = "") -> None:
    """Delete all that is in an open directory of ours. Links are deleted, and never followed.

    What cannot be deleted, because somebody writes to it at this moment, does not keep the rest. While ``last``
    is there, a later start finds the directory and tries again.
    """
    # Whatever ran here may have made a folder that its owner cannot write to, as copies of read-only folders are.
    os.fchmod(directory, stat.S_IRWXU)
    with os.scandir(directory) as found:
        entries = sorted(found, key=lambda entry: entry.name == last)
    for entry in entries:
        with contextlib.suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                inner = os.open(entry.name, _DIRECTORY, dir_fd=directory)
                try:
                    _empty(inner)
                finally:
                    os.close(inner)
                os.rmdir(entry.name, dir_fd=directory)
            elif entry.name != last or len(os.listdir(directory)) == 1:
                os.unlink(entry.name, dir_fd=directory)


def main() -> None:
    """Wait for the owner to be gone, then sweep the workspace whose open directory the first argument is."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    sweep(int(sys.argv[1]))


if __name__ == "__main__":
    main()
