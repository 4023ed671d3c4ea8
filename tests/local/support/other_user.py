"""What somebody else on this machine can do: parts of a test that run as the user ``nobody``."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from typing import Any

import pytest

NOBODY = 65534

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user of this machine")


def as_nobody(work: Callable[[], Any]) -> Any:
    """Run it in a child process as ``nobody``; returns what it returns, which JSON must be able to hold.

    What it imports must be imported already: our files are not readable to everybody.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            outcome = {"value": work()}
        except BaseException:
            outcome = {"error": traceback.format_exc()}
        with os.fdopen(writing, "w") as stream:
            json.dump(outcome, stream)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    outcome = json.loads(text)
    assert "error" not in outcome, outcome["error"]
    return outcome["value"]
