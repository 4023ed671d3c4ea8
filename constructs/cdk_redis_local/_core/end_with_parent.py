"""Runs a command that ends with the process that started it, even if that process is killed.

``python end_with_parent.py PARENT COMMAND...`` asks the kernel to send SIGKILL when the parent (a process id) ends, and
then executes the command. It uses the standard library only, because it runs before every engine.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Execute the command."""
    parent, *command = sys.argv[1:]
    # Python ignores these signals, and the command would inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL)):
        sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent):  # the parent ended before the call of prctl
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
