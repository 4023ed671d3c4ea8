"""Generates `facts.json` of the refusals: schemas of both services' types, and what parameter groups accept.

The schemas are CloudFormation's, as cfn-lint brings them. The families and parameters are the library's, with their
sources there. The local cloud cannot import the library, and does not need cfn-lint:

    python -m tests.local.support.service_facts > constructs/cdk_redis_local/_emulator/refusals/facts.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cfnlint

from cdk_redis import Engine
from cdk_redis._elasticache import node_types as elasticache_nodes
from cdk_redis._elasticache import parameter_names as elasticache_names
from cdk_redis._elasticache import parameter_values as elasticache_values
from cdk_redis._memorydb import node_types as memorydb_nodes
from cdk_redis._memorydb import parameter_names as memorydb_names
from cdk_redis._memorydb import parameter_values as memorydb_values
from cdk_redis._store.node_types import NodeTypes

_SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
_REGION = "us-east-1"
_SERVICES = ("AWS::ElastiCache::", "AWS::MemoryDB::")
# EC2-Classic, which no account has any more.
CLASSIC = ("AWS::ElastiCache::SecurityGroup", "AWS::ElastiCache::SecurityGroupIngress")
_KEYWORDS = (
    *("enum", "enumCaseInsensitive", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum"),
    *("pattern", "required", "type", "uniqueItems"),
)
"""The keywords of a schema that are kept; a property without others is of any form."""

ELASTICACHE_FAMILIES = ("redis4.0", "redis5.0", "redis6.x", "redis7", "valkey7", "valkey8", "valkey9")
MEMORYDB_FAMILIES = ("memorydb_redis6", "memorydb_redis7", "memorydb_valkey7")


def facts() -> dict[str, Any]:
    """Everything that the refusals look up."""
    return {
        "schemas": {name: schema(name) for name in type_names()},
        "families": {"elasticache": families("elasticache_family"), "memorydb": families("memorydb_family")},
        "parameters": {
            "elasticache": {name: names(elasticache_names.known_parameters(name)) for name in ELASTICACHE_FAMILIES},
            "memorydb": {name: names(memorydb_names.known_parameters(name)) for name in MEMORYDB_FAMILIES},
        },
        "values": {
            **{name: dict(elasticache_values.allowed_values(name)) for name in ELASTICACHE_FAMILIES},
            **{name: dict(memorydb_values.allowed_values()) for name in MEMORYDB_FAMILIES},
        },
        "nodes": {"cache": sizes(elasticache_nodes.NODE_TYPES), "db": sizes(memorydb_nodes.NODE_TYPES)},
    }


def type_names() -> list[str]:
    """The resource types of both services."""
    provider = json.loads((_SCHEMAS / "providers" / f"{_REGION}.json").read_text())
    return sorted(name for name in provider if name.startswith(_SERVICES) and name not in CLASSIC)


def schema(name: str) -> dict[str, Any]:
    """The schema of a resource type without descriptions, references and properties that can only be read."""
    provider = json.loads((_SCHEMAS / "providers" / f"{_REGION}.json").read_text())
    whole = json.loads((_SCHEMAS / "resources" / f"{provider[name]}.json").read_text())
    kept = _kept(whole, whole.get("definitions", {}))
    kept["readOnly"] = sorted(
        path.split("/")[2] for path in whole.get("readOnlyProperties", []) if path.count("/") == 2
    )
    return kept


def families(attribute: str) -> dict[str, dict[str, str]]:
    """The versions of each engine with the family of their parameter groups."""
    found: dict[str, dict[str, str]] = {"redis": {}, "valkey": {}}
    candidates = {"redis": ("4.0.10", "5.0.6", "6.0", "6.2", "7.0", "7.1")}
    candidates["valkey"] = ("7.2", "7.3", "8.0", "8.1", "8.2", "9.0", "9.1")
    for engine, versions in candidates.items():
        for version in versions:
            family = getattr(Engine.from_text(f"{engine}:{version}"), attribute)
            if family:
                found[engine][version] = family
    return found


def sizes(types: NodeTypes) -> dict[str, str]:
    """The sizes of each family of node types."""
    return {name: family.sizes for name, family in types.families.items()}


def names(known: frozenset[str] | None) -> list[str]:
    """The names in order."""
    assert known
    return sorted(known)


def _kept(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        # A reference beside other keywords: the type of the reference counts.
        return _kept(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    kept = {key: node[key] for key in _KEYWORDS if key in node}
    if "properties" in node:
        kept["properties"] = {name: _kept(value, definitions) for name, value in sorted(node["properties"].items())}
    if "items" in node:
        kept["items"] = _kept(node["items"], definitions)
    return kept


if __name__ == "__main__":
    json.dump(facts(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
