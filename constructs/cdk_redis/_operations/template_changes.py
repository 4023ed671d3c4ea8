"""Compares two versions of a template: what happens to each resource with data, and to its data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdk_redis._operations.replacement_rules import Effect, Judgement, judge
from cdk_redis._operations.stateful_types import (
    CACHE_CLUSTER,
    MEMORYDB_CLUSTER,
    REPLICATION_GROUP,
    SERVERLESS_CACHE,
    STORES,
    StatefulType,
    stateful_types,
)

Template = Mapping[str, Any]

_SNAPSHOT_POLICY = (REPLICATION_GROUP, CACHE_CLUSTER)
_SNAPSHOT_NAME = (SERVERLESS_CACHE, MEMORYDB_CLUSTER)
_ABSENT = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True)
class Change:
    """What a deployment does with one resource.

    Attributes:
        template: Name of the stack or the file.
        logical_id: Logical id of the resource in the old template.
        resource_type: Its type, such as ``AWS::MemoryDB::Cluster``.
        path: Path of its construct; the logical id if the template does not say it.
        effect: In place, in place with an interruption, a replacement, or a removal.
        properties: The properties that decide it; empty if the logical id changes or the resource is removed.
        reason: Why, in a sentence.
        data: What happens to the data: kept, in a final snapshot, retained, or lost; empty for types without data.
        advice: How to avoid it; empty for a change in place.
        notes: What else to know, such as where ``cdk diff`` says something else.
    """

    template: str
    logical_id: str
    resource_type: str
    path: str
    effect: Effect
    properties: tuple[str, ...]
    reason: str
    data: str
    advice: str
    notes: tuple[str, ...] = ()


def changes_of(name: str, before: Template, after: Template) -> list[Change]:
    """Compare two versions of a template.

    Args:
        name: Name of the stack or the file, for the changes.
        before: The template that is deployed.
        after: The template that is to be deployed.

    Returns:
        The changes of resources of `stateful_types`, those that end a resource first. Resources that do not change, and
        new ones, are left out.
    """
    comparison = _Comparison(name, before, after)
    found = [*comparison.changed(), *comparison.missing()]
    return sorted(found, key=lambda change: (not change.effect.ends_resource, change.path))


class _Comparison:
    def __init__(self, name: str, before: Template, after: Template) -> None:
        self._name = name
        self._before, self._after = _stateful(before), _stateful(after)
        self._parameters = before.get("Parameters", {}), after.get("Parameters", {})
        self._judgements = self._judge_all()

    def changed(self) -> Iterator[Change]:
        """Changes of resources that both templates have."""
        for logical_id, judgement in self._judgements.items():
            old, new = self._before[logical_id], self._after[logical_id]
            ends = judgement.effect.ends_resource
            yield Change(
                self._name,
                logical_id,
                old["Type"],
                _path(logical_id, old),
                judgement.effect,
                judgement.properties,
                self._reason(judgement),
                _fate(old, new.get("UpdateReplacePolicy", "Delete")) if ends else _kept(old),
                _advice(old) if ends else "",
                tuple(judgement.notes),
            )

    def missing(self) -> Iterator[Change]:
        """Changes of resources whose logical id the new template does not have, or has for another type."""
        added = {one: self._after[one] for one in self._after.keys() - self._before.keys()}
        for logical_id, old in self._before.items():
            new = self._after.get(logical_id)
            if new is not None and new["Type"] == old["Type"]:
                continue
            successor = _successor(old, added)
            path, fate = _path(logical_id, old), _fate(old, old.get("DeletionPolicy", "Delete"))
            if new is not None:
                reason = f"its type becomes {new['Type']}, and CloudFormation refuses to change the type of a resource"
                advice = "give the new construct another id"
                yield Change(self._name, logical_id, old["Type"], path, Effect.REMOVAL, (), reason, fate, advice)
            elif successor is not None:
                del added[successor]
                reason = f"its logical id becomes {successor}: the id of the construct or of one of its parents changed"
                advice = f'keep the id, or call override_logical_id("{logical_id}") on the L1 construct'
                yield Change(self._name, logical_id, old["Type"], path, Effect.REPLACEMENT, (), reason, fate, advice)
            else:
                advice = "keep the construct in this stack"
                reason = "the new template does not have it"
                yield Change(self._name, logical_id, old["Type"], path, Effect.REMOVAL, (), reason, fate, advice)

    def _judge_all(self) -> dict[str, Judgement]:
        types = stateful_types()
        judgements: dict[str, Judgement] = {}
        for logical_id, old in self._before.items():
            new = self._after.get(logical_id)
            if new is None or new["Type"] != old["Type"]:
                continue
            if changed := self._changed_properties(old, new):
                judgements[logical_id] = judge(old["Type"], types[old["Type"]], old, new, changed)
        self._follow_references(types, judgements)
        return judgements

    def _follow_references(self, types: Mapping[str, StatefulType], judgements: dict[str, Judgement]) -> None:
        """Replace resources with a create-only property that refers to a resource that is replaced."""
        ended = [one for one, judgement in judgements.items() if judgement.effect.ends_resource]
        while ended:
            replaced = ended.pop()
            for logical_id in self._before.keys() & self._after.keys():
                new = self._after[logical_id]
                known = judgements.get(logical_id)
                if new["Type"] != self._before[logical_id]["Type"] or (known and known.effect.ends_resource):
                    continue
                properties = [
                    name
                    for name, value in new.get("Properties", {}).items()
                    if name in types[new["Type"]].create_only and replaced in _references(value)
                ]
                if properties:
                    note = f"{replaced}, to which {', '.join(properties)} refers, is replaced"
                    judgements[logical_id] = Judgement(Effect.REPLACEMENT, tuple(sorted(properties)), [note])
                    ended.append(logical_id)

    def _changed_properties(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> frozenset[str]:
        before, after = (
            {
                name: value
                for name, given in resource.get("Properties", {}).items()
                if (value := _normal(given, parameters)) != _ABSENT
            }
            for resource, parameters in zip((old, new), self._parameters, strict=True)
        )
        return frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))

    @staticmethod
    def _reason(judgement: Judgement) -> str:
        names = ", ".join(judgement.properties)
        if judgement.effect is Effect.REPLACEMENT:
            return f"a change of {names} replaces the resource"
        return f"{names} {'changes' if len(judgement.properties) == 1 else 'change'}"


def _stateful(template: Template) -> dict[str, Mapping[str, Any]]:
    resources: Mapping[str, Mapping[str, Any]] = template.get("Resources", {})
    return {logical_id: one for logical_id, one in resources.items() if one.get("Type") in stateful_types()}


def _path(logical_id: str, resource: Mapping[str, Any]) -> str:
    return str(resource.get("Metadata", {}).get("aws:cdk:path", logical_id))


def _successor(old: Mapping[str, Any], added: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The new resource of the same type that is most like a missing one."""
    candidates = [logical_id for logical_id, new in added.items() if new["Type"] == old["Type"]]
    if not candidates:
        return None
    wanted = _parts(old)
    return max(sorted(candidates), key=lambda candidate: len(wanted & _parts(added[candidate])))


