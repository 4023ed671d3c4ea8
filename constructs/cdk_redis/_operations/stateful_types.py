"""The resource types that the replacement guard knows, and which of their properties replace a resource.

The file ``stateful_types.json`` is generated from CloudFormation's schemas and from the CDK CLI's database:
``python -m tests.compliance.support.stateful_types > constructs/cdk_redis/_operations/stateful_types.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPLICATION_GROUP = "AWS::ElastiCache::ReplicationGroup"
CACHE_CLUSTER = "AWS::ElastiCache::CacheCluster"
SERVERLESS_CACHE = "AWS::ElastiCache::ServerlessCache"
MEMORYDB_CLUSTER = "AWS::MemoryDB::Cluster"
STORES = (REPLICATION_GROUP, CACHE_CLUSTER, SERVERLESS_CACHE, MEMORYDB_CLUSTER)


@dataclass(frozen=True)
class StatefulType:
    """A resource type with data, or that data depends on.

    Attributes:
        create_only: Properties whose change always replaces a resource.
        conditional: Properties some of whose changes replace it.
        only_in_cdk_diff: Properties whose change is a replacement for ``cdk diff``, but not for CloudFormation.
    """

    create_only: frozenset[str]
    conditional: frozenset[str]
    only_in_cdk_diff: frozenset[str]


@cache
def stateful_types() -> dict[str, StatefulType]:
    """The types by their names."""
    table = json.loads(Path(__file__).with_suffix(".json").read_text())
    return {
        name: StatefulType(**{kind: frozenset(properties) for kind, properties in kinds.items()})
        for name, kinds in table.items()
    }
