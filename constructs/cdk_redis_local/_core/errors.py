"""The errors of the local cloud: each is one message a person can act on."""

from __future__ import annotations


class LocalCloudError(RuntimeError):
    """Something the local cloud cannot do, said in one line."""


class EngineNotFoundError(LocalCloudError):
    """No usable ``valkey-server`` or ``redis-server`` on this machine; the message says how to get one."""


class EngineError(LocalCloudError):
    """An engine did not start, refused a setting, or did not reach the state asked for."""