def _parts(resource: Mapping[str, Any]) -> set[str]:
    """What two versions of a resource are compared by: the parts of its path, and its properties."""
    properties = (
        f"{name}={json.dumps(value, sort_keys=True)}" for name, value in resource.get("Properties", {}).items()
    )
    return {*_path("", resource).split("/"), *properties}


def _normal(value: Any, parameters: Mapping[str, Any]) -> Any:
    """A value as CloudFormation compares it: numbers and booleans as text, parameters as their default."""
    if isinstance(value, Mapping):
        if list(value) == ["Ref"] and "Default" in parameters.get(value["Ref"], {}):
            return _normal(parameters[value["Ref"]]["Default"], {})
        kept = {name: _normal(inner, parameters) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner != _ABSENT} if kept != _ABSENT else kept
    if isinstance(value, list):
        return [inner for item in value if (inner := _normal(item, parameters)) != _ABSENT]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _references(value: Any) -> set[str]:
    """Logical ids that a value refers to."""
    if isinstance(value, Mapping):
        if list(value) == ["Ref"]:
            return {str(value["Ref"])}
        if list(value) == ["Fn::GetAtt"]:
            target = value["Fn::GetAtt"]
            return {str(target[0] if isinstance(target, list) else str(target).partition(".")[0])}
        return set().union(*map(_references, value.values()))
    if isinstance(value, list):
        return set().union(*map(_references, value))
    return set()


def _advice(resource: Mapping[str, Any]) -> str:
    instead = ", or define a second store and move the data" if resource["Type"] in STORES else ""
    return f"take the change back{instead}"


def _kept(resource: Mapping[str, Any]) -> str:
    return "kept" if resource["Type"] in STORES else ""


def _fate(resource: Mapping[str, Any], policy: str) -> str:
    """What happens to the data of a resource that is deleted or leaves the stack under a policy."""
    resource_type = resource["Type"]
    if policy in ("Retain", "RetainExceptOnCreate"):
        return "the old resource stays, outside of the stack"
    if resource_type not in STORES:
        return ""
    if resource_type in _SNAPSHOT_POLICY and policy == "Snapshot":
        return "in a final snapshot, whose name the service chooses; the new store is empty"
    name = resource.get("Properties", {}).get("FinalSnapshotName")
    if resource_type in _SNAPSHOT_NAME and name is not None:
        return f"in the final snapshot {_shown(name)}; the new store is empty"
    return "lost"


def _shown(name: Any) -> str:
    """A name in a template, with references in braces: ``orders-final-${Group.GroupId}``."""
    if isinstance(name, Mapping) and list(name) == ["Fn::Join"]:
        separator, items = name["Fn::Join"]
        return str(separator).join(map(_shown, items))
    if isinstance(name, Mapping) and list(name) == ["Ref"]:
        return f"${{{name['Ref']}}}"
    if isinstance(name, Mapping) and list(name) == ["Fn::GetAtt"]:
        target = name["Fn::GetAtt"]
        return f"${{{'.'.join(target) if isinstance(target, list) else target}}}"
    return name if isinstance(name, str) else json.dumps(name)
