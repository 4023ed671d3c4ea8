"""Finds the engine processes of a local cloud, without asking the cloud."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.local.support.clouds import Cloud


def engine_processes(cloud: Cloud) -> dict[int, str]:
    """The ids of the cloud's engine processes, with the name of the program: ``redis`` or ``valkey``."""
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        # The process may have ended, or belong to another user.
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink().match(f"{cloud.local.workspace.path}/engines-*/node-*"):
                found[int(entry.name)] = "valkey" if "valkey" in (entry / "exe").readlink().name else "redis"
    return found
