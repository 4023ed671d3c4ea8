"""The keeper of a workspace: ends what was started in it and removes its files.

It runs as a process of its own, reads its standard input until its owner closes it or is gone (Ctrl-C,
SIGTERM, SIGKILL), then ends every process that carries the workspace's mark and deletes the directory. So
there is one way of cleaning up, and it does not depend on how the owner ended. Standard library only: it
must start in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

MARK = "CDK_REDIS_LOCAL_WORKSPACE"
_SWEEP_SECONDS = 10.0


def marked_processes(workspace: Path) -> list[int]:
    """Ids of the living processes that were started in the workspace, or by something started in it."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [number for number in numbers if number != os.getpid() and _is_marked(number, workspace)]


def _is_marked(process: int, workspace: Path) -> bool:
    entry = Path("/proc") / str(process)
    # A process may end while it is read, or belong to another person: neither is ours to end.
    with contextlib.suppress(OSError):
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


def sweep(workspace: Path) -> None:
    """End every process of the workspace, then delete its directory."""
    deadline = time.monotonic() + _SWEEP_SECONDS
    while (processes := marked_processes(workspace)) and time.monotonic() < deadline:
        for process in processes:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        while any(map(_holds_ports, processes)) and time.monotonic() < deadline:
            time.sleep(0.01)
    shutil.rmtree(workspace, ignore_errors=True)


def main() -> None:
    """Wait for the owner to be gone, then sweep the workspace named by the first argument."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    sweep(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
