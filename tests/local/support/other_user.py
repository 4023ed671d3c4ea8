"""Runs parts of a test as the user ``nobody``, to test what other users of this machine can do."""

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
    """Run a function in a child process as ``nobody``; returns its result, which must be JSON serializable.

    Import all modules that the function uses before: ``nobody`` may not read the files of this repository.
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
