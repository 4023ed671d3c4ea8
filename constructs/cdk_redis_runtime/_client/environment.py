"""Names of the environment variables that describe a store: constructs write them, the run-time package reads them.

The constants are the variables of a binding without a name; `variable` makes those of a named binding. Imports nothing
but the standard library, so that constructs can use the names at synth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PREFIX = "CDK_REDIS_"
"""Every variable begins with it."""

SERVICE = "CDK_REDIS_SERVICE"
"""``elasticache`` or ``memorydb``; also the service name that an IAM token is signed for."""

STORE = "CDK_REDIS_STORE"
"""Replication group id, serverless cache name or cluster name: IAM tokens are signed for it, the report names it."""

SERVERLESS = "CDK_REDIS_SERVERLESS"
"""``true`` for an ElastiCache serverless cache, whose IAM tokens have another parameter; otherwise absent."""

HOST = "CDK_REDIS_HOST"
"""Configuration endpoint of a cluster; primary endpoint without cluster mode."""

PORT = "CDK_REDIS_PORT"
"""Port of ``HOST``."""

READER_HOST = "CDK_REDIS_READER_HOST"
"""Reader endpoint of a store with replicas and without cluster mode; otherwise absent."""

READER_PORT = "CDK_REDIS_READER_PORT"
"""Port of ``READER_HOST``."""

TLS = "CDK_REDIS_TLS"
"""``true`` or ``false``."""

PLAINTEXT = "CDK_REDIS_PLAINTEXT"
"""``true`` if a store with TLS accepts clients without it, too; otherwise absent."""

CLUSTER_MODE = "CDK_REDIS_CLUSTER_MODE"
"""``true`` or ``false``."""

AUTHENTICATION = "CDK_REDIS_AUTHENTICATION"
"""``iam``, ``password`` or ``none``."""

USER = "CDK_REDIS_USER"
"""Name of the user to sign in as; absent if authentication is ``none``."""

SECRET_ARN = "CDK_REDIS_SECRET_ARN"  # noqa: S105 - the name of a variable
"""Secrets Manager secret with the user's password; present only if authentication is ``password``."""

REGION = "CDK_REDIS_REGION"
"""AWS Region of the store and of its secret; if absent, it is that of ``AWS_REGION`` or ``AWS_DEFAULT_REGION``.

Lambda sets both, and ECS on Fargate sets ``AWS_REGION``; EC2 instances have neither."""

RECORD = "CDK_REDIS_RECORD"
"""A connection record (`cdk_redis_runtime.ConnectionRecord`) as JSON; read if the binding has no other variable."""

SECURITY_GROUPS = "CDK_REDIS_SECURITY_GROUPS"
"""Ids of the function's own security groups, separated by commas; for messages only, absent if unknown."""

STORE_SECURITY_GROUPS = "CDK_REDIS_STORE_SECURITY_GROUPS"
"""Ids of the store's security groups, separated by commas; for messages only, absent if unknown."""

BINDING_VARIABLES = (
    *(SERVICE, STORE, SERVERLESS, HOST, PORT, READER_HOST, READER_PORT, TLS, PLAINTEXT, CLUSTER_MODE, AUTHENTICATION),
    *(USER, SECRET_ARN, REGION, RECORD, SECURITY_GROUPS, STORE_SECURITY_GROUPS),
)
"""Variables that describe how to connect; `variable` gives them the name of a binding."""

ENGINE = "CDK_REDIS_ENGINE"
"""Declared engine: ``valkey`` or ``redis``."""

ENGINE_VERSION = "CDK_REDIS_ENGINE_VERSION"
"""Declared version, as precise as it was declared: ``7.1``, or ``7``."""

SHARDS = "CDK_REDIS_SHARDS"
"""Declared number of shards; absent if the service chooses it."""

REPLICAS = "CDK_REDIS_REPLICAS"
"""Declared number of replicas of each shard; absent if the service chooses it."""

KEY_PREFIX = "CDK_REDIS_KEY_PREFIX"
"""Prefix of every key that the smoke test touches."""

BUDGET_SECONDS = "CDK_REDIS_BUDGET_SECONDS"
"""Seconds within which the smoke test ends."""

MAXMEMORY_POLICY = "CDK_REDIS_MAXMEMORY_POLICY"
"""Declared ``maxmemory-policy``; absent if it is the default of the parameter group's family."""

LATENCY_LIMIT_MS = "CDK_REDIS_LATENCY_LIMIT_MS"
"""Milliseconds that the median round trip may take; absent for the default."""

DIGEST = "CDK_REDIS_DIGEST"
"""Digest of the target's properties. Nothing reads it; a new value changes the function, so that it runs again."""

METRICS_NAMESPACE = "CDK_REDIS_METRICS_NAMESPACE"
"""Namespace of the metrics that a run prints; absent without metrics."""

ON_FAILURE = "CDK_REDIS_ON_FAILURE"
"""``warn`` if a failed smoke test must not fail the deployment; otherwise absent."""

DRILL_SECONDS = "CDK_REDIS_DRILL_SECONDS"
"""How long the failover drill writes and reads."""

ROTATED_SECRET = "CDK_REDIS_ROTATED_SECRET"  # noqa: S105 - the name of a variable
"""ARN of the secret that the rotation function rotates."""

