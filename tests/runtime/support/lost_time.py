"""How long a busy machine kept the processes of a test waiting for a processor."""

from __future__ import annotations

import threading
import time
from types import TracebackType

_INTERVAL = 0.01
# On an idle machine, a sleep takes less than this longer.
_USUAL = 0.005


class LostTime:
    """Adds up by how much short sleeps in a thread take too long while a block runs.

    Attributes:
        seconds: The sum, complete after the block.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="lost-time", daemon=True)

    def __enter__(self) -> LostTime:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _measure(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            time.sleep(_INTERVAL)
            late = time.monotonic() - started - _INTERVAL
            if late > _USUAL:
                self.seconds += late
