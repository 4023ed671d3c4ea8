"""The checks of the smoke test, one file a theme."""

from __future__ import annotations

from cdk_redis_runtime._checks._access import ACL_ENFORCED, ANONYMOUS_REFUSED, AUTH
from cdk_redis_runtime._checks._context import Check, Context
from cdk_redis_runtime._checks._data import REPLICA_READ, WRITE_READ
from cdk_redis_runtime._checks._encryption import PLAINTEXT_REFUSED, TLS
from cdk_redis_runtime._checks._managed import MANAGED_COMMANDS_REFUSED
from cdk_redis_runtime._checks._store import PrerequisiteError, Store
from cdk_redis_runtime._checks._topology import TOPOLOGY

CHECKS = (
    TLS,
    AUTH,
    ANONYMOUS_REFUSED,
    PLAINTEXT_REFUSED,
    TOPOLOGY,
    WRITE_READ,
    REPLICA_READ,
    ACL_ENFORCED,
    MANAGED_COMMANDS_REFUSED,
)
"""In the order of the report; they run side by side."""

__all__ = ["CHECKS", "Check", "Context", "PrerequisiteError", "Store"]
