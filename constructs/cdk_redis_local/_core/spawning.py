"""Starting processes that do not outlive the process that started them."""

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
    """Start a process that the kernel ends with this one, in whatever way this one ends.

    Args:
        command: Program and arguments. A program that cannot be run ends with code 1 and says why.
        options: As for ``subprocess.Popen``.
    """
    bound = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *command]
    return _starter().start(bound, options)


class _Starter:
    """The one thread that starts processes, for as long as this process lives.

    The kernel tells a process of the end of the *thread* that started it, and threads come and go.
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
            # When we are interrupted: nothing starts after this, and whoever cleans up finds what has started.
            if not started.cancel():
                concurrent.futures.wait([started])

    def _work(self) -> None:
        while True:
            started, command, options = self._orders.get()
            if not started.set_running_or_notify_cancel():
                continue
            try:
                started.set_result(subprocess.Popen(command, **options))
            except BaseException as error:  # whoever waits for it gets it
                started.set_exception(error)


_current: _Starter | None = None


def _starter() -> _Starter:
    global _current
    starter = _current
    # A forked process has a copy of the object, but not of its thread. Two threads may both make one here: both work.
    if starter is None or starter.process != os.getpid():
        starter = _current = _Starter()
    return starter
