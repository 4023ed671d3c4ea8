"""Rules about parameter groups and subnet groups of both services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cdk_redis_local._emulator.refusals.facts import accepts, families, has_parameter
from cdk_redis_local._emulator.refusals.rule import Broken, Case, Rule, text
from cdk_redis_local._emulator.refusals.shared import EXISTS, IDENTIFIER_WORDS, already_exists, identifier
from cdk_redis_local._emulator.refusals.sources import ELASTICACHE_API, MEMORYDB_API, UNSEEN

PARAMETERS, MEMORYDB_PARAMETERS = "AWS::ElastiCache::ParameterGroup", "AWS::MemoryDB::ParameterGroup"
SUBNETS, MEMORYDB_SUBNETS = "AWS::ElastiCache::SubnetGroup", "AWS::MemoryDB::SubnetGroup"
CLUSTER_ENABLED = "cluster-enabled"

_FLOCI = "https://github.com/floci-io/floci/pull/2401"
_MEMCACHED = "memcached"


def _family(service: str, parameter: str) -> Broken:
    def broken(case: Case) -> object:
        given = text(case.new.get(parameter))
        known = given in families(service) or given.startswith(_MEMCACHED)
        return None if known else given

    return broken


def _settings(case: Case, parameter: str) -> dict[str, str]:
    found = cast("Mapping[str, Any]", case.new.get(parameter) or {})
    return {str(name): text(value) for name, value in found.items()}


def _unknown(service: str, family: str, parameter: str) -> Broken:
    def broken(case: Case) -> object:
        given = text(case.new.get(family))
        names = [name for name in _settings(case, parameter) if name != CLUSTER_ENABLED]
        return next((name for name in names if not has_parameter(service, given, name)), None)

    return broken


def _value(family: str, parameter: str) -> Broken:
    def broken(case: Case) -> object:
        given = text(case.new.get(family))
        settings = _settings(case, parameter).items()
        return next(((name, value) for name, value in settings if not accepts(given, name, value)), None)

    return broken


def _no_subnets(case: Case) -> object:
    return not case.new.get("SubnetIds")


_VALUE_CODE = "InvalidParameterValue"
_FAMILY_WORDS = "{} is not a valid parameter group family."
_SEEN_FAMILY = "an error of a deployment, quoted in public repositories (redis7.x)"
_NO_PARAMETER = "Could not find parameter with name: {}"
_NO_VALUE = "The parameter {} has an invalid value: {}."

RULES = [
    Rule(
        PARAMETERS,
        _VALUE_CODE,
        f"CacheParameterGroupFamily {_FAMILY_WORDS}",
        _family("elasticache", "CacheParameterGroupFamily"),
        _SEEN_FAMILY,
    ),
    Rule(
        PARAMETERS,
        _VALUE_CODE,
        _NO_PARAMETER,
        _unknown("elasticache", "CacheParameterGroupFamily", "Properties"),
        f"{ELASTICACHE_API}API_ModifyCacheParameterGroup.html{UNSEEN}",
    ),
    Rule(
        PARAMETERS,
        _VALUE_CODE,
        _NO_VALUE,
        _value("CacheParameterGroupFamily", "Properties"),
        f"{ELASTICACHE_API}API_ModifyCacheParameterGroup.html{UNSEEN}",
    ),
    Rule(SUBNETS, _VALUE_CODE, "The parameter SubnetIds must be provided.", _no_subnets, _FLOCI),
    Rule(SUBNETS, "AlreadyExists", EXISTS.format(SUBNETS, "{}"), already_exists, "cloudformation-cli"),
    Rule(
        MEMORYDB_PARAMETERS,
        _VALUE_CODE,
        f"ParameterGroupFamily {_FAMILY_WORDS}",
        _family("memorydb", "Family"),
        f"{MEMORYDB_API}API_CreateParameterGroup.html{UNSEEN}",
    ),
    Rule(
        MEMORYDB_PARAMETERS,
        _VALUE_CODE,
        _NO_PARAMETER,
        _unknown("memorydb", "Family", "Parameters"),
        f"{MEMORYDB_API}API_UpdateParameterGroup.html{UNSEEN}",
    ),
    Rule(
        MEMORYDB_PARAMETERS,
        _VALUE_CODE,
        _NO_VALUE,
        _value("Family", "Parameters"),
        f"{MEMORYDB_API}API_UpdateParameterGroup.html{UNSEEN}",
    ),
    Rule(
        MEMORYDB_PARAMETERS,
        _VALUE_CODE,
        IDENTIFIER_WORDS,
        identifier("ParameterGroupName", 255),
        f"{MEMORYDB_API}API_CreateParameterGroup.html{UNSEEN}",
    ),
    Rule(
        MEMORYDB_PARAMETERS,
        "AlreadyExists",
        EXISTS.format(MEMORYDB_PARAMETERS, "{}"),
        already_exists,
        "cloudformation-cli",
    ),
    Rule(MEMORYDB_SUBNETS, _VALUE_CODE, "The parameter SubnetIds must be provided.", _no_subnets, f"{_FLOCI}{UNSEEN}"),
    Rule(
        MEMORYDB_SUBNETS,
        _VALUE_CODE,
        IDENTIFIER_WORDS,
        identifier("SubnetGroupName", 255),
        f"{MEMORYDB_API}API_CreateSubnetGroup.html{UNSEEN}",
    ),
    Rule(
        MEMORYDB_SUBNETS, "AlreadyExists", EXISTS.format(MEMORYDB_SUBNETS, "{}"), already_exists, "cloudformation-cli"
    ),
]
"""The rules, in the order in which they are checked."""
