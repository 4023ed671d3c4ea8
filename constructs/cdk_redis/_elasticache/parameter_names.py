"""Names of the engine parameters that can be set in ElastiCache, by family of parameter groups.

AWS publishes them only as text (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html),
and rejects other names during the deployment.
"""

from __future__ import annotations

import re
from functools import cache

# Names by the first version that has them. Valkey 7.2 has the names of Redis OSS 7.
_SINCE = {
    (4, 0): "activedefrag active-defrag-cycle-max active-defrag-cycle-min active-defrag-ignore-bytes "
    "active-defrag-threshold-lower active-defrag-threshold-upper "
    "client-output-buffer-limit-normal-hard-limit client-output-buffer-limit-normal-soft-limit "
    "client-output-buffer-limit-normal-soft-seconds client-output-buffer-limit-pubsub-hard-limit "
    "client-output-buffer-limit-pubsub-soft-limit client-output-buffer-limit-pubsub-soft-seconds "
    "client-query-buffer-limit cluster-enabled cluster-require-full-coverage databases "
    "hll-sparse-max-bytes lfu-decay-time lfu-log-factor list-compress-depth maxmemory-policy "
    "maxmemory-samples notify-keyspace-events proto-max-bulk-len repl-backlog-size repl-backlog-ttl "
    "reserved-memory reserved-memory-percent set-max-intset-entries slowlog-log-slower-than "
    "slowlog-max-len tcp-keepalive timeout",
    (5, 0): "active-defrag-max-scan-fields close-on-replica-write min-replicas-max-lag min-replicas-to-write "
    "rename-commands stream-node-max-bytes stream-node-max-entries",
    (6, 0): "acl-pubsub-default acllog-max-len active-expire-effort cluster-allow-reads-when-down "
    "tracking-table-max-keys",
    (7, 0): "cluster-allow-pubsubshard-when-down cluster-preferred-endpoint-type hash-max-listpack-entries "
    "hash-max-listpack-value latency-tracking list-max-listpack-size zset-max-listpack-entries "
    "zset-max-listpack-value",
    (8, 0): "commandlog-large-reply-max-len commandlog-large-request-max-len commandlog-reply-larger-than "
    "commandlog-request-larger-than extended-redis-compatibility search-default-timeout-ms "
    "search-enable-partial-results search-fanout-target-mode",
    (9, 0): "cluster-databases",
}
# Removed names, by the last version that has them.
_UNTIL = {
    (4, 0): "close-on-slave-write min-slaves-max-lag min-slaves-to-write",
    (5, 0): "lua-replicate-commands",
    (6, 0): "activerehashing hash-max-ziplist-entries hash-max-ziplist-value zset-max-ziplist-entries "
    "zset-max-ziplist-value list-max-ziplist-size",
    (7, 0): "lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del",
}
# Only in versions 6.0 to 7.x.
_SIX_AND_SEVEN = "lazyfree-lazy-user-del"

_FAMILY = re.compile(r"(redis|valkey)([0-9]+)(\.(x|[0-9]+))?")
_NEWEST_FAMILY = (9, 0)


@cache
def known_parameters(family: str) -> frozenset[str] | None:
    """Names of the parameters that can be set in a family; None for an unknown family.

    Args:
        family: Family of ElastiCache parameter groups, such as ``valkey8``.
    """
    match = _FAMILY.fullmatch(family)
    if match is None:
        return None
    version = (int(match[2]), 0)
    if not (4, 0) <= version <= _NEWEST_FAMILY:
        return None
    names = {name for since, added in _SINCE.items() if version >= since for name in added.split()}
    names |= {name for until, dropped in _UNTIL.items() if version <= until for name in dropped.split()}
    if (6, 0) <= version <= (7, 0):
        names.add(_SIX_AND_SEVEN)
    return frozenset(names)
