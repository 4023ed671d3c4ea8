"""``cdk-redis`` and ``python -m cdk_redis_runtime``."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

# Ctrl-C, the end of a CI job or a container, a closed terminal.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_ENDED_BY_SIGNAL = 128


class _EndedError(BaseException):
    """A signal asked the process to end. A BaseException, so that ``except Exception`` does not stop it."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def main() -> int:
    """Run the command.

    Returns:
        Its exit code; 128 plus the signal's number if a signal ended it: 130 after Ctrl-C, 143 after SIGTERM.
    """
    for one in _SIGNALS:
        # A signal that the process was started to ignore, as by nohup, stays ignored.
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, _end)
    try:
        # Imported here, so that a signal during the imports ends in one line, too.
        from cdk_redis_runtime._command.main import main as run

        return run()
    except _EndedError as ended:
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        print(f"cdk-redis: ended by {signal.Signals(ended.number).name} before it was done", file=sys.stderr)
        return _ENDED_BY_SIGNAL + ended.number


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise _EndedError(number)


if __name__ == "__main__":
    raise SystemExit(main())
