"""The table of the replacement guard: which properties replace a resource, from CloudFormation's schemas.

Write it again with
``python -m tests.compliance.support.stateful_types > constructs/cdk_redis/_operations/stateful_types.json``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.compliance.support import schemas

TYPES = (
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::GlobalReplicationGroup",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::ElastiCache::User",
    "AWS::ElastiCache::UserGroup",
    "AWS::KMS::Key",
    "AWS::MemoryDB::ACL",
    "AWS::MemoryDB::Cluster",
    "AWS::MemoryDB::MultiRegionCluster",
    "AWS::MemoryDB::SubnetGroup",
    "AWS::MemoryDB::User",
    "AWS::SecretsManager::Secret",
)
_CLI_DATABASE = Path(__file__).parents[3] / "node_modules" / "aws-cdk" / "db.json.gz"


def table() -> str:
    """The content of the file."""
    types = {
        resource_type: {
            "create_only": sorted(schemas.create_only(resource_type)),
            "conditional": sorted(schemas.conditional_create_only(resource_type)),
            "only_in_cdk_diff": sorted(
                _replacing_in_cdk_diff(resource_type)
                - schemas.create_only(resource_type)
                - schemas.conditional_create_only(resource_type)
            ),
        }
        for resource_type in TYPES
    }
    return json.dumps(types, indent=2) + "\n"


def _replacing_in_cdk_diff(resource_type: str) -> frozenset[str]:
    """Properties of which ``cdk diff`` says that a change requires a replacement."""
    properties = _cli_resources()[resource_type]["properties"]
    return frozenset(name for name, one in properties.items() if one.get("causesReplacement") == "yes")


@cache
def _cli_resources() -> dict[str, dict[str, Any]]:
    with gzip.open(_CLI_DATABASE) as file:
        resources = json.load(file)["schema"]["resource"]["entities"]
    return {one["cloudFormationType"]: one for one in _values(resources)}


def _values(entities: Any) -> Iterator[dict[str, Any]]:
    yield from entities.values() if isinstance(entities, dict) else entities


if __name__ == "__main__":
    print(table(), end="")
