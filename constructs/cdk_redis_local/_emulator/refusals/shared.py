"""Checks that stores of both services have: ports, windows, snapshots, versions and node types."""

from __future__ import annotations

import re

from cdk_redis_local._emulator.refusals.facts import family_of, is_node_type, newest_version, numbers
from cdk_redis_local._emulator.refusals.rule import Broken, Case, Rule, number, text
from cdk_redis_local._emulator.refusals.sources import deployed

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_WEEKLY = re.compile(rf"(mon|tue|wed|thu|fri|sat|sun):{_TIME}-(mon|tue|wed|thu|fri|sat|sun):{_TIME}")
_DAILY = re.compile(rf"{_TIME}-{_TIME}")
_DAY, _WEEK = 24 * 60, 7 * 24 * 60
_SHORTEST = 60
_IDENTIFIER = re.compile(r"(?!.*--)[A-Za-z][A-Za-z0-9-]*(?<!-)")
IDENTIFIER_WORDS = (
    "The parameter {} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII "
    "letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
)
ENGINES = ("redis", "valkey")


def identifier(parameter: str, longest: int) -> Broken:
    """Whether the name of a resource is malformed."""

    def broken(case: Case) -> object:
        name = case.new.get(parameter)
        legal = name is None or (_IDENTIFIER.fullmatch(text(name)) and len(text(name)) <= longest)
        return None if legal else parameter

    return broken


def port(case: Case) -> object:
    """Whether a port is out of range; the port."""
    given = number(case.new.get("Port"))
    legal = given is None or (1150 <= given <= 65535 and given != 8005)
    return None if legal else str(given)


def retention(case: Case) -> object:
    """Whether snapshots are kept too long; the days."""
    given = number(case.new.get("SnapshotRetentionLimit"))
    return None if given is None or 0 <= given <= 35 else str(given)


def maintenance_format(parameter: str) -> Broken:
    """Whether a maintenance window is malformed."""
    return lambda case: parameter in case.new and _week(text(case.new[parameter])) is None


def maintenance_length(parameter: str) -> Broken:
    """Whether a maintenance window is too short."""

    def broken(case: Case) -> object:
        window = _week(text(case.new.get(parameter)))
        return window is not None and (window[1] - window[0]) % _WEEK < _SHORTEST

    return broken


def snapshot_format(case: Case) -> object:
    """Whether a snapshot window is malformed."""
    return "SnapshotWindow" in case.new and _DAILY.fullmatch(text(case.new["SnapshotWindow"])) is None


def snapshot_length(case: Case) -> object:
    """Whether a snapshot window is too short."""
    window = _day(text(case.new.get("SnapshotWindow")))
    return window is not None and (window[1] - window[0]) % _DAY < _SHORTEST


def overlap(parameter: str) -> Broken:
    """Whether the snapshot window, which is each day, overlaps the maintenance window."""

    def broken(case: Case) -> object:
        week, day = _week(text(case.new.get(parameter))), _day(text(case.new.get("SnapshotWindow")))
        if week is None or day is None:
            return None
        long, daily = (week[1] - week[0]) % _WEEK, (day[1] - day[0]) % _DAY
        starts = [(day[0] + number * _DAY - week[0]) % _WEEK for number in range(7)]
        return any(start < long or start + daily > _WEEK for start in starts)

    return broken


def _week(window: str) -> tuple[int, int] | None:
    found = _WEEKLY.fullmatch(window.lower())
    if found is None:
        return None
    parts = found.groups()
    first = _DAYS.index(parts[0]) * _DAY + int(parts[1]) * 60 + int(parts[2])
    return first, _DAYS.index(parts[3]) * _DAY + int(parts[4]) * 60 + int(parts[5])


def _day(window: str) -> tuple[int, int] | None:
    found = _DAILY.fullmatch(window)
    if found is None:
        return None
    parts = [int(part) for part in found.groups()]
    return parts[0] * 60 + parts[1], parts[2] * 60 + parts[3]


