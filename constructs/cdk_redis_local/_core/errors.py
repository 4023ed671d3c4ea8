"""The errors of the local cloud. Each message says what to do."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Generator


class LocalCloudError(RuntimeError):
    """The local cloud cannot do what was requested; the message is one line."""


class EngineNotFoundError(LocalCloudError):
    """No usable ``valkey-server`` or ``redis-server`` on this machine; the message says how to get one."""


class EngineError(LocalCloudError):
    """An engine did not start, refused a setting, or did not reach the state asked for."""


class DeployError(LocalCloudError):
    """A command of the CDK CLI failed; the message has its output, and what the local cloud said meanwhile."""


class FunctionError(LocalCloudError):
    """A function raised an error; the message has its result and the end of its log."""


@contextlib.contextmanager
def full_disk_explained() -> Generator[None]:
    """Turn the error of a full disk into a message that says which disk, and what to do. Also a decorator.

    Raises:
        LocalCloudError: No space, or no quota of it, is left.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise LocalCloudError(
            f"no space is left on the disk of {tempfile.gettempdir()}: free some, or start the local cloud with TMPDIR "
            "set to a folder on another disk"
        ) from error
