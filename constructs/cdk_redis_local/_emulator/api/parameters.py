"""Parameter groups of both services, and the values that the engines have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_redis_local._emulator.api.engine_versions import default_parameter_group, family
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.names import arn, in_scope
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.ministack.records import parameter_group_records, parameter_records
from cdk_redis_local._emulator.store import Scope, Store, StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.observed import read_settings

_GROUP_PROPERTY = {"elasticache": "CacheParameterGroupName", "memorydb": "ParameterGroupName"}
# The parameters of both services that are settings of the engines with the same name.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html
_SETTINGS = (
    "acllog-max-len",
    "active-defrag-cycle-max",
    "active-defrag-cycle-min",
    "active-defrag-ignore-bytes",
    "active-defrag-max-scan-fields",
    "active-defrag-threshold-lower",
    "active-defrag-threshold-upper",
    "active-expire-effort",
    "activedefrag",
    "activerehashing",
    "client-query-buffer-limit",
    "cluster-allow-pubsubshard-when-down",
    "cluster-allow-reads-when-down",
    "cluster-enabled",
    "databases",
    "hash-max-listpack-entries",
    "hash-max-listpack-value",
    "hll-sparse-max-bytes",
    "latency-tracking",
    "lazyfree-lazy-eviction",
    "lazyfree-lazy-expire",
    "lazyfree-lazy-server-del",
    "lazyfree-lazy-user-del",
    "lazyfree-lazy-user-flush",
    "lfu-decay-time",
    "lfu-log-factor",
    "list-compress-depth",
    "list-max-listpack-size",
    "lua-time-limit",
    "maxclients",
    "maxmemory",
    "maxmemory-policy",
    "maxmemory-samples",
    "min-replicas-max-lag",
    "min-replicas-to-write",
    "notify-keyspace-events",
    "proto-max-bulk-len",
    "set-max-intset-entries",
    "set-max-listpack-entries",
    "set-max-listpack-value",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "stream-node-max-bytes",
    "stream-node-max-entries",
    "tcp-keepalive",
    "timeout",
    "tracking-table-max-keys",
    "zset-max-listpack-entries",
    "zset-max-listpack-value",
)


class ParameterGroups:
    """The actions that describe parameter groups and parameters."""

    def __init__(self, stores: Stores, memorydb: Mapping[tuple[str, Scope, str], Mapping[str, Any]]) -> None:
        """Prepare the actions.

        Args:
            stores: The running stores.
            memorydb: The template properties of MemoryDB's resources.
        """
        self._stores = stores
        self._memorydb = memorydb

    def register(self) -> None:
        """Add the actions to the emulator."""
        ELASTICACHE.add(
            {
                "DescribeCacheParameterGroups": self._describe_elasticache_groups,
                "DescribeCacheParameters": self._describe_elasticache_parameters,
            }
        )
        MEMORYDB.add(
            {
                "DescribeParameterGroups": self._describe_memorydb_groups,
                "DescribeParameters": self._describe_memorydb_parameters,
            }
        )

    def _describe_elasticache_groups(self, parameters: Parameters) -> Answer:
        groups = {
            name: {
                "CacheParameterGroupName": name,
                "CacheParameterGroupFamily": record["CacheParameterGroupFamily"],
                "Description": record["Description"],
                "IsGlobal": False,
                "ARN": arn("elasticache", "parametergroup", name),
            }
            for name, record in self._elasticache_groups().items()
        }
        found = _asked(groups, parameters.get("CacheParameterGroupName"), "CacheParameterGroup")
        return {"CacheParameterGroups": [groups[name] for name in found]}

    def _describe_memorydb_groups(self, parameters: Parameters) -> Answer:
        groups = {
            name: {
                "Name": name,
                "Family": str(properties["Family"]),
                "Description": str(properties.get("Description", "")),
                "ARN": arn("memorydb", "parametergroup", name),
            }
            for name, properties in self._memorydb_groups().items()
        }
        found = _asked(groups, parameters.get("ParameterGroupName"), "ParameterGroup")
        return {"ParameterGroups": [groups[name] for name in found]}

    def _describe_elasticache_parameters(self, parameters: Parameters) -> Answer:
        (name,) = _asked(self._elasticache_groups(), parameters["CacheParameterGroupName"], "CacheParameterGroup")
        records = parameter_records(name)
        set_by_group = {key: str(one["Value"]) for key, one in records.items() if one.get("Source") == "user"}
        values = {key: str(one["Value"]) for key, one in records.items()}
        values |= {**self._engine_values("elasticache", name), **set_by_group}
        described = [
            {
                "ParameterName": key,
                "ParameterValue": value,
                "Source": "user" if key in set_by_group else "system",
                "DataType": _data_type(value),
                "AllowedValues": records.get(key, {}).get("AllowedValues"),
                "IsModifiable": not name.startswith("default."),
            }
            for key, value in sorted(values.items())
        ]
        return {"Parameters": [one for one in described if parameters.get("Source") in (None, one["Source"])]}

    def _describe_memorydb_parameters(self, parameters: Parameters) -> Answer:
        groups = self._memorydb_groups()
        (name,) = _asked(groups, parameters["ParameterGroupName"], "ParameterGroup")
        set_by_group = {str(key): str(value) for key, value in (groups[name].get("Parameters") or {}).items()}
        values = {**self._engine_values("memorydb", name), **set_by_group}
        return {
            "Parameters": [
                {"Name": key, "Value": value, "DataType": _data_type(value)} for key, value in sorted(values.items())
            ]
        }

    def _elasticache_groups(self) -> dict[str, Mapping[str, Any]]:
        predefined: dict[str, Mapping[str, Any]] = {}
        for program in self._stores.programs:
            for cluster_mode in (False, True):
                name = default_parameter_group(program, "elasticache", cluster_mode=cluster_mode)
                description = f"Default parameter group for {family(program)}"
                predefined[name] = {"CacheParameterGroupFamily": family(program), "Description": description}
        return {**predefined, **parameter_group_records()}

    def _memorydb_groups(self) -> dict[str, Mapping[str, Any]]:
        predefined = {
            default_parameter_group(program, "memorydb", cluster_mode=True): {
                "Family": f"memorydb_{family(program)}",
                "Description": f"Default parameter group for memorydb_{family(program)}",
            }
            for program in self._stores.programs
        }
        return {**predefined, **in_scope(self._memorydb, "parametergroup")}

    def _engine_values(self, service: str, group: str) -> dict[str, str]:
        """The settings of the engines of a store with this parameter group; empty if none runs."""
        for key, properties in list(self._stores.declared.items()):
            store = self._stores.find(key) if (key.service, key.scope) == (service, scope()) else None
            if store is not None and _group_of(key, store, properties) == group:
                for node in store.engines.primaries:
                    if values := read_settings(node, _SETTINGS):
                        return values
        return {}


def _group_of(key: StoreKey, store: Store, properties: Mapping[str, Any]) -> str:
    engines = store.engines
    default = default_parameter_group(engines.program, key.service, cluster_mode=engines.cluster_mode)
    return str(properties.get(_GROUP_PROPERTY[key.service]) or default)


def _asked(groups: Mapping[str, object], name: str | None, kind: str) -> list[str]:
    """The names of the groups that a request asks for.

    Raises:
        ApiError: The group does not exist.
    """
    if name is None:
        return sorted(groups)
    if name not in groups:
        raise ApiError(f"{kind}NotFoundFault", f"{kind} {name} not found.")
    return [name]


def _data_type(value: str) -> str:
    return "integer" if value.lstrip("-").isdecimal() else "string"
