"""Engine parameters and parameter groups that do not fit."""

from __future__ import annotations

from typing import Any

from cdk_redis import ElastiCacheParameterGroup, Engine, MemoryDbParameterGroup
from tests.compliance.refused.calls import Call, Rule, cluster, global_datastore, group, parameter_group, row, token
from tests.compliance.refused.rows import Accepted, Refused, Scene

_GUIDE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg"
_PAGE = f"{_GUIDE}/ParameterGroups.Engine.html"
_MEMORYDB_PAGE = "https://docs.aws.amazon.com/memorydb/latest/devguide/parametergroups.redis.html"
_VALUES = Rule("An engine parameter has an allowed value; `extra_parameters` accepts a newer one.", _PAGE)
_NAMES = Rule("An engine parameter is one of the family; `extra_parameters` accepts a newer one.", _PAGE)
_MEMORYDB_VALUES = Rule("An engine parameter of MemoryDB has an allowed value.", _MEMORYDB_PAGE)
_EVENTS_RULE = Rule("Keyspace events are letters that the engine knows, with K or E among them.", _PAGE)
_GROUPS = Rule("A parameter group is of the family of the engine.", f"{_GUIDE}/ParameterGroups.html")
_MODES = Rule("A parameter group has the cluster mode of the store.", f"{_GUIDE}/ParameterGroups.html")
_SERVICES = Rule("A parameter group is one of the store's service.", f"{_GUIDE}/ParameterGroups.html")

_NEWER = "a value that is newer than this library goes into `extra_parameters`"
_POLICIES = (
    "volatile-lru, allkeys-lru, volatile-lfu, allkeys-lfu, volatile-random, allkeys-random, volatile-ttl or noeviction"
)
_YES_NO = "yes or no"
_EVENTS = "the types are K E g $ l s h z x e A t m d n"
_FAMILIES = {"redis:7.1": "redis7", "valkey:8.1": "valkey8", "valkey:9.0": "valkey9", "redis:6.2": "redis6.x"}


def _value(engine: str, name: str, value: str, takes: str, closest: str | None = None) -> Refused:
    settings = {name: value}
    hint = f"did you mean {closest!r}? {_NEWER}" if closest else _NEWER
    call = group(engine=engine, parameters=settings)
    return row(_VALUES, call, "parameters", settings, f"family {_FAMILIES[engine]} takes {takes}", hint)


def _memorydb_value(name: str, value: str, takes: str) -> Refused:
    settings = {name: value}
    reason = f"family memorydb_valkey7 takes {takes}"
    return row(_MEMORYDB_VALUES, cluster(parameters=settings), "parameters", settings, reason, _NEWER)


def _between(low: int, high: int) -> str:
    return f"a whole number from {low} to {high}"


def _from(low: int) -> str:
    return f"a whole number of at least {low}"


def _with_default_group(store: str, name: str, **given: Any) -> Call:
    def make(it: Scene) -> object:
        if store == "cache":
            theirs = ElastiCacheParameterGroup.from_parameter_group_name(it.scope, "Group", name)
            return it.group(parameter_group=theirs, **given)
        theirs = MemoryDbParameterGroup.from_parameter_group_name(it.scope, "Group", name)
        return it.cluster(parameter_group=theirs, **given)

    return make


def _with_group_of_the_other_service(it: Scene) -> object:
    theirs = MemoryDbParameterGroup(it.scope, "Group", engine="valkey:7.2")
    return it.group(engine="valkey:7.2", parameter_group=theirs)


