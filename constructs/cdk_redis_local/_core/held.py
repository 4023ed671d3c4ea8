"""Holds a process to a part of one processor, as Lambda does with functions that have little memory."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
import time
from collections.abc import Generator
from pathlib import Path

_PERIOD = 0.02
_CGROUPS = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def held(process: int, part: float) -> Generator[str]:
    """Hold a process to a part of one processor.

    Args:
        process: Its id.
        part: 0.07 for seven percent, which Lambda gives a function with 128 MB.

    Returns:
        How it is held: by a control group, or where this process may create none, with signals.
    """
    try:
        group = _control_group(part)
    except OSError:
        with _stopped_most_of_the_time(process, part):
            yield "signals"
        return
    (group / "cgroup.procs").write_text(str(process))
    try:
        yield "control group"
    finally:
        with contextlib.suppress(ProcessLookupError, OSError):
            (group.parent / "cgroup.procs").write_text(str(process))
        group.rmdir()


def _control_group(part: float) -> Path:
    period, quota = int(_PERIOD * 1e6), int(_PERIOD * part * 1e6)
    first = _CGROUPS / "cpu" if (_CGROUPS / "cpu" / "cpu.cfs_quota_us").exists() else _CGROUPS
    group = first / f"cdk-redis-{secrets.token_hex(4)}"
    group.mkdir()
    try:
        if (group / "cpu.cfs_quota_us").exists():
            (group / "cpu.cfs_period_us").write_text(str(period))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {period}")
    except OSError:
        group.rmdir()
        raise
    return group


@contextlib.contextmanager
def _stopped_most_of_the_time(process: int, part: float) -> Generator[None]:
    ended = threading.Event()

    def hold() -> None:
        with contextlib.suppress(ProcessLookupError):
            while not ended.is_set():
                os.kill(process, signal.SIGSTOP)
                time.sleep(_PERIOD * (1 - part))
                os.kill(process, signal.SIGCONT)
                time.sleep(_PERIOD * part)

    thread = threading.Thread(target=hold, name="holding a process", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)
