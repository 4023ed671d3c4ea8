"""Names of the engine parameters that can be set in MemoryDB's parameter groups, by family.

AWS refuses other names, but only during the deploy. Source:
https://docs.aws.amazon.com/memorydb/latest/devguide/parametergroups.redis.html
"""

from __future__ import annotations

# As `aws memorydb describe-parameters` lists them for memorydb_redis6.
_IN_REDIS_6 = """
acllog-max-len activedefrag active-defrag-cycle-max active-defrag-cycle-min active-defrag-ignore-bytes
active-defrag-max-scan-fields active-defrag-threshold-lower active-defrag-threshold-upper active-expire-effort
activerehashing client-output-buffer-limit-normal-hard-limit client-output-buffer-limit-normal-soft-limit
client-output-buffer-limit-normal-soft-seconds client-output-buffer-limit-pubsub-hard-limit
client-output-buffer-limit-pubsub-soft-limit client-output-buffer-limit-pubsub-soft-seconds hash-max-ziplist-entries
hash-max-ziplist-value hll-sparse-max-bytes lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del
lazyfree-lazy-user-del lfu-decay-time lfu-log-factor list-compress-depth maxmemory-policy maxmemory-samples
notify-keyspace-events set-max-intset-entries slowlog-log-slower-than slowlog-max-len stream-node-max-bytes
stream-node-max-entries tcp-keepalive timeout tracking-table-max-keys zset-max-ziplist-entries zset-max-ziplist-value
"""
_ADDED_IN_7 = """
hash-max-listpack-entries hash-max-listpack-value latency-tracking search-enabled search-query-timeout-ms
zset-max-listpack-entries zset-max-listpack-value
"""
# Version 7 still has `activerehashing`, but only AWS Support can change it.
_REMOVED_IN_7 = """
activerehashing hash-max-ziplist-entries hash-max-ziplist-value zset-max-ziplist-entries zset-max-ziplist-value
"""
_REDIS_6 = frozenset(_IN_REDIS_6.split())
_VERSION_7 = (_REDIS_6 | frozenset(_ADDED_IN_7.split())) - frozenset(_REMOVED_IN_7.split())
_BY_FAMILY = {"memorydb_redis6": _REDIS_6, "memorydb_redis7": _VERSION_7, "memorydb_valkey7": _VERSION_7}


def known_parameters(family: str | None) -> frozenset[str] | None:
    """Names of the parameters that can be set in a family; None for a family that the library does not know.

    Args:
        family: Family of MemoryDB parameter groups, such as ``memorydb_valkey7``.
    """
    return None if family is None else _BY_FAMILY.get(family)