ROTATED_USER = "CDK_REDIS_ROTATED_USER_ID"
"""Id of the ElastiCache user, or name of the MemoryDB user, whose password it is; absent for an AUTH token."""

ROTATED_GROUP = "CDK_REDIS_ROTATED_GROUP"
"""Id of the replication group whose AUTH token it is; absent for a user's password."""

PREVIOUS_VALID_SECONDS = "CDK_REDIS_PREVIOUS_VALID_SECONDS"
"""How long the previous password stays valid after a rotation; absent if it does until the next one."""

ELASTICACHE = "elasticache"
MEMORYDB = "memorydb"

AUTHENTICATION_IAM = "iam"
AUTHENTICATION_PASSWORD = "password"  # noqa: S105 - a kind of authentication
AUTHENTICATION_NONE = "none"

WARN = "warn"

DEFAULT_METRICS_NAMESPACE = "CdkRedis/SmokeTest"
DIMENSION_SERVICE = "Service"
DIMENSION_STORE = "Store"
METRIC_PASSED = "ChecksPassed"
METRIC_FAILED = "ChecksFailed"
METRIC_SKIPPED = "ChecksSkipped"
METRIC_DURATION = "Duration"

DEFAULT_DRILL_KEY_PREFIX = "cdk-redis-drill:"
DEFAULT_KEY_PREFIX = "cdk-redis-smoke:"
DEFAULT_BUDGET_SECONDS = 20
DEFAULT_LATENCY_LIMIT_MS = 100

SHARDED_PUBSUB_COMMANDS = ("ssubscribe", "spublish")
"""Commands that engines before 7.0 do not know: they reject access strings that name them."""

SMOKE_TEST_COMMANDS = (
    *("acl|whoami", "asking", "cluster|slots", "command", "info", "readonly", "wait"),
    *("get", "set", "del", "expire", "hset", "hget", "rpush", "lrange", "sadd", "smembers"),
    *("zadd", "zrange", "xadd", "xrange", "watch", "unwatch", "multi", "exec", "subscribe", "publish"),
    *SHARDED_PUBSUB_COMMANDS,
)
"""Every command that the smoke test's user needs, as in an access string, without the ``+``.

redis-py's cluster client begins with COMMAND and does not work without it. ASKING is needed while slots move from one
shard to another, UNWATCH when a transaction is given up. HELLO and AUTH are open to every user. The client does not
send CLIENT SETINFO, and does not ask for maintenance notifications, so neither is needed.
"""

MEMORYDB_REFUSED_COMMANDS = (
    "acl|deluser",
    "acl|load",
    "acl|save",
    "acl|setuser",
    "bgrewriteaof",
    "bgsave",
    "cluster|addslots",
    "cluster|addslotsrange",
    "cluster|delslots",
    "cluster|delslotsrange",
    "cluster|setslot",
    "config",
    "debug",
    "migrate",
    "module",
    "psync",
    "replicaof",
    "save",
    "shutdown",
    "slaveof",
    "sync",
)
"""Every command that MemoryDB allows no user, whatever its access string, as in an access string.

They would change what the service manages: nodes, slots, users, parameters, durability.
(https://docs.aws.amazon.com/memorydb/latest/devguide/restrictedcommands.html)
"""

_BINDING_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_FIELDS = [name.removeprefix(PREFIX) for name in BINDING_VARIABLES]
# CDK_REDIS_READER_HOST is the reader's host, so "reader" cannot be the name of a binding; nor can "app-reader" be one,
# because CDK_REDIS_APP_READER_HOST is the reader's host of "app".
_QUALIFIERS = sorted(
    {long.removesuffix(f"_{field}") for long in _FIELDS for field in _FIELDS if long.endswith(f"_{field}")}
)


def variable(field: str, name: str | None = None) -> str:
    """Name of a variable of a binding.

    Args:
        field: One of `BINDING_VARIABLES`, such as ``CDK_REDIS_HOST``.
        name: Name of the binding; one that `why_not_a_binding_name` accepts.

    Returns:
        ``CDK_REDIS_HOST`` without a name, ``CDK_REDIS_ORDER_LEDGER_HOST`` for ``order-ledger``.
    """
    return field if name is None else f"{PREFIX}{_upper(name)}_{field.removeprefix(PREFIX)}"


def why_not_a_binding_name(name: str) -> str | None:
    """Check the name of a binding.

    Args:
        name: The name.

    Returns:
        Why it cannot be used; None if it can.
    """
    if not _BINDING_NAME.fullmatch(name):
        return "a name has 1 to 32 lower-case letters, digits and hyphens, and begins with a letter"
    for qualifier in _QUALIFIERS:
        if f"_{_upper(name)}".endswith(f"_{qualifier}"):
            return f"a name does not end in {qualifier.lower()!r}, because {PREFIX}{qualifier}_... are other variables"
    return None


def binding_names(environment: Iterable[str]) -> list[str]:
    """Names of the bindings whose variables an environment has; that without a name is left out.

    Args:
        environment: Names of variables.
    """
    found = {match[1] for name in environment if (match := _HOST_OR_RECORD.fullmatch(name))}
    names = (found_name.lower().replace("_", "-") for found_name in found)
    return sorted(name for name in names if why_not_a_binding_name(name) is None)


_HOST_OR_RECORD = re.compile(rf"{PREFIX}(.+)_(?:HOST|RECORD)")


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")
