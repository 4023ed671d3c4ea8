"""Properties of resource types, from the CloudFormation schemas of cfn-lint."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

REGION = "us-east-1"


@cache
def schema(resource_type: str) -> dict[str, Any]:
    """The schema of a resource type."""
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource_type).schema


def properties(resource_type: str) -> frozenset[str]:
    """Paths of all properties that a template can set, including nested ones, without deprecated ones.

    Such as ``LogDeliveryConfigurations.DestinationDetails.CloudWatchLogsDetails.LogGroup``. A path has no part for a
    list, and a property with nested properties is not listed itself.
    """
    whole = schema(resource_type)
    excluded = read_only(resource_type) | deprecated(resource_type)
    return frozenset(
        path
        for path in _leaves(whole, whole, "")
        if not any(path == other or path.startswith(f"{other}.") for other in excluded)
    )


def top_level(resource_type: str) -> frozenset[str]:
    """Names of the properties that a template can set, without deprecated ones."""
    return frozenset(path.partition(".")[0] for path in properties(resource_type))


def create_only(resource_type: str) -> frozenset[str]:
    """Properties whose change replaces the resource."""
    return _pointers(resource_type, "createOnlyProperties")


def conditional_create_only(resource_type: str) -> frozenset[str]:
    """Properties some of whose changes replace the resource."""
    return _pointers(resource_type, "conditionalCreateOnlyProperties")


def read_only(resource_type: str) -> frozenset[str]:
    """Attributes that a template cannot set."""
    return _pointers(resource_type, "readOnlyProperties")


def deprecated(resource_type: str) -> frozenset[str]:
    """Properties that AWS has deprecated."""
    return _pointers(resource_type, "deprecatedProperties")


def paths(value: object, prefix: str = "") -> Iterator[str]:
    """Paths of the properties that a resource of a template sets, in the format of `properties`.

    An intrinsic function counts as a value.
    """
    if isinstance(value, list):
        for item in value:
            yield from paths(item, prefix)
    elif isinstance(value, dict) and value and not _is_intrinsic(value):
        for name, inner in value.items():
            yield from paths(inner, f"{prefix}.{name}" if prefix else name)
    elif prefix:
        yield prefix


def _is_intrinsic(value: dict[str, object]) -> bool:
    (first, *others) = value
    return not others and (first == "Ref" or first.startswith("Fn::"))


def _pointers(resource_type: str, key: str) -> frozenset[str]:
    pointers = schema(resource_type).get(key, [])
    return frozenset(pointer.removeprefix("/properties/").replace("/", ".") for pointer in pointers)


def _leaves(whole: dict[str, Any], part: dict[str, Any], path: str) -> Iterator[str]:
    part = _resolved(whole, part)
    if part.get("type") == "array":
        yield from _leaves(whole, part.get("items", {}), path)
    elif inner := part.get("properties"):
        for name, below in inner.items():
            yield from _leaves(whole, below, f"{path}.{name}" if path else name)
    else:
        yield path


def _resolved(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        name = part["$ref"].removeprefix("#/definitions/")
        part = whole["definitions"][name]
    return part