_OF_VALUES = [
    _value("redis:7.1", "maxmemory-policy", "allkeys-lrru", _POLICIES, "allkeys-lru"),
    _value("redis:7.1", "maxmemory-policy", "allkeys_lru", _POLICIES, "allkeys-lru"),
    _value("redis:7.1", "maxmemory-policy", "", _POLICIES),
    _value("redis:7.1", "timeout", "5", "0 or a whole number of at least 20"),
    _value("redis:7.1", "timeout", "19", "0 or a whole number of at least 20"),
    _value("redis:7.1", "timeout", "-1", "0 or a whole number of at least 20"),
    _value("redis:7.1", "timeout", "300s", "0 or a whole number of at least 20"),
    _value("redis:7.1", "timeout", "20\n", "0 or a whole number of at least 20"),
    _value("redis:7.1", "slowlog-max-len", "9" * 5000, _from(0)),
    _value("redis:7.1", "activedefrag", "true", _YES_NO),
    _value("redis:7.1", "activedefrag", "yess", _YES_NO, "yes"),
    _value("redis:7.1", "active-defrag-cycle-max", "76", _between(1, 75)),
    _value("redis:7.1", "active-defrag-cycle-min", "0", _between(1, 75)),
    _value("redis:7.1", "active-defrag-threshold-lower", "101", _between(1, 100)),
    _value("redis:7.1", "active-defrag-ignore-bytes", "1048575", _from(1048576)),
    _value("redis:7.1", "active-defrag-max-scan-fields", "1000001", _between(1, 1000000)),
    _value("redis:7.1", "active-expire-effort", "11", _between(1, 10)),
    _value("redis:7.1", "hll-sparse-max-bytes", "16001", _between(1, 16000)),
    _value("redis:7.1", "lfu-log-factor", "0", _from(1)),
    _value("redis:7.1", "lfu-decay-time", "-1", _from(0)),
    _value("redis:7.1", "maxmemory-samples", "0", _from(1)),
    _value("valkey:8.1", "maxmemory-samples", "65", _between(1, 64)),
    _value("redis:7.1", "reserved-memory-percent", "101", _between(0, 100)),
    _value("redis:7.1", "reserved-memory-percent", "25%", _between(0, 100)),
    _value("redis:7.1", "repl-backlog-size", "16383", _from(16384)),
    _value("redis:7.1", "tcp-keepalive", "1.5", _from(0)),
    _value("redis:7.1", "slowlog-log-slower-than", "10ms", "a whole number"),
    _value("redis:7.1", "client-query-buffer-limit", "1mb", _between(1048576, 1073741824)),
    _value("redis:7.1", "proto-max-bulk-len", "536870913", _between(1048576, 536870912)),
    _value("redis:7.1", "cluster-preferred-endpoint-type", "hostname", "ip or tls-dynamic"),
    _value("redis:6.2", "acl-pubsub-default", "all-channels", "resetchannels or allchannels", "allchannels"),
    _value("redis:7.1", "list-max-listpack-size", "0", "-5, -4, -3, -2, -1 or a whole number of at least 1"),
    _value("redis:7.1", "list-max-listpack-size", "-6", "-5, -4, -3, -2, -1 or a whole number of at least 1"),
    _value("redis:7.1", "rename-commands", "FLUSHALL", "pairs of a command and its new name, separated by spaces"),
    _value("valkey:8.1", "commandlog-large-reply-max-len", "1025", _between(0, 1024)),
    _value("valkey:8.1", "search-default-timeout-ms", "0", _between(1, 60000)),
    _value("valkey:8.1", "search-fanout-target-mode", "clients", "client or throughput", "client"),
    _value("valkey:9.0", "cluster-databases", "10001", _between(1, 10000)),
    _memorydb_value("maxmemory-policy", "lru", _POLICIES),
    _memorydb_value("acllog-max-len", "0", _between(1, 10000)),
    _memorydb_value("tracking-table-max-keys", "100000001", _between(1, 100000000)),
    _memorydb_value("search-query-timeout-ms", "60001", _between(1, 60000)),
    _memorydb_value("search-enabled", "on", _YES_NO),
    _memorydb_value("latency-tracking", "1", _YES_NO),
    row(
        _EVENTS_RULE,
        group(parameters={"notify-keyspace-events": "KEq"}),
        "parameters",
        {"notify-keyspace-events": "KEq"},
        f"'q' is no type of events; {_EVENTS}",
        _NEWER,
    ),
    row(
        _EVENTS_RULE,
        cluster(parameters={"notify-keyspace-events": "x"}),
        "parameters",
        {"notify-keyspace-events": "x"},
        "without K (keyspace) or E (key events) no event is delivered",
        "write 'Kx' or 'Ex'",
    ),
    row(
        _VALUES,
        parameter_group("valkey:8.1", parameters={"timeout": "1"}),
        "parameters",
        {"timeout": "1"},
        "family valkey8 takes 0 or a whole number of at least 20",
        _NEWER,
    ),
    row(
        _NAMES,
        parameter_group("valkey:8.1", parameters={"tmieout": "20"}),
        "parameters",
        {"tmieout": "20"},
        "family valkey8 has no such parameter",
        "did you mean 'timeout'? a parameter that is newer than this library goes into `extra_parameters`",
    ),
    row(
        _VALUES,
        lambda it: MemoryDbParameterGroup(it.scope, "It", engine="redis:6.2", parameters={"timeout": "1"}),
        "parameters",
        {"timeout": "1"},
        "family memorydb_redis6 takes 0 or a whole number of at least 20",
        _NEWER,
    ),
    row(
        _VALUES,
        global_datastore(engine="valkey:9.0", parameters={"timeout": "1"}),
        "parameters",
        {"timeout": "1"},
        "family valkey9 takes 0 or a whole number of at least 20",
        _NEWER,
    ),
]

