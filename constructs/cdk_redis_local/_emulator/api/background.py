"""Work that goes on after an action has answered, because it waits for the engines."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

from redis.exceptions import RedisError

from cdk_redis_local._core.errors import LocalCloudError


def in_background(
    what: str, apply: Callable[[], object], end: Callable[[], object], say: Callable[[str], object]
) -> None:
    """Apply a change on a thread, in the account and Region of the request.

    Args:
        what: What is changed, for the message if it fails.
        apply: Applies the change.
        end: Called at the end, also if the change failed.
        say: Called with a message for the user if the change failed.
    """
    context = contextvars.copy_context()

    def work() -> None:
        try:
            apply()
        except (LocalCloudError, RedisError) as error:
            say(f"{what} was not changed: {error}")
        finally:
            end()

    threading.Thread(target=context.run, args=(work,), name=f"change of {what}", daemon=True).start()
