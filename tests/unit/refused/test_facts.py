"""What AWS refuses because of a fact of the service: node types, versions, parameter values, scaling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    Authentication,
    ConfigurationError,
    Durability,
    ElastiCacheParameterGroup,
    Engine,
    GlobalDatastore,
    LogDelivery,
    MemoryDbCluster,
    MemoryDbParameterGroup,
    MultiRegionCluster,
    NodeType,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
)

Make = Callable[[cdk.Stack, RedisNetwork], object]


class Refused(NamedTuple):
    """A wrong input and the message that names it."""

    id: str
    make: Make
    parameter: str
    given: object
    reason: str
    hint: str
    where: str = "Stack/It"


def _cache(**given: Any) -> Make:
    return lambda stack, network: ReplicationGroup(stack, "It", network=network, **given)


def _old(version: str, **given: Any) -> Make:
    """A replication group of a version that has no users."""
    return _cache(engine=Engine.redis(version), authentication=Authentication.auth_token(), **given)


def _ledger(**given: Any) -> Make:
    return lambda stack, network: MemoryDbCluster(stack, "It", network=network, **given)


def _everywhere(**given: Any) -> Make:
    return lambda stack, _: MultiRegionCluster(stack, "It", **given)


def _parameters(engine: str, **given: Any) -> Make:
    return lambda stack, _: ElastiCacheParameterGroup(stack, "It", engine=engine, cluster_mode=False, **given)


def _scaled(dimension: str = "shards", **given: Any) -> Make:
    def make(stack: cdk.Stack, network: RedisNetwork) -> object:
        cache = ReplicationGroup(stack, "It", network=network, **{"shards": 2, "node_type": "cache.r7g.large"} | given)
        return getattr(cache, f"scale_{dimension}")(minimum=1, maximum=3)

    return make


def _global(of: dict[str, Any] | None = None, *, scale: str | None = None, **given: Any) -> Make:
    def make(stack: cdk.Stack, network: RedisNetwork) -> object:
        primary = ReplicationGroup(stack, "Primary", network=network, **{"node_type": "cache.r7g.large"} | (of or {}))
        if scale is not None:
            getattr(primary, f"scale_{scale}")(minimum=1, maximum=3)
        return GlobalDatastore(stack, "It", primary=primary, **given)

    return make


def _scaled_later(stack: cdk.Stack, network: RedisNetwork) -> object:
    cache = ReplicationGroup(stack, "It", network=network, node_type="cache.r7g.large", shards=2)
    GlobalDatastore(stack, "Everywhere", primary=cache)
    return cache.scale_replicas(minimum=1, maximum=3)


def _with_default_group(store: str, name: str, **given: Any) -> Make:
    def make(stack: cdk.Stack, network: RedisNetwork) -> object:
        if store == "cache":
            group = ElastiCacheParameterGroup.from_parameter_group_name(stack, "Group", name)
            return ReplicationGroup(stack, "It", network=network, parameter_group=group, **given)
        group = MemoryDbParameterGroup.from_parameter_group_name(stack, "Group", name)
        return MemoryDbCluster(stack, "It", network=network, parameter_group=group, **given)

    return make


def _with_group_of_the_other_service(stack: cdk.Stack, network: RedisNetwork) -> object:
    group = MemoryDbParameterGroup(stack, "Group", engine="valkey:7.2")
    return ReplicationGroup(stack, "It", network=network, engine="valkey:7.2", parameter_group=group)


_LARGE = "large, xlarge, 2xlarge, 4xlarge, 8xlarge, 12xlarge, 16xlarge"
_NEWER = "a value that is newer than this library goes into `extra_parameters`"
_OTHER_NODES = "choose a newer engine, or another node type"
_SCALED = (
    "ElastiCache scales r8g, r8gd, r7g, r7gd, r6g, r6gd, r5, m8g, m7g, m6g, m5, c8gn, c7gn nodes of the sizes large, "
    "xlarge, 2xlarge"
)
_EVERYWHERE = (
    "a global datastore needs m5, m6g, m7g, m8g, r5, r6g, r6gd, r7g, r8g, c7gn, c8gn nodes of size large or larger"
)
_USE_R7G = "use one such as cache.r7g.large"


def _of(name: str, closest: str | None = None) -> str:
    meant = f"did you mean {closest!r}? " if closest else ""
    return f"{meant}write NodeType.of({name!r}) if it is newer than this library"


def _sizes(name: str, sizes: str, closest: str | None = None, make: Make | None = None) -> Refused:
    reason = f"{name.split('.')[1]} nodes have the sizes {sizes}"
    return Refused(f"size {name}", make or _cache(node_type=name), "node_type", name, reason, _of(name, closest))


def _family(name: str, service: str, closest: str | None = None, make: Make | None = None) -> Refused:
    reason = f"{service} has no nodes of the family {name.split('.')[1]}"
    return Refused(f"family {name}", make or _cache(node_type=name), "node_type", name, reason, _of(name, closest))


def _retired(name: str) -> Refused:
    reason = f"ElastiCache creates no new clusters on {name.split('.')[1]} nodes, a previous generation"
    hint = f"{_USE_R7G}, or NodeType.of({name!r}) for a store that has them"
    return Refused(f"retired {name}", _cache(node_type=name), "node_type", name, reason, hint)


def _too_old(name: str, version: str, needs: str) -> Refused:
    make = _old(version, node_type=name) if version < "6" else _cache(engine=f"redis:{version}", node_type=name)
    reason = f"{name.split('.')[1]} nodes need {needs}, and the engine is redis {version}"
    return Refused(f"{name} with Redis OSS {version}", make, "node_type", name, reason, _OTHER_NODES)


def _value(engine: str, name: str, value: str, takes: str, closest: str | None = None) -> Refused:
    settings = {name: value}
    family = {"redis:7.1": "redis7", "valkey:8.1": "valkey8", "valkey:9.0": "valkey9", "redis:6.2": "redis6.x"}[engine]
    hint = f"did you mean {closest!r}? {_NEWER}" if closest else _NEWER
    make = _cache(engine=engine, parameters=settings)
    return Refused(f"{name} {value!r}", make, "parameters", settings, f"family {family} takes {takes}", hint)


def _memorydb_value(name: str, value: str, takes: str, closest: str | None = None) -> Refused:
    settings = {name: value}
    hint = f"did you mean {closest!r}? {_NEWER}" if closest else _NEWER
    make = _ledger(parameters=settings)
    return Refused(
        f"MemoryDB {name} {value!r}", make, "parameters", settings, f"family memorydb_valkey7 takes {takes}", hint
    )


def _between(low: int, high: int) -> str:
    return f"a whole number from {low} to {high}"


def _from(low: int) -> str:
    return f"a whole number of at least {low}"


_POLICIES = (
    "volatile-lru, allkeys-lru, volatile-lfu, allkeys-lfu, volatile-random, allkeys-random, volatile-ttl or noeviction"
)
_YES_NO = "yes or no"
_EVENTS = "the types are K E g $ l s h z x e A t m d n"

NODE_TYPES = [
    _sizes("cache.r7g.lage", _LARGE, "cache.r7g.large"),
    _sizes("cache.t4g.huge", "micro, small, medium", "cache.t4g.medium"),
    _sizes("cache.t4g.large", "micro, small, medium", "cache.t4g.small"),
    _sizes("cache.r6gd.large", "xlarge, 2xlarge, 4xlarge, 8xlarge, 12xlarge, 16xlarge", "cache.r6gd.xlarge"),
    _sizes("cache.m5.8xlarge", "large, xlarge, 2xlarge, 4xlarge, 12xlarge, 24xlarge", "cache.m5.xlarge"),
    _sizes("cache.r4.24xlarge", "large, xlarge, 2xlarge, 4xlarge, 8xlarge, 16xlarge", "cache.r4.4xlarge"),
    _sizes("cache.m8g.32xlarge", _LARGE, "cache.m8g.2xlarge"),
    _family("cache.r9g.large", "ElastiCache", "cache.r8g.large"),
    _family("cache.r7gg.large", "ElastiCache", "cache.r7g.large"),
    _family("cache.g4dn.xlarge", "ElastiCache", "cache.r6gd.xlarge"),
    _family("cache.r5d.large", "ElastiCache", "cache.r5.large", _cache(node_type=ec2.InstanceType("r5d.large"))),
    _retired("cache.t1.micro"),
    _retired("cache.m1.small"),
    _retired("cache.m2.xlarge"),
    _retired("cache.m3.medium"),
    _retired("cache.c1.xlarge"),
    _retired("cache.r3.8xlarge"),
    _too_old("cache.t4g.small", "4.0.10", "Redis OSS 5.0.6 or newer, or Valkey"),
    _too_old("cache.t4g.micro", "4.0.10", "Redis OSS 5.0.6 or newer, or Valkey"),
    _too_old("cache.m6g.large", "4.0.10", "Redis OSS 5.0.6 or newer, or Valkey"),
    _too_old("cache.r6g.large", "4.0.10", "Redis OSS 5.0.6 or newer, or Valkey"),
    _too_old("cache.r7g.large", "6.0", "Redis OSS 6.2 or newer, or Valkey"),
    _too_old("cache.m7g.large", "5.0.6", "Redis OSS 6.2 or newer, or Valkey"),
    _too_old("cache.c7gn.large", "6.0", "Redis OSS 6.2 or newer, or Valkey"),
    _too_old("cache.r6gd.xlarge", "6.0", "Redis OSS 6.2 or newer, or Valkey"),
    _too_old("cache.m8g.large", "7.1", "Valkey 7.2 or newer"),
    _too_old("cache.r8g.large", "7.1", "Valkey 7.2 or newer"),
    _too_old("cache.c8gn.large", "7.0", "Valkey 7.2 or newer"),
    Refused(
        "the default node type with Redis OSS 4.0.10",
        _old("4.0.10"),
        "node_type",
        "cache.t4g.small",
        "t4g nodes need Redis OSS 5.0.6 or newer, or Valkey, and the engine is redis 4.0.10",
        _OTHER_NODES,
    ),
    _sizes("db.t4g.micro", "small, medium", "db.t4g.medium", _ledger(node_type="db.t4g.micro")),
    _sizes(
        "db.r6gd.16xlarge", "xlarge, 2xlarge, 4xlarge, 8xlarge", "db.r6gd.xlarge", _ledger(node_type="db.r6gd.16xlarge")
    ),
    _sizes("db.r6gd.large", "xlarge, 2xlarge, 4xlarge, 8xlarge", "db.r6gd.xlarge", _ledger(node_type="db.r6gd.large")),
    _family("db.m7g.large", "MemoryDB", "db.r7g.large", _ledger(node_type="db.m7g.large")),
    _family("db.r5.large", "MemoryDB", "db.r7g.large", _ledger(node_type=ec2.InstanceType("r5.large"))),
    _family("db.t3.small", "MemoryDB", "db.t4g.small", _ledger(node_type="db.t3.small")),
    _family("db.r8g.large", "MemoryDB", "db.r7g.large", _ledger(node_type="db.r8g.large")),
    _sizes("db.r7g.9xlarge", _LARGE, "db.r7g.xlarge", _everywhere(node_type="db.r7g.9xlarge")),
    _family("db.r9g.xlarge", "MemoryDB", "db.r7g.xlarge", _everywhere(node_type="db.r9g.xlarge")),
    Refused(
        "Multi-Region cluster on r6g",
        _everywhere(node_type="db.r6g.xlarge"),
        "node_type",
        "db.r6g.xlarge",
        "Multi-Region clusters run on db.r7g.xlarge and larger",
        "use one such as db.r7g.xlarge",
    ),
]

VERSIONS = [
    Refused(
        "251 shards before 5.0.6",
        _old("4.0.10", node_type="cache.m5.large", shards=251, replicas=0),
        "shards",
        251,
        "a store of redis 4.0.10 has 1 to 250 shards",
        "",
    ),
    Refused(
        "252 nodes before 5.0.6",
        _old("4.0.10", node_type="cache.m5.large", shards=126, replicas=1),
        "shards",
        126,
        "126 shards of 2 nodes are 252 nodes, and the maximum of redis 4.0.10 is 250",
        "",
    ),
    Refused("501 shards", _old("5.0.6", shards=501, replicas=0), "shards", 501, "a store has 1 to 500 shards", ""),
    Refused(
        "502 nodes",
        _cache(shards=251),
        "shards",
        251,
        "251 shards of 2 nodes are 502 nodes, and the maximum is 500",
        "",
    ),
    Refused(
        "502 nodes of a global datastore",
        _global({"shards": 2}, shards=251),
        "shards",
        251,
        "251 shards of 2 nodes are 502 nodes, and the maximum is 500",
        "",
    ),
    Refused(
        "a version that was never released",
        lambda *_: Engine.redis("6.1"),
        "version",
        "6.1",
        "ElastiCache offers redis 4.0.10, 5.0.6, 6.0, 6.2, 7.0, 7.1 and MemoryDB redis 6.2, 7.0, 7.1",
        "the next version is '6.2'",
        "Engine.redis",
    ),
    Refused(
        "a version that is past its end of life",
        lambda *_: Engine.from_text("redis:3.2.10"),
        "version",
        "3.2.10",
        "ElastiCache offers redis 4.0.10, 5.0.6, 6.0, 6.2, 7.0, 7.1 and MemoryDB redis 6.2, 7.0, 7.1",
        "the next version is '4.0.10'",
        "Engine.redis",
    ),
    Refused(
        "a serverless cache of Redis OSS 6",
        lambda stack, network: ServerlessCache(stack, "It", network=network, engine=Engine.of("redis", "6")),
        "engine",
        "redis 6",
        "a serverless cache runs a major version: redis 7 and valkey 7, 8, 9",
        'write Engine.redis("7")',
    ),
    Refused(
        "a slow log before 6.0",
        _old("5.0.6", log_delivery=[LogDelivery.slow_log()]),
        "log_delivery",
        "slow-log",
        "redis 5.0.6 does not have this log",
        "use Valkey, or Redis OSS 6.0 or newer",
    ),
    Refused(
        "an engine log before 6.2",
        _cache(engine="redis:6.0", log_delivery=[LogDelivery.engine_log()]),
        "log_delivery",
        "engine-log",
        "redis 6.0 does not have this log",
        "use Valkey, or Redis OSS 6.2 or newer",
    ),
]

VALUES = [
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
    Refused(
        "a letter that is no event",
        _cache(parameters={"notify-keyspace-events": "KEq"}),
        "parameters",
        {"notify-keyspace-events": "KEq"},
        f"'q' is no type of events; {_EVENTS}",
        _NEWER,
    ),
    Refused(
        "events without a channel",
        _ledger(parameters={"notify-keyspace-events": "x"}),
        "parameters",
        {"notify-keyspace-events": "x"},
        "without K (keyspace) or E (key events) no event is delivered",
        "write 'Kx' or 'Ex'",
    ),
    Refused(
        "a wrong value in a parameter group",
        _parameters("valkey:8.1", parameters={"timeout": "1"}),
        "parameters",
        {"timeout": "1"},
        "family valkey8 takes 0 or a whole number of at least 20",
        _NEWER,
    ),
    Refused(
        "a wrong name in a parameter group",
        _parameters("valkey:8.1", parameters={"tmieout": "20"}),
        "parameters",
        {"tmieout": "20"},
        "family valkey8 has no such parameter",
        "did you mean 'timeout'? a parameter that is newer than this library goes into `extra_parameters`",
    ),
    Refused(
        "a wrong value in a MemoryDB parameter group",
        lambda stack, _: MemoryDbParameterGroup(stack, "It", engine="redis:6.2", parameters={"timeout": "1"}),
        "parameters",
        {"timeout": "1"},
        "family memorydb_redis6 takes 0 or a whole number of at least 20",
        _NEWER,
    ),
    Refused(
        "a wrong value in a global datastore",
        _global(engine="valkey:9.0", parameters={"timeout": "1"}),
        "parameters",
        {"timeout": "1"},
        "family valkey9 takes 0 or a whole number of at least 20",
        _NEWER,
    ),
]

GROUPS = [
    Refused(
        "a default group of another family",
        _with_default_group("cache", "default.redis7"),
        "parameter_group",
        "redis7",
        "valkey 8.1 is of the family valkey8",
        "",
    ),
    Refused(
        "a default group with cluster mode on",
        _with_default_group("cache", "default.valkey8.cluster.on"),
        "parameter_group",
        "default.valkey8.cluster.on",
        "it has cluster mode on, unlike the store",
        "use 'default.valkey8'",
    ),
    Refused(
        "a default group with cluster mode off",
        _with_default_group("cache", "default.redis6.x", engine="redis:6.2", shards=2),
        "parameter_group",
        "default.redis6.x",
        "it has cluster mode off, unlike the store",
        "use 'default.redis6.x.cluster.on'",
    ),
    Refused(
        "a default group of MemoryDB in ElastiCache",
        _with_default_group("cache", "default.memorydb-valkey7", engine="valkey:7.2"),
        "parameter_group",
        "memorydb_valkey7",
        "it is a group of MemoryDB",
        "give the store a parameter group of ElastiCache",
    ),
    Refused(
        "a default group of ElastiCache in MemoryDB",
        _with_default_group("ledger", "default.valkey7"),
        "parameter_group",
        "valkey7",
        "it is a group of ElastiCache",
        "give the store a parameter group of MemoryDB",
    ),
    Refused(
        "a default group of another family in MemoryDB",
        _with_default_group("ledger", "default.memorydb-redis7"),
        "parameter_group",
        "memorydb_redis7",
        "valkey 7.3 is of the family memorydb_valkey7",
        "",
    ),
    Refused(
        "a group of the other service",
        _with_group_of_the_other_service,
        "parameter_group",
        "memorydb_valkey7",
        "it is a group of MemoryDB",
        "give the store a parameter group of ElastiCache",
    ),
]

SCALING = [
    Refused("scaling of t3", _scaled(node_type="cache.t3.medium"), "node_type", "cache.t3.medium", _SCALED, _USE_R7G),
    Refused("scaling of r4", _scaled(node_type="cache.r4.large"), "node_type", "cache.r4.large", _SCALED, _USE_R7G),
    Refused("scaling of m4", _scaled(node_type="m4.xlarge"), "node_type", "cache.m4.xlarge", _SCALED, _USE_R7G),
    Refused(
        "scaling of large nodes",
        _scaled("replicas", node_type="cache.r7g.4xlarge"),
        "node_type",
        "cache.r7g.4xlarge",
        _SCALED,
        _USE_R7G,
    ),
    Refused(
        "scaling of Redis OSS 5",
        _scaled(node_type="cache.m5.large", engine=Engine.redis("5.0.6"), authentication=Authentication.auth_token()),
        "engine",
        "redis 5.0.6",
        "ElastiCache scales stores of Redis OSS 6.0 or newer, or Valkey",
        "choose a newer engine",
    ),
    Refused(
        "scaling of data tiering before 7.0.7",
        _scaled(node_type="cache.r6gd.xlarge", engine="redis:6.2"),
        "engine",
        "redis 6.2",
        "ElastiCache scales stores with data tiering of Redis OSS 7.0.7 or newer, or Valkey",
        "choose a newer engine",
    ),
    Refused(
        "scaling of a member of a global datastore",
        _scaled_later,
        "replicas",
        1,
        "ElastiCache does not scale members of a global datastore",
        "change `shards` of the GlobalDatastore",
    ),
    Refused(
        "a global datastore around a scaled store",
        _global({"shards": 2}, scale="shards"),
        "primary",
        "Stack/Primary",
        "ElastiCache does not scale members of a global datastore",
        "leave out scale_shards and scale_replicas",
    ),
    Refused(
        "a global datastore with durability",
        _global({"engine": "valkey:9.0", "shards": 1, "durability": Durability.SYNC}),
        "primary",
        "Stack/Primary",
        "a global datastore does not support durability",
        "leave out its `durability`",
    ),
    Refused(
        "a global datastore of Redis OSS 4",
        _global({"engine": "redis:4.0.10", "node_type": "cache.m5.large", "unsafe_open_access": True}),
        "primary",
        "redis 4.0.10",
        "a global datastore needs Redis OSS 5.0.6 or newer, or Valkey",
        "choose a newer engine",
    ),
    Refused(
        "a global datastore of t3",
        _global({"node_type": "cache.t3.medium"}),
        "primary",
        "cache.t3.medium",
        _EVERYWHERE,
        "use a node type such as cache.r7g.large",
    ),
    Refused(
        "a global datastore that moves to m4",
        _global(node_type="cache.m4.large"),
        "node_type",
        "cache.m4.large",
        _EVERYWHERE,
        "use a node type such as cache.r7g.large",
    ),
    Refused(
        "a global datastore that moves to a size that does not exist",
        _global(node_type="cache.m7g.24xlarge"),
        "node_type",
        "cache.m7g.24xlarge",
        f"m7g nodes have the sizes {_LARGE}",
        _of("cache.m7g.24xlarge", "cache.m7g.4xlarge"),
    ),
    Refused(
        "a global datastore of Redis OSS that moves to r8g",
        _global({"engine": "redis:7.1"}, node_type="cache.r8g.large"),
        "node_type",
        "cache.r8g.large",
        "r8g nodes need Valkey 7.2 or newer, and the engine is redis 7.1",
        _OTHER_NODES,
    ),
]

REFUSED = [*NODE_TYPES, *VERSIONS, *VALUES, *GROUPS, *SCALING]


@pytest.mark.parametrize("name", [5, None, ("timeout",)])
@pytest.mark.parametrize(
    "make",
    [_cache, _ledger, lambda **given: _parameters("valkey:8.1", **given)],
    ids=["ElastiCache", "MemoryDB", "parameter group"],
)
def test_a_name_that_is_not_text_is_refused(
    stack: cdk.Stack, network: RedisNetwork, make: Callable[..., Make], name: object
) -> None:
    with pytest.raises(ConfigurationError, match="its keys must be text"):
        make(parameters={name: "20"})(stack, network)


LEGAL: dict[str, Make] = {
    "Redis OSS 4.0.10 on t3": _old("4.0.10", node_type="cache.t3.small"),
    "Redis OSS 4.0.10 on m5": _old("4.0.10", node_type="cache.m5.24xlarge"),
    "Redis OSS 5.0.6 on the default node type": _old("5.0.6"),
    "Redis OSS 5.0.6 on m6g": _old("5.0.6", node_type="cache.m6g.16xlarge"),
    "Redis OSS 6.2 on r7g": _cache(engine="redis:6.2", node_type="cache.r7g.large"),
    "Redis OSS 6.2 on r6gd": _cache(engine="redis:6.2", node_type="cache.r6gd.xlarge"),
    "Valkey 7.2 on r8g": _cache(engine="valkey:7.2", node_type="cache.r8g.16xlarge"),
    "t2": _cache(node_type="cache.t2.micro"),
    "an EC2 instance type": _cache(node_type=ec2.InstanceType("c7gn.2xlarge")),
    "a node type that is newer than the table": _cache(node_type=NodeType.of("cache.r9g.large")),
    "a previous generation of a store that exists": _cache(node_type=NodeType.of("cache.r3.large")),
    "a node type that is a token": _cache(node_type=cdk.Fn.ref("NodeType")),
    "MemoryDB on its smallest and newest": _ledger(node_type="db.t4g.small"),
    "MemoryDB with data tiering": _ledger(node_type="db.r6gd.8xlarge"),
    "MemoryDB on a newer node type": _ledger(node_type=NodeType.of("db.r9g.large")),
    "Multi-Region on the largest": _everywhere(node_type="db.r7g.16xlarge"),
    "Multi-Region on a newer node type": _everywhere(node_type=NodeType.of("db.r9g.large")),
    "250 shards of Redis OSS 4.0.10": _old("4.0.10", node_type="cache.m5.large", shards=250, replicas=0),
    "250 nodes of Redis OSS 4.0.10": _old("4.0.10", node_type="cache.m5.large", shards=125, replicas=1),
    "500 shards of Redis OSS 5.0.6": _old("5.0.6", shards=500, replicas=0),
    "83 shards of 6 nodes": _cache(shards=83, replicas=5),
    "values at both ends of their ranges": _cache(
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
    "more samples before Valkey 8": _cache(engine="valkey:7.2", parameters={"maxmemory-samples": "65"}),
    "all events, and none": _cache(parameters={"notify-keyspace-events": "AKE"}),
    "no events": _ledger(parameters={"notify-keyspace-events": ""}),
    "a never ending timeout": _ledger(parameters={"timeout": "0"}),
    "renamed commands": _cache(
        engine="redis:6.2", parameters={"rename-commands": "FLUSHALL flushall-by-hand KEYS keys-by-hand"}
    ),
    "sizes of lists": _cache(engine="redis:7.1", parameters={"list-max-listpack-size": "-5"}),
    "a value that is a token": _cache(parameters={"timeout": cdk.Fn.ref("Timeout")}),
    "a value that is newer than the table": _cache(extra_parameters={"timeout": "5"}),
    "a MemoryDB value that is newer than the table": _ledger(extra_parameters={"maxmemory-policy": "allkeys-lrm"}),
    "a newer value in a parameter group": _parameters("valkey:8.1", extra_parameters={"timeout": "5"}),
    "a newer value in a global datastore": _global(engine="valkey:9.0", extra_parameters={"timeout": "5"}),
    "values of a family that is not known": _cache(
        engine=Engine.of("valkey", "10.0", elasticache_family="valkey10"), parameters={"timeout": "5"}
    ),
    "the default group of the family": _with_default_group("cache", "default.valkey8.cluster.on", shards=1),
    "the default group of MemoryDB": _with_default_group("ledger", "default.memorydb-valkey7"),
    "the default group for vector search": _with_default_group("ledger", "default.memorydb-valkey7.search"),
    "a group of one's own": _with_default_group("cache", "default.orders", shards=1),
    "scaling of the largest that scales": _scaled(node_type="cache.m5.2xlarge", engine="redis:6.0"),
    "scaling of data tiering": _scaled(node_type="cache.r6gd.xlarge", engine="redis:7.0"),
    "scaling of a newer node type": _scaled(node_type=NodeType.of("cache.r9g.8xlarge")),
    "a global datastore of Redis OSS 5.0.6": _global(
        {"engine": "redis:5.0.6", "node_type": "cache.m5.large", "unsafe_open_access": True}
    ),
    "a global datastore of c8gn": _global({"node_type": "cache.c8gn.large"}, node_type="cache.m8g.16xlarge"),
    "a global datastore of a newer node type": _global({"node_type": NodeType.of("cache.r9g.large")}),
    "a serverless cache of a newer version": lambda stack, network: ServerlessCache(
        stack, "It", network=network, engine=Engine.of("valkey", "10")
    ),
}


@pytest.mark.parametrize("row", REFUSED, ids=[row.id for row in REFUSED])
def test_what_the_service_does_not_have_is_refused(stack: cdk.Stack, network: RedisNetwork, row: Refused) -> None:
    with pytest.raises(ConfigurationError) as caught:
        row.make(stack, network)

    hint = f"; {row.hint}" if row.hint else ""
    assert str(caught.value) == f"{row.where}: {row.parameter}: got {row.given!r}, but {row.reason}{hint}"


@pytest.mark.parametrize("make", LEGAL.values(), ids=LEGAL.keys())
def test_what_the_service_has_is_accepted(stack: cdk.Stack, network: RedisNetwork, make: Make) -> None:
    make(stack, network)

    Template.from_stack(stack)


@pytest.mark.parametrize(
    "make", [_cache(shards=31, replicas=2), _ledger(shards=91, replicas=0)], ids=["ElastiCache", "MemoryDB"]
)
def test_more_nodes_than_the_default_quota_are_an_info(stack: cdk.Stack, network: RedisNetwork, make: Make) -> None:
    make(stack, network)

    message = Match.string_like_regexp("exceed the default quota of 90 nodes per cluster; AWS raises it on request")
    Annotations.from_stack(stack).has_info("/Stack/It", message)


def test_as_many_nodes_as_the_default_quota_are_no_info(stack: cdk.Stack, network: RedisNetwork) -> None:
    _cache(shards=15, replicas=5)(stack, network)

    Annotations.from_stack(stack).has_no_info("/Stack/It", Match.any_value())


def test_the_table_is_long_enough() -> None:
    assert len({row.id for row in REFUSED}) == len(REFUSED) >= 60
    assert len(LEGAL) >= 25
