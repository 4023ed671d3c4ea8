"""The keeper of a workspace: a process that ends the workspace's processes and removes its files.

The keeper reads its standard input until its owner closes it or ends (Ctrl-C, SIGTERM, SIGKILL). Then it ends every
process that has the workspace's mark and deletes the directory. So the clean-up is the same, however the owner ends.
The keeper uses the standard library only, because it must start in milliseconds.

The temporary folder may be shared with hostile users. So the keeper checks and empties a directory through one
descriptor, opened without following links, and ends only processes of its own user.
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


class NotPrivateError(Exception):
    """A path is not a private directory of this user: do not use, end or delete anything in it."""


def open_private_directory(name: str, folder: int | None = None) -> int:
    """Open a private directory of this user; returns its descriptor.

    Args:
        name: The path of the directory, or its name in ``folder``.
        folder: Descriptor of the parent directory. Default: - ``name`` is a path.

    Raises:
        NotPrivateError: The directory is a link, is missing, belongs to another user, or its mode is not 0700.
    """
    try:
        directory = os.open(name, _DIRECTORY, dir_fd=folder)
    except OSError as error:
        raise NotPrivateError(f"{name}: {error.strerror}") from error
    found = os.fstat(directory)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        os.close(directory)
        raise NotPrivateError(f"{name}: it belongs to user {found.st_uid} and has mode {stat.S_IMODE(found.st_mode):o}")
    return directory


def marked_processes(workspace: Path) -> list[int]:
    """Ids of this user's running processes that were started in the workspace, or by such a process."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [number for number in numbers if number != os.getpid() and _is_marked(number, workspace)]


def _is_marked(process: int, workspace: Path) -> bool:
    entry = Path("/proc") / str(process)
    # The process may end while its files in /proc are read.
    with contextlib.suppress(OSError):
        # Check the user, because root may read and end processes of all users, and every user can set the mark.
        if entry.stat().st_uid != os.geteuid():
            return False
        # Engines overwrite their environment with their process title, so check the working directory too.
        if (entry / "cwd").readlink().is_relative_to(workspace):
            return True
        return f"{MARK}={workspace}".encode() in (entry / "environ").read_bytes().split(b"\0")
    return False


def _has_open_ports(process: int) -> bool:
    # The kernel frees the environment of a killed process first and its sockets later; a zombie has no sockets.
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def sweep(directory: int) -> None:
    """End every process of a workspace, given as a descriptor of its directory, and delete the directory."""
    # Ask the kernel for the path of the descriptor, so that a link cannot lead to another directory.
    workspace = Path(f"/proc/self/fd/{directory}").readlink()
    deadline = time.monotonic() + _SWEEP_SECONDS
    while (processes := marked_processes(workspace)) and time.monotonic() < deadline:
        for process in processes:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        while any(map(_has_open_ports, processes)) and time.monotonic() < deadline:
            time.sleep(0.01)
    _empty(directory, last=LOCK)
    # This fails if files are left. Another user may have replaced the directory, for example by a link.
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(directory), workspace.lstat()):
            workspace.rmdir()


def _empty(directory: int, last: str = "") -> None:
    """Delete everything in a directory, given as a descriptor. Links are deleted, but not followed.

    If an entry cannot be deleted, because a process writes to it, the others are deleted nevertheless. ``last`` is
    deleted last: while it exists, a later start finds the directory and tries again.
    """
    # A process may have created a folder that its owner cannot write to, for example a copy of a read-only folder.
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
    """Wait until the owner ends, then sweep the workspace; the first argument is a descriptor of its directory."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    sweep(int(sys.argv[1]))


if __name__ == "__main__":
    main()
