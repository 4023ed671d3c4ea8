"""Node types, numbers of nodes and versions that AWS does not have."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2

from cdk_redis import Engine, LogDelivery, NodeType
from tests.compliance.refused.calls import (
    Call,
    Rule,
    cluster,
    global_datastore,
    group,
    multi_region,
    old_group,
    row,
    token,
)
from tests.compliance.refused.rows import Accepted, Refused

_GUIDE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg"
_API = "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html"
_TYPES = f"{_GUIDE}/CacheNodes.SupportedTypes.html"
_MEMORYDB_TYPES = "https://docs.aws.amazon.com/memorydb/latest/devguide/nodes.supportedtypes.html"
_SIZES = Rule("A family of node types has the sizes that AWS lists.", _TYPES)
_FAMILIES = Rule("A node type belongs to a family that the service has; `NodeType.of` accepts a newer one.", _TYPES)
_RETIRED = Rule("AWS creates no new clusters on previous generations.", _API)
_FIRST_VERSION = Rule("A node type runs the engine from some version on.", _TYPES)
_MEMORYDB_SIZES = Rule("A family of MemoryDB has the sizes that AWS lists.", _MEMORYDB_TYPES)
_MEMORYDB_FAMILIES = Rule("MemoryDB has fewer families of node types than ElastiCache.", _MEMORYDB_TYPES)
_MULTI_REGION = Rule(
    "Multi-Region clusters run on r7g nodes from xlarge on.",
    "https://docs.aws.amazon.com/memorydb/latest/devguide/multi-region.prereq.html",
)
_NODES = Rule("A store has up to 500 shards and nodes, with Redis OSS before 5.0.6 up to 250.", _API)
_VERSIONS = Rule(
    "An engine version is one that AWS offers; `Engine.of` accepts a newer one.", f"{_GUIDE}/engine-versions.html"
)
_SERVERLESS = Rule("A serverless cache runs Valkey, or Redis OSS 7.", f"{_GUIDE}/engine-versions.html")
_LOGS = Rule("The slow log needs Redis OSS 6.0, the engine log 6.2, or Valkey.", f"{_GUIDE}/Log_Delivery.html")

_LARGE = "large, xlarge, 2xlarge, 4xlarge, 8xlarge, 12xlarge, 16xlarge"
_OTHER_NODES = "choose a newer engine, or another node type"


def _of(name: str, closest: str) -> str:
    return f"did you mean {closest!r}? write NodeType.of({name!r}) if it is newer than this library"


def _sizes(name: str, sizes: str, closest: str, call: Call | None = None) -> Refused:
    rule = _MEMORYDB_SIZES if name.startswith("db.") else _SIZES
    reason = f"{name.split('.')[1]} nodes have the sizes {sizes}"
    return row(rule, call or group(node_type=name), "node_type", name, reason, _of(name, closest))


def _family(name: str, service: str, closest: str, call: Call | None = None) -> Refused:
    rule = _MEMORYDB_FAMILIES if name.startswith("db.") else _FAMILIES
    reason = f"{service} has no nodes of the family {name.split('.')[1]}"
    return row(rule, call or group(node_type=name), "node_type", name, reason, _of(name, closest))


def _retired(name: str) -> Refused:
    reason = f"ElastiCache creates no new clusters on {name.split('.')[1]} nodes, a previous generation"
    hint = f"use one such as cache.r7g.large, or NodeType.of({name!r}) for a store that has them"
    return row(_RETIRED, group(node_type=name), "node_type", name, reason, hint)


def _too_old(name: str, version: str, needs: str) -> Refused:
    call = old_group(version, node_type=name) if version < "6" else group(engine=f"redis:{version}", node_type=name)
    reason = f"{name.split('.')[1]} nodes need {needs}, and the engine is redis {version}"
    return row(_FIRST_VERSION, call, "node_type", name, reason, _OTHER_NODES)


_NODE_TYPES = [
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
    _family("cache.r5d.large", "ElastiCache", "cache.r5.large", group(node_type=ec2.InstanceType("r5d.large"))),
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
    row(
        _FIRST_VERSION,
        old_group("4.0.10"),
        "node_type",
        "cache.t4g.small",
        "t4g nodes need Redis OSS 5.0.6 or newer, or Valkey, and the engine is redis 4.0.10",
        _OTHER_NODES,
    ),
    _sizes("db.t4g.micro", "small, medium", "db.t4g.medium", cluster(node_type="db.t4g.micro")),
    _sizes(
        "db.r6gd.16xlarge", "xlarge, 2xlarge, 4xlarge, 8xlarge", "db.r6gd.xlarge", cluster(node_type="db.r6gd.16xlarge")
    ),
    _sizes("db.r6gd.large", "xlarge, 2xlarge, 4xlarge, 8xlarge", "db.r6gd.xlarge", cluster(node_type="db.r6gd.large")),
    _family("db.m7g.large", "MemoryDB", "db.r7g.large", cluster(node_type="db.m7g.large")),
    _family("db.r5.large", "MemoryDB", "db.r7g.large", cluster(node_type=ec2.InstanceType("r5.large"))),
    _family("db.t3.small", "MemoryDB", "db.t4g.small", cluster(node_type="db.t3.small")),
    _family("db.r8g.large", "MemoryDB", "db.r7g.large", cluster(node_type="db.r8g.large")),
    _sizes("db.r7g.9xlarge", _LARGE, "db.r7g.xlarge", multi_region(node_type="db.r7g.9xlarge")),
    _family("db.r9g.xlarge", "MemoryDB", "db.r7g.xlarge", multi_region(node_type="db.r9g.xlarge")),
    row(
        _MULTI_REGION,
        multi_region(node_type="db.r6g.xlarge"),
        "node_type",
        "db.r6g.xlarge",
        "Multi-Region clusters run on db.r7g.xlarge and larger",
        "use one such as db.r7g.xlarge",
    ),
]

_OTHERS = [
    row(
        _NODES,
        old_group("4.0.10", node_type="cache.m5.large", shards=251, replicas=0),
        "shards",
        251,
        "a store of redis 4.0.10 has 1 to 250 shards",
        "",
    ),
    row(
        _NODES,
        old_group("4.0.10", node_type="cache.m5.large", shards=126, replicas=1),
        "shards",
        126,
        "126 shards of 2 nodes are 252 nodes, and the maximum of redis 4.0.10 is 250",
        "",
    ),
    row(_NODES, old_group("5.0.6", shards=501, replicas=0), "shards", 501, "a store has 1 to 500 shards", ""),
    row(
        _NODES,
        group(shards=251),
        "shards",
        251,
        "251 shards of 2 nodes are 502 nodes, and the maximum is 500",
        "",
    ),
    row(
        _NODES,
        global_datastore({"shards": 2}, shards=251),
        "shards",
        251,
        "251 shards of 2 nodes are 502 nodes, and the maximum is 500",
        "",
    ),
    row(
        _VERSIONS,
        lambda _: Engine.redis("6.1"),
        "version",
        "6.1",
        "ElastiCache offers redis 4.0.10, 5.0.6, 6.0, 6.2, 7.0, 7.1 and MemoryDB redis 6.2, 7.0, 7.1",
        "the next version is '6.2'",
    ),
    row(
        _VERSIONS,
        lambda _: Engine.from_text("redis:3.2.10"),
        "version",
        "3.2.10",
        "ElastiCache offers redis 4.0.10, 5.0.6, 6.0, 6.2, 7.0, 7.1 and MemoryDB redis 6.2, 7.0, 7.1",
        "the next version is '4.0.10'",
    ),
    row(
        _SERVERLESS,
        lambda it: it.serverless(engine=Engine.of("redis", "6")),
        "engine",
        "redis 6",
        "a serverless cache runs a major version: redis 7 and valkey 7, 8, 9",
        'write Engine.redis("7")',
    ),
    row(
        _LOGS,
        old_group("5.0.6", log_delivery=[LogDelivery.slow_log()]),
        "log_delivery",
        "slow-log",
        "redis 5.0.6 does not have this log",
        "use Valkey, or Redis OSS 6.0 or newer",
    ),
    row(
        _LOGS,
        group(engine="redis:6.0", log_delivery=[LogDelivery.engine_log()]),
        "log_delivery",
        "engine-log",
        "redis 6.0 does not have this log",
        "use Valkey, or Redis OSS 6.2 or newer",
    ),
]

REFUSED = [*_NODE_TYPES, *_OTHERS]

ACCEPTED = [
    Accepted("Redis OSS 4.0.10 on t3.", old_group("4.0.10", node_type="cache.t3.small")),
    Accepted("Redis OSS 4.0.10 on m5.", old_group("4.0.10", node_type="cache.m5.24xlarge")),
    Accepted("Redis OSS 5.0.6 on the default node type.", old_group("5.0.6")),
    Accepted("Redis OSS 5.0.6 on m6g.", old_group("5.0.6", node_type="cache.m6g.16xlarge")),
    Accepted("Redis OSS 6.2 on r7g.", group(engine="redis:6.2", node_type="cache.r7g.large")),
    Accepted("Redis OSS 6.2 on r6gd.", group(engine="redis:6.2", node_type="cache.r6gd.xlarge")),
    Accepted("Valkey 7.2 on r8g.", group(engine="valkey:7.2", node_type="cache.r8g.16xlarge")),
    Accepted("T2.", group(node_type="cache.t2.micro")),
    Accepted("An EC2 instance type.", group(node_type=ec2.InstanceType("c7gn.2xlarge"))),
    Accepted("A node type that is newer than the table.", group(node_type=NodeType.of("cache.r9g.large"))),
    Accepted("A previous generation of a store that exists.", group(node_type=NodeType.of("cache.r3.large"))),
    Accepted("A node type that is a token.", lambda it: it.group(node_type=token(it))),
    Accepted("MemoryDB on its smallest and newest.", cluster(node_type="db.t4g.small")),
    Accepted("MemoryDB with data tiering.", cluster(node_type="db.r6gd.8xlarge")),
    Accepted("MemoryDB on a newer node type.", cluster(node_type=NodeType.of("db.r9g.large"))),
    Accepted("Multi-Region on the largest.", multi_region(node_type="db.r7g.16xlarge")),
    Accepted("Multi-Region on a newer node type.", multi_region(node_type=NodeType.of("db.r9g.large"))),
    Accepted(
        "250 shards of Redis OSS 4.0.10.", old_group("4.0.10", node_type="cache.m5.large", shards=250, replicas=0)
    ),
    Accepted("250 nodes of Redis OSS 4.0.10.", old_group("4.0.10", node_type="cache.m5.large", shards=125, replicas=1)),
    Accepted("500 shards of Redis OSS 5.0.6.", old_group("5.0.6", shards=500, replicas=0)),
    Accepted("83 shards of 6 nodes.", group(shards=83, replicas=5)),
    Accepted("A serverless cache of a newer version.", lambda it: it.serverless(engine=Engine.of("valkey", "10"))),
]
