"""The checks of the smoke test, one file a theme."""

from __future__ import annotations

from cdk_redis_runtime._checks._access import ACL_ENFORCED, ANONYMOUS_REFUSED, AUTH, WRONG_PASSWORD_REFUSED
from cdk_redis_runtime._checks._clients import Clients
from cdk_redis_runtime._checks._context import Check, Context
from cdk_redis_runtime._checks._data import DURABILITY, REPLICA_READ, WRITE_READ
from cdk_redis_runtime._checks._encryption import PLAINTEXT_REFUSED, TLS
from cdk_redis_runtime._checks._features import DATA_TYPES, PUBSUB, TRANSACTION
from cdk_redis_runtime._checks._managed import MANAGED_COMMANDS_REFUSED
from cdk_redis_runtime._checks._names import DNS
from cdk_redis_runtime._checks._state import LATENCY, MEMORY_HEADROOM, PARAMETERS
from cdk_redis_runtime._checks._store import PrerequisiteError, Store
from cdk_redis_runtime._checks._topology import TOPOLOGY

CHECKS = (
    *(DNS, TLS, PLAINTEXT_REFUSED),
    *(AUTH, ANONYMOUS_REFUSED, WRONG_PASSWORD_REFUSED, ACL_ENFORCED, MANAGED_COMMANDS_REFUSED),
    *(TOPOLOGY, WRITE_READ, REPLICA_READ, DURABILITY),
    *(DATA_TYPES, TRANSACTION, PUBSUB),
    *(PARAMETERS, MEMORY_HEADROOM, LATENCY),
)
"""In the order of the report; they run side by side."""

__all__ = ["CHECKS", "Check", "Clients", "Context", "PrerequisiteError", "Store"]
