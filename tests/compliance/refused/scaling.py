"""Stores that AWS does not scale, or does not replicate to other Regions."""

from __future__ import annotations

from typing import Any

from cdk_redis import Authentication, Durability, Engine, GlobalDatastore, NodeType
from tests.compliance.refused.calls import Call, Rule, global_datastore, row
from tests.compliance.refused.rows import Accepted, Scene

_GUIDE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg"
_SCALING, _GLOBAL = f"{_GUIDE}/AutoScaling.html", f"{_GUIDE}/Redis-Global-Datastores-Getting-Started.html"
_SCALED_NODES = Rule("Auto scaling supports some families of node types, in sizes up to 2xlarge.", _SCALING)
_SCALED_ENGINES = Rule("Auto scaling needs Valkey, or Redis OSS 6.0, with data tiering Redis OSS 7.0.7.", _SCALING)
_SCALED_MEMBERS = Rule("Members of a global datastore have no auto scaling.", _SCALING)
_GLOBAL_NODES = Rule("Global datastores support some families of node types, in sizes from large on.", _GLOBAL)
_GLOBAL_STORES = Rule("A global datastore has Valkey, or Redis OSS 5.0.6, and no durability.", _GLOBAL)

_LARGE = "large, xlarge, 2xlarge, 4xlarge, 8xlarge, 12xlarge, 16xlarge"
_OTHER_NODES = "choose a newer engine, or another node type"
_SCALED = (
    "ElastiCache scales r8g, r8gd, r7g, r7gd, r6g, r6gd, r5, m8g, m7g, m6g, m5, c8gn, c7gn nodes of the sizes large, "
    "xlarge, 2xlarge"
)
_EVERYWHERE = (
    "a global datastore needs m5, m6g, m7g, m8g, r5, r6g, r6gd, r7g, r8g, c7gn, c8gn nodes of size large or larger"
)
_USE_R7G = "use one such as cache.r7g.large"


def _scaled(dimension: str = "shards", **given: Any) -> Call:
    def make(it: Scene) -> object:
        cache = it.group(**{"shards": 2, "node_type": "cache.r7g.large"} | given)
        return getattr(cache, f"scale_{dimension}")(minimum=1, maximum=3)

    return make


def _scaled_later(it: Scene) -> object:
    cache = it.group(node_type="cache.r7g.large", shards=2)
    GlobalDatastore(it.scope, "Global", primary=cache)
    return cache.scale_replicas(minimum=1, maximum=3)


REFUSED = [
    row(_SCALED_NODES, _scaled(node_type="cache.t3.medium"), "node_type", "cache.t3.medium", _SCALED, _USE_R7G),
    row(_SCALED_NODES, _scaled(node_type="cache.r4.large"), "node_type", "cache.r4.large", _SCALED, _USE_R7G),
    row(_SCALED_NODES, _scaled(node_type="m4.xlarge"), "node_type", "cache.m4.xlarge", _SCALED, _USE_R7G),
    row(
        _SCALED_NODES,
        _scaled("replicas", node_type="cache.r7g.4xlarge"),
        "node_type",
        "cache.r7g.4xlarge",
        _SCALED,
        _USE_R7G,
    ),
    row(
        _SCALED_ENGINES,
        _scaled(node_type="cache.m5.large", engine=Engine.redis("5.0.6"), authentication=Authentication.auth_token()),
        "engine",
        "redis 5.0.6",
        "ElastiCache scales stores of Redis OSS 6.0 or newer, or Valkey",
        "choose a newer engine",
    ),
    row(
        _SCALED_ENGINES,
        _scaled(node_type="cache.r6gd.xlarge", engine="redis:6.2"),
        "engine",
        "redis 6.2",
        "ElastiCache scales stores with data tiering of Redis OSS 7.0.7 or newer, or Valkey",
        "choose a newer engine",
    ),
    row(
        _SCALED_MEMBERS,
        _scaled_later,
        "replicas",
        1,
        "ElastiCache does not scale members of a global datastore",
        "change `shards` of the GlobalDatastore",
    ),
    row(
        _SCALED_MEMBERS,
        global_datastore({"shards": 2}, scale="shards"),
        "primary",
        ".../Primary",
        "ElastiCache does not scale members of a global datastore",
        "leave out scale_shards and scale_replicas",
    ),
    row(
        _GLOBAL_STORES,
        global_datastore({"engine": "valkey:9.0", "shards": 1, "durability": Durability.SYNC}),
        "primary",
        ".../Primary",
        "a global datastore does not support durability",
        "leave out its `durability`",
    ),
    row(
        _GLOBAL_STORES,
        global_datastore({"engine": "redis:4.0.10", "node_type": "cache.m5.large", "unsafe_open_access": True}),
        "primary",
        "redis 4.0.10",
        "a global datastore needs Redis OSS 5.0.6 or newer, or Valkey",
        "choose a newer engine",
    ),
    row(
        _GLOBAL_NODES,
        global_datastore({"node_type": "cache.t3.medium"}),
        "primary",
        "cache.t3.medium",
        _EVERYWHERE,
        "use a node type such as cache.r7g.large",
    ),
    row(
        _GLOBAL_NODES,
        global_datastore(node_type="cache.m4.large"),
        "node_type",
        "cache.m4.large",
        _EVERYWHERE,
        "use a node type such as cache.r7g.large",
    ),
    row(
        _GLOBAL_NODES,
        global_datastore(node_type="cache.m7g.24xlarge"),
        "node_type",
        "cache.m7g.24xlarge",
        f"m7g nodes have the sizes {_LARGE}",
        "did you mean 'cache.m7g.4xlarge'? write NodeType.of('cache.m7g.24xlarge') if it is newer than this library",
    ),
    row(
        _GLOBAL_NODES,
        global_datastore({"engine": "redis:7.1"}, node_type="cache.r8g.large"),
        "node_type",
        "cache.r8g.large",
        "r8g nodes need Valkey 7.2 or newer, and the engine is redis 7.1",
        _OTHER_NODES,
    ),
]

ACCEPTED = [
    Accepted(
        "A newer value in a global datastore.", global_datastore(engine="valkey:9.0", extra_parameters={"timeout": "5"})
    ),
    Accepted("Scaling of the largest that scales.", _scaled(node_type="cache.m5.2xlarge", engine="redis:6.0")),
    Accepted("Scaling of data tiering.", _scaled(node_type="cache.r6gd.xlarge", engine="redis:7.0")),
    Accepted("Scaling of a newer node type.", _scaled(node_type=NodeType.of("cache.r9g.8xlarge"))),
    Accepted(
        "A global datastore of Redis OSS 5.0.6.",
        global_datastore({"engine": "redis:5.0.6", "node_type": "cache.m5.large", "unsafe_open_access": True}),
    ),
    Accepted(
        "A global datastore of c8gn.",
        global_datastore({"node_type": "cache.c8gn.large"}, node_type="cache.m8g.16xlarge"),
    ),
    Accepted(
        "A global datastore of a newer node type.", global_datastore({"node_type": NodeType.of("cache.r9g.large")})
    ),
]
