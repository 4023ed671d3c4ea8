"""Names of the environment variables that describe a store: constructs write them, the run-time package reads them.

Imports nothing but the standard library, so that constructs can use the names at synth.
"""

from __future__ import annotations

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

SECURITY_GROUPS = "CDK_REDIS_SECURITY_GROUPS"
"""Ids of the function's own security groups, separated by commas; for messages only, absent if unknown."""

STORE_SECURITY_GROUPS = "CDK_REDIS_STORE_SECURITY_GROUPS"
"""Ids of the store's security groups, separated by commas; for messages only, absent if unknown."""

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

DRILL_SECONDS = "CDK_REDIS_DRILL_SECONDS"
"""How long the failover drill writes and reads."""

ELASTICACHE = "elasticache"
MEMORYDB = "memorydb"

AUTHENTICATION_IAM = "iam"
AUTHENTICATION_PASSWORD = "password"  # noqa: S105 - a kind of authentication
AUTHENTICATION_NONE = "none"

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
