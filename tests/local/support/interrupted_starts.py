"""A program: interrupts the start of a workspace at every instruction of ours, one after another.

``python interrupted_starts.py FOLDER`` makes each workspace in FOLDER and in a process of its own, and prints the
number of interruptions. It fails with what an interruption leaves in FOLDER.
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
    """Start a workspace, and be interrupted at the instruction of that number; returns the exit code."""
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
    """Interrupt one start after another, until one is completed."""
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
