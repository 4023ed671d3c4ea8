"""The errors of the local cloud. Each message says what to do."""

from __future__ import annotations


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