def engine_without_replicas(case: Case) -> object:
    """Whether the engine is none of Valkey and Redis OSS."""
    engine = text(case.new.get("Engine")).lower()
    return bool(engine) and engine not in ENGINES


def unknown_version(service: str) -> Broken:
    """Whether the service has no such version, and neither has this machine; version and engine."""

    def broken(case: Case) -> object:
        engine, version = text(case.new.get("Engine") or "redis").lower(), text(case.new.get("EngineVersion"))
        if engine not in ENGINES or not version or family_of(service, engine, version):
            return None
        here = {tuple(found.split(".")) for name, found in case.known.machine if name == engine}
        wanted = tuple(version.split("."))
        newer = numbers(version) > newest_version(service, engine) or wanted[-1:] == ("x",)
        # A version that is newer than the table may exist.
        return None if newer or any(one[: len(wanted)] == wanted[: len(one)] for one in here) else (version, engine)

    return broken


def node_type(parameter: str, prefix: str) -> Broken:
    """Whether there is no such node type; the node type."""

    def broken(case: Case) -> object:
        given = text(case.new.get(parameter))
        return given if given and not is_node_type(prefix, given) else None

    return broken


def data_tiering(enabled: str, node: str) -> Broken:
    """Whether data tiering is on for nodes that have no disks; the node type."""

    def broken(case: Case) -> object:
        given = text(case.new.get(node))
        tiered = text(case.new.get(enabled)).lower() == "true"
        return given if tiered and given and re.search(r"\.r[0-9]+gd\.", given) is None else None

    return broken


def foreign_key(case: Case) -> object:
    """Whether the KMS key is of another Region; the key."""
    parts = text(case.new.get("KmsKeyId")).split(":")
    region = text(case.region)
    return parts[-1].removeprefix("key/") if len(parts) > 5 and region and parts[3] != region else None


def already_exists(case: Case) -> object:
    """Whether a resource is created whose name is taken; its name."""
    return case.name if case.name and case.old is None and case.known.find(case.type, case.name) is not None else None


EXISTS = "Resource of type '{}' with identifier '{}' already exists."


def common(type: str, service: str, maintenance: str, node: str, tiering: str) -> list[Rule]:
    """The rules that the stores of both services share.

    Args:
        type: The resource type.
        service: ``elasticache`` or ``memorydb``.
        maintenance: Property with the maintenance window.
        node: Property with the node type.
        tiering: Property that turns data tiering on.
    """
    value, combination = "InvalidParameterValue", "InvalidParameterCombination"
    hours = "(24H Clock UTC)"

    def rule(words: str, broken: Broken, source: str, code: str = value) -> Rule:
        return Rule(type, code, words, broken, deployed(service, source))

    return [
        rule("Invalid endpoint port: {}. Valid range is 1150-8004,8006-65535", port, "port"),
        rule(
            "Invalid snapshot retention limit: {}. Retention limit must be between 0 and 35.",
            retention,
            "snapshot-retention",
        ),
        rule(
            f"Invalid maintenance window format. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi {hours}",
            maintenance_format(maintenance),
            "maintenance-window",
        ),
        rule("Maintenance window must be at least 60 minutes.", maintenance_length(maintenance), "maintenance-window"),
        rule(
            f"Invalid backup window format. Should be specified as a range hh24:mi-hh24:mi {hours}",
            snapshot_format,
            "snapshot-window",
        ),
        rule("Snapshot window must be at least 60 minutes.", snapshot_length, "snapshot-window"),
        rule(
            "The snapshot window and maintenance window must not overlap.",
            overlap(maintenance),
            "snapshot-window",
            combination,
        ),
        rule("Specified engine does not support replication.", engine_without_replicas, "engine", combination),
        rule(
            "Data tiering is not supported for the node type {}.",
            data_tiering(tiering, node),
            "data-tiering-node-type",
            combination,
        ),
    ]
