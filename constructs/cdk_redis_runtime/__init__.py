"""Code that runs next to a store: the smoke test, and how to connect.

Names are imported when they are first used: constructs import this package at synth for its constants, and a Lambda
function should not pay for what it does not use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdk_redis_runtime._battery import smoke_test
    from cdk_redis_runtime._connect import Patience, connect
    from cdk_redis_runtime._render import render_report
    from cdk_redis_runtime._report import CheckResult, Report, SmokeTestFailed
    from cdk_redis_runtime._settings import Address, Connection, Declaration, SettingsError

__all__ = [
    "Address",
    "CheckResult",
    "Connection",
    "Declaration",
    "Patience",
    "Report",
    "SettingsError",
    "SmokeTestFailed",
    "connect",
    "render_report",
    "smoke_test",
]

_HOMES = {
    "Address": "_settings",
    "CheckResult": "_report",
    "Connection": "_settings",
    "Declaration": "_settings",
    "Patience": "_connect",
    "Report": "_report",
    "SettingsError": "_settings",
    "SmokeTestFailed": "_report",
    "connect": "_connect",
    "render_report": "_render",
    "smoke_test": "_battery",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
