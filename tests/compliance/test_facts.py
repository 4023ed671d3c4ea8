"""The tables of facts agree with a second source: cfn-lint's data, botocore's service models, or a real engine.

Where a table and its second source differ on purpose, the difference is listed here with its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import botocore.session
import pytest
import redis
from aws_cdk import aws_ec2 as ec2
from botocore.loaders import Loader

from cdk_redis import Engine
from cdk_redis._elasticache import global_datastore, scaling
from cdk_redis._elasticache import node_types as elasticache_node_types
from cdk_redis._elasticache import parameter_names as elasticache_names
from cdk_redis._elasticache import parameter_values as elasticache_values
from cdk_redis._memorydb import node_types as memorydb_node_types
from cdk_redis._memorydb import parameter_names as memorydb_names
from cdk_redis._memorydb import parameter_values as memorydb_values
from cdk_redis._store.node_types import NodeTypes
from cdk_redis._values import engine as engines
from cdk_redis_local import EngineProgram, EngineSet, find_engines

ELASTICACHE, MEMORYDB = elasticache_node_types.NODE_TYPES, memorydb_node_types.NODE_TYPES
ELASTICACHE_FAMILIES = ("redis4.0", "redis5.0", "redis6.x", "redis7", "valkey7", "valkey8", "valkey9")
MEMORYDB_FAMILIES = ("memorydb_redis6", "memorydb_redis7", "memorydb_valkey7")


def _names(table: NodeTypes, *, retired: bool) -> set[str]:
    return {
        f"{table.prefix}.{name}.{size}"
        for name, family in table.families.items()
        for size in family.sizes.split()
        if family.retired is retired
    }


@cache
def _cfn_lint(name: str) -> Any:
    folder = files("cfnlint.data.schemas.extensions.aws_elasticache_cachecluster")
    return json.loads(folder.joinpath(name).read_text())


@cache
def _documented_node_types() -> str:
    """What the API reference says of the node types of a replication group, as plain text."""
    model = botocore.session.get_session().get_service_model("elasticache")
    documentation = model.shape_for("CreateReplicationGroupMessage").members["CacheNodeType"].documentation
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", documentation))


def test_node_types_of_elasticache_are_those_of_cfn_lint() -> None:
    by_region: dict[str, Any] = _cfn_lint("cachenodetype_enum.json")
    available = {name for region in by_region.values() if isinstance(region, dict) for name in region["enum"]}

    assert _names(ELASTICACHE, retired=False) == available


def test_previous_generations_are_those_of_the_api_reference() -> None:
    sections = re.split(r"(Current|Previous) generation:", _documented_node_types())[1:]
    previous = {
        name
        for kind, text in zip(sections[::2], sections[1::2], strict=True)
        if kind == "Previous"
        for name in re.findall(r"cache\.\w+\.\w+", text)
    }

    assert _names(ELASTICACHE, retired=True) == previous


def test_first_versions_are_those_of_the_api_reference() -> None:
    pattern = r"(\w+) node types \(available only for Redis OSS engine version ([\d.]+) onward"
    documented = {name.lower(): version for name, version in re.findall(pattern, _documented_node_types())}

    assert documented.keys() == {"m6g", "r6g", "t4g"}
    assert {name: ELASTICACHE.families[name].redis for name in documented} == documented


def test_node_types_of_memorydb_are_a_part_of_those_of_elasticache() -> None:
    """No package lists the node types of MemoryDB; both services run the same instance types."""
    names = {name.replace("db.", "cache.", 1) for name in _names(MEMORYDB, retired=False)}

    assert names <= _names(ELASTICACHE, retired=False)


@pytest.mark.parametrize("table", [ELASTICACHE, MEMORYDB], ids=lambda table: table.service)
def test_families_are_families_of_ec2(table: NodeTypes) -> None:
    # EC2 ended these before the CDK listed its instance classes.
    known = {member.name.lower() for member in ec2.InstanceClass} | {"c1", "m1", "m2", "t1"}

    assert table.families.keys() <= known


@pytest.mark.parametrize("families", [scaling.FAMILIES, global_datastore.FAMILIES], ids=["scaling", "global datastore"])
def test_families_of_a_feature_are_in_the_table(families: list[str]) -> None:
    # The page on auto scaling names these two, which the list of node types does not have yet.
    current = {name for name, family in ELASTICACHE.families.items() if not family.retired} | {"r7gd", "r8gd"}

    assert set(families) <= current


@pytest.mark.parametrize("engine", ["redis", "valkey"])
def test_engine_versions_of_elasticache_are_those_of_cfn_lint(engine: str) -> None:
    rules = [
        rule for rule in _cfn_lint("engine_version.json")["allOf"] if "EngineVersion" in rule["then"]["properties"]
    ]
    (versions,) = (
        rule["then"]["properties"]["EngineVersion"]["enum"]
        for rule in rules
        if rule["if"]["properties"]["Engine"].get("const") == engine
    )

    assert list(engines._ELASTICACHE_FAMILIES[engine]) == versions  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("family", ELASTICACHE_FAMILIES)
def test_each_parameter_of_elasticache_has_allowed_values(family: str) -> None:
    names = elasticache_names.known_parameters(family)

    assert names is not None
    assert names - elasticache_values.allowed_values(family).keys() == {"cluster-enabled"}


@pytest.mark.parametrize("family", MEMORYDB_FAMILIES)
def test_each_parameter_of_memorydb_has_allowed_values(family: str) -> None:
    names = memorydb_names.known_parameters(family)

    assert names is not None
    assert not names - memorydb_values.allowed_values().keys()


def test_allowed_values_are_those_of_the_example_of_the_api() -> None:
    """botocore has an example answer of DescribeCacheParameters, for Redis OSS 2.8."""
    examples = Loader().load_service_model("elasticache", "examples-1")["examples"]["DescribeCacheParameters"]
    (answered,) = (example["output"]["Parameters"] for example in examples)
    documented = {row["ParameterName"]: row["AllowedValues"] for row in answered if row.get("AllowedValues")}
    ours = elasticache_values.allowed_values("redis4.0")
    different = {name: values for name, values in documented.items() if name in ours and ours[name] != values}

    assert len(documented.keys() & ours.keys()) > 20
    # Version 4.0 added the policies volatile-lfu and allkeys-lfu.
    assert different.keys() == {"maxmemory-policy"}
    assert set(different["maxmemory-policy"].split(",")) < set(ours["maxmemory-policy"].split(","))


PROGRAMS = {f"{program.name}{program.version.partition('.')[0]}": program for program in find_engines()}

# Parameters of the services that the engines do not have.
ONLY_IN_THE_SERVICE = {
    # One setting of the engine, which the services split.
    *(
        f"client-output-buffer-limit-{kind}-{limit}"
        for kind in ("normal", "pubsub")
        for limit in ("hard-limit", "soft-limit", "soft-seconds")
    ),
    # ElastiCache's own.
    "close-on-replica-write",
    "rename-commands",
    "reserved-memory",
    "reserved-memory-percent",
    # Of the module for search.
    "search-default-timeout-ms",
    "search-enable-partial-results",
    "search-enabled",
    "search-fanout-target-mode",
    "search-query-timeout-ms",
}
# Values that a service allows, and the engine rejects here, with the engine's reason.
REJECTED_BY_THE_ENGINE = {
    ("activedefrag", "yes"): "Active defragmentation cannot be enabled",  # not with the memory allocator of this build
    ("cluster-preferred-endpoint-type", "tls-dynamic"): "must be one of",  # a word of ElastiCache
    ("cluster-databases", "1"): "immutable",  # set when the engine starts
    ("cluster-databases", "10000"): "immutable",
    ("databases", "1"): "immutable",
    ("databases", "1200000"): "immutable",
}


@pytest.fixture(scope="module", params=PROGRAMS.values(), ids=PROGRAMS.keys())
def program(request: pytest.FixtureRequest) -> EngineProgram:
    return request.param


@pytest.fixture(scope="module")
def engine(program: EngineProgram) -> Iterator[redis.Redis]:
    with EngineSet(cluster_mode=True, tls=False, program=program) as running:
        yield running.nodes[0].admin


def _tables(program: EngineProgram) -> Iterator[tuple[frozenset[str], Any]]:
    known = Engine.redis("7.1") if program.name == "redis" else Engine.valkey("9.0")
    assert known.elasticache_family is not None
    names = elasticache_names.known_parameters(known.elasticache_family)
    assert names is not None
    yield names, elasticache_values.allowed_values(known.elasticache_family)
    if program.name == "redis":
        memorydb = memorydb_names.known_parameters("memorydb_redis7")
        assert memorydb is not None
        yield memorydb, memorydb_values.allowed_values()


def _borders(allowed: str) -> Iterator[str]:
    if allowed.startswith("flags:"):
        yield from ("", *allowed.removeprefix("flags:"), allowed.removeprefix("flags:"))
        return
    for item in allowed.split(","):
        found = re.fullmatch(r"([0-9]+)-([0-9]*)|-", item)
        yield from [item] if found is None else [end for end in found.groups() if end] or ["-1", "0", "1"]


def test_parameters_are_settings_of_the_engine(program: EngineProgram, engine: redis.Redis) -> None:
    settings = set(engine.config_get("*"))
    for names, _ in _tables(program):
        assert names - settings <= ONLY_IN_THE_SERVICE
        assert not settings & ONLY_IN_THE_SERVICE


def test_the_engine_accepts_the_allowed_values(program: EngineProgram, engine: redis.Redis) -> None:
    for names, allowed in _tables(program):
        for name in sorted(names - ONLY_IN_THE_SERVICE - {"cluster-enabled"}):
            for value in _borders(allowed[name]):
                assert REJECTED_BY_THE_ENGINE.get((name, value), "") in _answer(engine, name, value), (name, value)
                assert (name, value) in REJECTED_BY_THE_ENGINE or _answer(engine, name, value) == "OK", (name, value)


def _answer(engine: redis.Redis, name: str, value: str) -> str:
    try:
        engine.config_set(name, value)
    except redis.ResponseError as error:
        return str(error)
    return "OK"