_OF_GROUPS = [
    row(
        _GROUPS,
        _with_default_group("cache", "default.redis7"),
        "parameter_group",
        "redis7",
        "valkey 8.1 is of the family valkey8",
        "",
    ),
    row(
        _MODES,
        _with_default_group("cache", "default.valkey8.cluster.on"),
        "parameter_group",
        "default.valkey8.cluster.on",
        "it has cluster mode on, unlike the store",
        "use 'default.valkey8'",
    ),
    row(
        _MODES,
        _with_default_group("cache", "default.redis6.x", engine="redis:6.2", shards=2),
        "parameter_group",
        "default.redis6.x",
        "it has cluster mode off, unlike the store",
        "use 'default.redis6.x.cluster.on'",
    ),
    row(
        _SERVICES,
        _with_default_group("cache", "default.memorydb-valkey7", engine="valkey:7.2"),
        "parameter_group",
        "memorydb_valkey7",
        "it is a group of MemoryDB",
        "give the store a parameter group of ElastiCache",
    ),
    row(
        _SERVICES,
        _with_default_group("ledger", "default.valkey7"),
        "parameter_group",
        "valkey7",
        "it is a group of ElastiCache",
        "give the store a parameter group of MemoryDB",
    ),
    row(
        _GROUPS,
        _with_default_group("ledger", "default.memorydb-redis7"),
        "parameter_group",
        "memorydb_redis7",
        "valkey 7.3 is of the family memorydb_valkey7",
        "",
    ),
    row(
        _SERVICES,
        _with_group_of_the_other_service,
        "parameter_group",
        "memorydb_valkey7",
        "it is a group of MemoryDB",
        "give the store a parameter group of ElastiCache",
    ),
]

REFUSED = [*_OF_VALUES, *_OF_GROUPS]

ACCEPTED = [
    Accepted(
        "Values at both ends of their ranges.",
        group(
            parameters={
                "active-defrag-cycle-max": "75",
                "active-defrag-cycle-min": "1",
                "client-query-buffer-limit": "1048576",
                "hll-sparse-max-bytes": "16000",
                "list-compress-depth": "0",
                "maxmemory-samples": "64",
                "reserved-memory-percent": "100",
                "slowlog-log-slower-than": "-1",
                "timeout": "20",
            }
        ),
    ),
    Accepted("More samples before Valkey 8.", group(engine="valkey:7.2", parameters={"maxmemory-samples": "65"})),
    Accepted("All events, and none.", group(parameters={"notify-keyspace-events": "AKE"})),
    Accepted("No events.", cluster(parameters={"notify-keyspace-events": ""})),
    Accepted("A never ending timeout.", cluster(parameters={"timeout": "0"})),
    Accepted(
        "Renamed commands.",
        group(engine="redis:6.2", parameters={"rename-commands": "FLUSHALL flushall-by-hand KEYS keys-by-hand"}),
    ),
    Accepted("Sizes of lists.", group(engine="redis:7.1", parameters={"list-max-listpack-size": "-5"})),
    Accepted("A value that is a token.", lambda it: it.group(parameters={"timeout": token(it)})),
    Accepted("A value that is newer than the table.", group(extra_parameters={"timeout": "5"})),
    Accepted(
        "A MemoryDB value that is newer than the table.", cluster(extra_parameters={"maxmemory-policy": "allkeys-lrm"})
    ),
    Accepted("A newer value in a parameter group.", parameter_group("valkey:8.1", extra_parameters={"timeout": "5"})),
    Accepted(
        "Values of a family that is not known.",
        group(engine=Engine.of("valkey", "10.0", elasticache_family="valkey10"), parameters={"timeout": "5"}),
    ),
    Accepted("The default group of the family.", _with_default_group("cache", "default.valkey8.cluster.on", shards=1)),
    Accepted("The default group of MemoryDB.", _with_default_group("ledger", "default.memorydb-valkey7")),
    Accepted("The default group for vector search.", _with_default_group("ledger", "default.memorydb-valkey7.search")),
    Accepted("A group of one's own.", _with_default_group("cache", "default.orders", shards=1)),
]
