"""Values of the engine parameters that ElastiCache's parameter groups accept, by family.

AWS refuses others, but only during the deploy. Sources, read on 2026-11-21:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html ("Permitted values")
https://docs.aws.amazon.com/cli/latest/reference/elasticache/describe-engine-default-parameters.html ("AllowedValues")
A value that is newer than this table passes in `extra_parameters`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cdk_redis._store.parameter_values import KEYSPACE_EVENTS, SHARED_VALUES, by_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_VALUES = {
    "yes,no": "close-on-replica-write close-on-slave-write cluster-allow-pubsubshard-when-down "
    "cluster-allow-reads-when-down cluster-require-full-coverage extended-redis-compatibility "
    "lua-replicate-commands search-enable-partial-results",
    "resetchannels,allchannels": "acl-pubsub-default",
    "ip,tls-dynamic": "cluster-preferred-endpoint-type",
    "client,throughput": "search-fanout-target-mode",
    "0-": "acllog-max-len min-replicas-max-lag min-replicas-to-write min-slaves-max-lag min-slaves-to-write "
    "repl-backlog-ttl reserved-memory tracking-table-max-keys",
    "0-100": "reserved-memory-percent",
    "0-1024": "commandlog-large-reply-max-len commandlog-large-request-max-len",
    "-": "commandlog-reply-larger-than commandlog-request-larger-than",
    "1-10000": "cluster-databases",
    "1-1200000": "databases",
    "1-60000": "search-default-timeout-ms",
    "16384-": "repl-backlog-size",
    "1048576-1073741824": "client-query-buffer-limit",
    "1048576-536870912": "proto-max-bulk-len",
    "-5,-4,-3,-2,-1,1-": "list-max-listpack-size list-max-ziplist-size",
    "pairs": "rename-commands",
    KEYSPACE_EVENTS: "notify-keyspace-events",
}
# Valkey 8.0 narrowed it.
_FROM_VALKEY_8 = {"1-64": "maxmemory-samples"}
_BEFORE_VALKEY_8 = ("redis", "valkey7")


@cache
def allowed_values(family: str) -> Mapping[str, str]:
    """Allowed values by the name of the parameter.

    Args:
        family: Family of ElastiCache parameter groups, such as ``valkey8``.
    """
    newer = {} if family.startswith(_BEFORE_VALKEY_8) else _FROM_VALKEY_8
    return by_name(SHARED_VALUES, _VALUES, newer)
