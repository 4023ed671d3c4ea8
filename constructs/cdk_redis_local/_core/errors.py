"""The errors of the local cloud. Each message says what to do."""

from __future__ import annotations


class LocalCloudError(RuntimeError):
    """The local cloud cannot do what was requested; the message is one line."""


class EngineNotFoundError(LocalCloudError):
    """No usable ``valkey-server`` or ``redis-server`` on this machine; the message says how to get one."""


class EngineError(LocalCloudError):
    """An engine did not start, refused a setting, or did not reach the state asked for."""
