"""The engines of this machine as the engine versions of both services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.program import EngineProgram


def family(program: EngineProgram) -> str:
    """ElastiCache's parameter group family of an engine, such as ``redis7``; MemoryDB's begins with ``memorydb_``."""
    major = program.version.split(".")[0]
    return f"{program.name}{major}.x" if (program.name, major) == ("redis", "6") else f"{program.name}{major}"


def default_parameter_group(program: EngineProgram, service: str, *, cluster_mode: bool) -> str:
    """Name of the predefined parameter group of a store."""
    if service == "memorydb":
        return f"default.memorydb-{family(program)}"
    return f"default.{family(program)}{'.cluster.on' if cluster_mode else ''}"


class EngineVersions:
    """``DescribeCacheEngineVersions`` and ``DescribeEngineVersions``."""

    def __init__(self, stores: Stores) -> None:
        """Prepare the actions."""
        self._stores = stores

    def register(self) -> None:
        """Add both actions to the emulator."""
        ELASTICACHE.add({"DescribeCacheEngineVersions": self._describe_elasticache})
        MEMORYDB.add({"DescribeEngineVersions": self._describe_memorydb})

    def _describe_elasticache(self, parameters: Parameters) -> Answer:
        described = [
            {
                "Engine": program.name,
                "EngineVersion": program.major_minor,
                "CacheParameterGroupFamily": family(program),
                "CacheEngineDescription": program.name.capitalize(),
                "CacheEngineVersionDescription": f"{program.name} version {program.version}",
            }
            for program in self._stores.programs
        ]
        asked = ("Engine", "EngineVersion", "CacheParameterGroupFamily")
        return {"CacheEngineVersions": _matching(described, parameters, asked)}

    def _describe_memorydb(self, parameters: Parameters) -> Answer:
        described = [
            {
                "Engine": program.name,
                "EngineVersion": program.major_minor,
                "EnginePatchVersion": program.version,
                "ParameterGroupFamily": f"memorydb_{family(program)}",
            }
            for program in self._stores.programs
        ]
        return {"EngineVersions": _matching(described, parameters, ("Engine", "EngineVersion", "ParameterGroupFamily"))}


def _matching(
    described: list[dict[str, Any]], parameters: Mapping[str, Any], names: tuple[str, ...]
) -> list[dict[str, Any]]:
    found = [one for one in described if all(parameters.get(name) in (None, one[name]) for name in names)]
    return found[:1] if parameters.get("DefaultOnly") else found
