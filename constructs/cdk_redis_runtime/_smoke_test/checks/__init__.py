"""The checks of the smoke test, one file for each theme."""

from __future__ import annotations

from cdk_redis_runtime._smoke_test.checks.access import ACL_ENFORCED, ANONYMOUS_REFUSED, AUTH, WRONG_PASSWORD_REFUSED
from cdk_redis_runtime._smoke_test.checks.clients import Clients
from cdk_redis_runtime._smoke_test.checks.context import Check, Context
from cdk_redis_runtime._smoke_test.checks.data import DURABILITY, REPLICA_READ, WRITE_READ
from cdk_redis_runtime._smoke_test.checks.dns import DNS
from cdk_redis_runtime._smoke_test.checks.encryption import PLAINTEXT_REFUSED, TLS
from cdk_redis_runtime._smoke_test.checks.features import DATA_TYPES, PUBSUB, TRANSACTION
from cdk_redis_runtime._smoke_test.checks.managed import MANAGED_COMMANDS_REFUSED
from cdk_redis_runtime._smoke_test.checks.state import LATENCY, MEMORY_HEADROOM, PARAMETERS
from cdk_redis_runtime._smoke_test.checks.store import PrerequisiteError, Store
from cdk_redis_runtime._smoke_test.checks.topology import TOPOLOGY

CHECKS = (
    *(DNS, TLS, PLAINTEXT_REFUSED),
    *(AUTH, ANONYMOUS_REFUSED, WRONG_PASSWORD_REFUSED, ACL_ENFORCED, MANAGED_COMMANDS_REFUSED),
    *(TOPOLOGY, WRITE_READ, REPLICA_READ, DURABILITY),
    *(DATA_TYPES, TRANSACTION, PUBSUB),
    *(PARAMETERS, MEMORY_HEADROOM, LATENCY),
)
"""In the order of the report; they run at the same time."""

__all__ = ["CHECKS", "Check", "Clients", "Context", "PrerequisiteError", "Store"]
