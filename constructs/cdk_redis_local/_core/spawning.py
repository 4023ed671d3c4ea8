"""Starts processes that end with the process that started them."""

from __future__ import annotations

import concurrent.futures
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_LAUNCHER = Path(__file__).with_name("end_with_parent.py")


def start_bound(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process that the kernel kills when this process ends, even if this process is killed.

    Args:
        command: Program and arguments. If the program cannot be run, the exit code is 1 and stderr has the reason.
        options: As for ``subprocess.Popen``.
    """
    bound = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *command]
    return _starter().start(bound, options)


class _Starter:
    """One thread that starts all processes and lives as long as this process.

    PR_SET_PDEATHSIG reacts to the end of the *thread* that started a process, and other threads may end earlier.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self._orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="starter", daemon=True).start()

    def start(self, command: Sequence[str], options: dict[str, Any]) -> subprocess.Popen[Any]:
        started: concurrent.futures.Future[subprocess.Popen[Any]] = concurrent.futures.Future()
        try:
            self._orders.put((started, command, options))
            return started.result()
        finally:
            # After an interrupt, cancel the start or wait for it, so that the clean-up finds the process.
            if not started.cancel():
                concurrent.futures.wait([started])

    def _work(self) -> None:
        while True:
            started, command, options = self._orders.get()
            if not started.set_running_or_notify_cancel():
                continue
            try:
                started.set_result(subprocess.Popen(command, **options))
            except BaseException as error:  # raised again by `start`
                started.set_exception(error)


_current: _Starter | None = None


def _starter() -> _Starter:
    global _current
    starter = _current
    # A forked process has a copy of the object without its thread. If two threads each create a starter, both work.
    if starter is None or starter.process != os.getpid():
        starter = _current = _Starter()
    return starter
