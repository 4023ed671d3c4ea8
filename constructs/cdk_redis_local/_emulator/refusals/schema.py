"""What CloudFormation itself checks: the properties of a resource against the schema of its type.

CloudFormation checks them when a change set is created and before a stack is changed ("pre-deployment validation"), and
values that are known later before it calls the service.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from cdk_redis_local._emulator.refusals.facts import schema_of


@dataclass(frozen=True)
class SchemaProblem:
    """A property that does not fit the schema of its type.

    Attributes:
        path: The property's place, with slashes: ``AuthenticationMode/Type``; empty for the resource itself.
        early: The words of the pre-deployment validation, in DescribeEvents.
        late: The words of the stack event, if the value is known only during the deployment.
    """

    path: str
    early: str
    late: str


def schema_problems(resource_type: str, properties: Mapping[str, Any]) -> list[SchemaProblem]:
    """The problems of a resource's properties; none for a type of another service.

    Properties whose value is not known yet must be left out, and are not missed.

    Args:
        resource_type: Such as ``AWS::ElastiCache::ReplicationGroup``.
        properties: Its properties, resolved.
    """
    schema = schema_of(resource_type)
    return [] if schema is None else list(_object(schema, properties, ""))


def _object(schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[SchemaProblem]:
    known = schema.get("properties")
    if known is None:
        return
    at = f"#/{path}" if path else "#"
    for name in schema.get("required", []):
        if name not in value:
            late = f"{at}: required key [{name}] not found"
            yield SchemaProblem(path, f"Required property [{name}] not found", late)
    for name, entry in value.items():
        if name not in known:
            late = f"{at}: extraneous key [{name}] is not permitted"
            yield SchemaProblem(path, f"Unsupported property [{name}]", late)
        elif entry is not UNKNOWN:
            yield from _value(known[name], entry, f"{path}/{name}" if path else name)


def _value(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[SchemaProblem]:
    kind = schema.get("type")
    if isinstance(kind, str) and not _HAS_TYPE[kind](value):
        name = path.rsplit("/", 1)[-1]
        expected, found = _TYPE_NAMES[kind], _found(value)
        words = f"expected type: {expected}, found: {found}"
        yield SchemaProblem(path, f"Property [{name}] {words}", f"#/{path}: {words}")
        return
    if isinstance(value, Mapping):
        yield from _object(schema, cast("Mapping[str, Any]", value), path)
    elif isinstance(value, list):
        yield from _list(schema, cast("list[Any]", value), path)
    else:
        yield from _scalar(schema, _text(value), path)


def _list(schema: Mapping[str, Any], value: list[Any], path: str) -> Iterator[SchemaProblem]:
    if len(value) < schema.get("minItems", 0):
        yield _both(path, f"expected minimum item count: {schema['minItems']}, found: {len(value)}")
    if len(value) > schema.get("maxItems", len(value)):
        yield _both(path, f"expected maximum item count: {schema['maxItems']}, found: {len(value)}")
    texts = [json.dumps(item, sort_keys=True, default=id) for item in value if item is not UNKNOWN]
    if schema.get("uniqueItems") and len(set(texts)) < len(texts):
        yield _both(path, "array items are not unique")
    for index, item in enumerate(value):
        if "items" in schema and item is not UNKNOWN:
            yield from _value(schema["items"], item, f"{path}/{index}")


def _scalar(schema: Mapping[str, Any], text: str, path: str) -> Iterator[SchemaProblem]:
    for keyword, fold in (("enum", str), ("enumCaseInsensitive", str.lower)):
        allowed = [str(one) for one in schema.get(keyword, [])]
        if allowed and fold(text) not in {fold(one) for one in allowed}:
            words = f"{text} is not a valid enum value"
            yield SchemaProblem(path, f"{words}. Supported values: [{', '.join(allowed)}]", f"#/{path}: {words}")
    if "pattern" in schema and not re.search(schema["pattern"], text):
        yield _both(path, "failed validation constraint for keyword [pattern]")
    if len(text) < schema.get("minLength", 0):
        yield _both(path, f"expected minLength: {schema['minLength']}, actual: {len(text)}")
    if len(text) > schema.get("maxLength", len(text)):
        yield _both(path, f"expected maxLength: {schema['maxLength']}, actual: {len(text)}")
    if "minimum" in schema and float(text) < schema["minimum"]:
        yield _both(path, f"{text} is not greater or equal to {schema['minimum']}")
    if "maximum" in schema and float(text) > schema["maximum"]:
        yield _both(path, f"{text} is not less or equal to {schema['maximum']}")


def _both(path: str, words: str) -> SchemaProblem:
    text = f"#/{path}: {words}"
    return SchemaProblem(path, text, text)


class _Unknown:
    """The type of `UNKNOWN`."""


UNKNOWN = _Unknown()
"""Stands for a value that is known only during the deployment."""


def _is_number(value: Any) -> bool:
    # CloudFormation converts between texts, numbers and booleans.
    return not isinstance(value, bool) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(value)) is not None


def _is_integer(value: Any) -> bool:
    return _is_number(value) and float(value).is_integer()


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or str(value).lower() in ("true", "false")


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float))


_HAS_TYPE = {
    "array": lambda value: isinstance(value, list),
    "boolean": _is_boolean,
    "integer": _is_integer,
    "number": _is_number,
    "object": lambda value: isinstance(value, Mapping),
    "string": _is_scalar,
}
_TYPE_NAMES = {
    "array": "JSONArray",
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Number",
    "object": "JSONObject",
    "string": "String",
}


def _found(value: Any) -> str:
    if isinstance(value, list):
        return "JSONArray"
    return "JSONObject" if isinstance(value, Mapping) else "String"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
