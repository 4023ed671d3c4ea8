"""Code that runs next to a store: ``connect()`` and the smoke test.

Names are imported at first use: constructs import this package at synth only for its constants, and a Lambda function
should load only what it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdk_redis_runtime._client.connect import connect, connect_async
    from cdk_redis_runtime._client.iam_token import IamTokenProvider
    from cdk_redis_runtime._client.reading import SettingsError
    from cdk_redis_runtime._client.record import ConnectionRecord
    from cdk_redis_runtime._client.settings import Address, Connection
    from cdk_redis_runtime._client.timeouts import ClientTimeouts
    from cdk_redis_runtime._smoke_test.battery import smoke_test
    from cdk_redis_runtime._smoke_test.declaration import Declaration
    from cdk_redis_runtime._smoke_test.render import render_report
    from cdk_redis_runtime._smoke_test.report import CheckResult, Report, SmokeTestFailed

__all__ = [
    "Address",
    "CheckResult",
    "Connection",
    "ConnectionRecord",
    "Declaration",
    "ClientTimeouts",
    "IamTokenProvider",
    "Report",
    "SettingsError",
    "SmokeTestFailed",
    "connect",
    "connect_async",
    "render_report",
    "smoke_test",
]

_HOMES = {
    "Address": "_client.settings",
    "CheckResult": "_smoke_test.report",
    "Connection": "_client.settings",
    "ConnectionRecord": "_client.record",
    "Declaration": "_smoke_test.declaration",
    "ClientTimeouts": "_client.timeouts",
    "IamTokenProvider": "_client.iam_token",
    "Report": "_smoke_test.report",
    "SettingsError": "_client.reading",
    "SmokeTestFailed": "_smoke_test.report",
    "connect": "_client.connect",
    "connect_async": "_client.connect",
    "render_report": "_smoke_test.render",
    "smoke_test": "_smoke_test.battery",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
