"""Waits until a change is complete, but not longer than the function may run."""

from __future__ import annotations

import time
from collections.abc import Callable

from cdk_redis_runtime._rotation.errors import RotationError

# To report a change that takes too long. A function that is cut off reports only "Task timed out".
_RESERVE_SECONDS = 10.0
FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class Waiter:
    """Polls, first after half a second and then less and less often."""

    def __init__(self, seconds_left: Callable[[], float], sleep: Callable[[float], object] = time.sleep) -> None:
        """Prepare to wait.

        Args:
            seconds_left: Returns the seconds until Lambda ends the function.
            sleep: Pauses for some seconds.
        """
        self._seconds_left = seconds_left
        self._sleep = sleep

    def pause(self, seconds: float, why: str = "the pause is too long") -> None:
        """Wait for some seconds.

        Args:
            seconds: How long.
            why: The reason, for the error.

        Raises:
            RotationError: If the function has to end before.
        """
        if self._seconds_left() - seconds < _RESERVE_SECONDS:
            raise RotationError(f"{why}; the function has to end, and Secrets Manager tries again")
        self._sleep(seconds)

    def wait(self, state: Callable[[], str], wanted: str, what: str) -> None:
        """Wait until something is in a state.

        Args:
            state: Returns the current state.
            wanted: The state to wait for.
            what: What is in that state, for the error.

        Raises:
            RotationError: If it is not in the state before the function has to end.
        """
        pause = FIRST_PAUSE
        while (found := state()) != wanted:
            self.pause(pause, f"{what} is still {found!r} and not {wanted!r}")
            pause = min(2 * pause, _LONGEST_PAUSE)
