"""Whether shards, replicas, engine and version are as declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._smoke_test.checks.context import Check, Context, Problem, count, failed, passed
from cdk_redis_runtime._smoke_test.checks.nodes import SLOTS, Node, Shard
from cdk_redis_runtime._smoke_test.checks.store import engine_mode
from cdk_redis_runtime._smoke_test.clock import Result
from cdk_redis_runtime._smoke_test.report import Outcome

_PROVES = "every slot is served, and shards, replicas, engine and version are as declared"
_PROVES_SERVED = "every slot is served, and engine and version are as declared"
# What the services' engines report as operating system.
_SERVICES = {"Amazon ElastiCache": env.ELASTICACHE, "Amazon MemoryDB": env.MEMORYDB}


@dataclass(frozen=True)
class _Survey:
    """Shards, engines and problems that were found."""

    shards: tuple[Shard, ...]
    engines: tuple[str, ...]
    in_sync: int
    problems: tuple[Problem, ...]


def _check_topology(context: Context) -> Outcome:
    survey = _survey(context, context.store.shards(), context.store.infos())
    if survey.problems:
        return failed(survey.problems, _expected(context), _observed(context, survey))
    proves = _PROVES_SERVED if context.declared.shards is None else _PROVES
    return passed(proves, _expected(context), _observed(context, survey))


def _survey(context: Context, shards: tuple[Shard, ...], infos: Sequence[Result[Node, dict[str, Any]]]) -> _Survey:
    # After a deploy replicas join, links come up and slots move. The engine does not change by itself.
    healing = _shape_problems(context, shards) if context.connection.cluster_mode else []
    problems: list[Problem] = []
    engines: set[str] = set()
    in_sync = 0
    primaries = {shard.primary for shard in shards}
    for result in infos:
        node, is_primary = result.item, result.item in primaries
        if result.error is not None or result.value is None:
            problems.append(context.problem(node, result.error))
            continue
        info = result.value
        engine, version = engine_of(info)
        engines.add(f"{engine} {version}")
        if not is_as_declared(context.declared.engine, context.declared.engine_version, engine, version):
            declared = f"{context.declared.engine} {context.declared.engine_version}"
            words = (
                f"{node}: runs {engine} {version} (declared: {declared}): it was not upgraded, or it is another store"
            )
            problems.append(Problem(words))
        problems += [Problem(f"{node}: {words}") for words in _service_problems(context.connection.service, info)]
        healing += _replication_problems(context, node, is_primary, info)
        in_sync += replicas_in_sync(info) if is_primary else 0
    problems += [Problem(words, heals=True) for words in healing]
    # Problems that do not heal come first.
    problems.sort(key=lambda problem: problem.heals)
    return _Survey(shards, tuple(sorted(engines)), in_sync, tuple(problems))


def _shape_problems(context: Context, shards: Sequence[Shard]) -> list[str]:
    declared = context.declared
    problems: list[str] = []
    unserved = SLOTS - sum(last - first + 1 for shard in shards for first, last in shard.slots)
    if unserved:
        gaps = ", ".join(f"{first}-{last}" for first, last in _gaps(shards))
        problems.append(
            f"no shard serves {unserved:,} of {SLOTS:,} slots ({gaps}): a shard is down, or slots are being moved"
        )
    if declared.shards not in (None, len(shards)):
        problems.append(f"{count(len(shards), 'shard')} with slots (declared: {declared.shards})")
    return problems + [
        f"shard of {shard.primary}: {count(len(shard.replicas), 'replica')} in service (declared: "
        f"{declared.replicas}): a replica is down or still copying data"
        for shard in shards
        if declared.replicas not in (None, len(shard.replicas))
    ]


def _replication_problems(context: Context, node: Node, is_primary: bool, info: dict[str, Any]) -> list[str]:
    # A service that chooses the number of replicas hides its nodes behind proxies, whose role means nothing.
    if context.declared.replicas is None:
        return []
    reported = "primary" if info.get("role") == "master" else "replica"
    if is_primary != (reported == "primary"):
        if context.connection.cluster_mode:
            listed = f"CLUSTER SLOTS lists it as {'primary' if is_primary else 'replica'}"
        else:
            listed = f"it is the {'primary' if is_primary else 'reader'} endpoint"
        return [
            f"{node}: {listed}, but INFO reports role {reported}: a failover is not over, or the name leads to a "
            "former primary; connect by the primary or configuration endpoint, not by a node's name"
        ]
    if not is_primary:
        link = info.get("master_link_status")
        return [] if link == "up" else [f"{node}: its link to the primary is {link}: it serves old data"]
    if context.connection.cluster_mode:
        return []
    connected = replicas_in_sync(info)
    if connected == context.declared.replicas:
        return []
    return [
        f"{node}: {count(connected, 'replica')} in sync (declared: {context.declared.replicas}): "
        "a replica is down or still copying data"
    ]


def _service_problems(service: str, info: dict[str, Any]) -> list[str]:
    """Signs of another service. A self-managed engine shows none of them."""
    system = str(info.get("os", ""))
    if _SERVICES.get(system, service) != service:
        return [
            f"INFO reports os {system!r} (declared: {service}): it is another store, or give --service "
            f"{_SERVICES[system]}"
        ]
    if service == env.MEMORYDB and engine_mode(info) == "standalone":
        return ["runs without cluster mode, which is always on in MemoryDB: it is another store"]
    return []


def replicas_in_sync(info: dict[str, Any]) -> int:
    """How many replicas are in sync, from INFO of their primary."""
    known = (info.get(f"slave{index}") for index in range(int(info.get("connected_slaves", 0))))
    return sum(1 for replica in known if isinstance(replica, dict) and replica.get("state") == "online")


def engine_of(info: dict[str, Any]) -> tuple[str, str]:
    """Name and version of an engine, from its INFO.

    Valkey still reports ``redis_version:7.2.4`` for old clients, next to its own version.
    """
    if info.get("server_name") == "valkey" or "valkey_version" in info:
        return "valkey", str(info.get("valkey_version", "unknown"))
    return str(info.get("server_name", "redis")), str(info.get("redis_version", "unknown"))


def is_as_declared(engine: str, version: str, seen_engine: str, seen_version: str) -> bool:
    """Whether an engine is the declared one, as precisely as declared: 7.0.15 is ``7.0``."""
    parts = version.split(".")
    return engine == seen_engine and seen_version.split(".")[: len(parts)] == parts


def _gaps(shards: Sequence[Shard]) -> list[tuple[int, int]]:
    gaps: list[tuple[int, int]] = []
    following = 0
    for first, last in sorted(slots for shard in shards for slots in shard.slots):
        if first > following:
            gaps.append((following, first - 1))
        following = last + 1
    return [*gaps, (following, SLOTS - 1)] if following < SLOTS else gaps


def _expected(context: Context) -> str:
    declared = context.declared
    engine = f"{declared.engine} {declared.engine_version}"
    if not context.connection.cluster_mode:
        return f"a primary with {count(declared.replicas or 0, 'replica')} in sync, {engine}"
    if declared.shards is None or declared.replicas is None:
        return f"{SLOTS:,} slots served by any number of shards and replicas, {engine}"
    return (
        f"{count(declared.shards, 'shard')} with {count(declared.replicas, 'replica')} each, {SLOTS:,} slots, {engine}"
    )


def _observed(context: Context, survey: _Survey) -> str:
    engines = ", ".join(survey.engines) or "no engine answered"
    if not context.connection.cluster_mode:
        return f"a primary with {count(survey.in_sync, 'replica')} in sync, {engines}"
    served = sum(last - first + 1 for shard in survey.shards for first, last in shard.slots)
    replicas = "/".join(str(len(shard.replicas)) for shard in survey.shards)
    return f"{count(len(survey.shards), 'shard')} with {replicas} replicas, {served:,} slots, {engines}"


TOPOLOGY = Check("topology", _PROVES, _check_topology)
