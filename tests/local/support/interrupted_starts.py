"""Program that interrupts the start of a workspace at each bytecode instruction of its module.

``python interrupted_starts.py FOLDER`` starts each workspace in FOLDER, in a separate process, and prints the number of
interruptions. It fails if an interruption leaves files in FOLDER.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Any

from cdk_redis_local import Workspace
from cdk_redis_local._core import workspace as module

_SECONDS = 10.0
_INTERRUPTED, _COMPLETED = 0, 3


def _start_interrupted(at: int) -> int:
    """Start a workspace and interrupt it at the instruction with this number; returns the exit code."""
    passed = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal passed
        if frame.f_code.co_filename != module.__file__:
            return None
        frame.f_trace_opcodes = True
        passed += event == "opcode"
        if passed == at:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        with Workspace() as workspace:
            workspace.spawn(["sleep", "60"])
    except KeyboardInterrupt:
        return _INTERRUPTED
    return _COMPLETED


def main(folder: Path) -> None:
    """Interrupt starts, each one instruction later, until a start completes."""
    tempfile.tempdir = str(folder)
    at, code = 0, _INTERRUPTED
    while code == _INTERRUPTED:
        at += 1
        child = os.fork()
        if not child:
            code = 1
            try:
                code = _start_interrupted(at)
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        deadline = time.monotonic() + _SECONDS
        while list(folder.iterdir()):
            if time.monotonic() > deadline:
                sys.exit(f"interrupted at instruction {at}: {list(folder.iterdir())} is left")
            time.sleep(0.005)
    if code != _COMPLETED:
        sys.exit(f"interrupted at instruction {at}: exit code {code}")
    print(at)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
