"""The protocol of ElastiCache: forms in requests, XML in responses, with times in ISO 8601."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from botocore.utils import parse_timestamp

from cdk_redis_local._emulator.ministack import Response

_HEADERS = {"Content-Type": "text/xml"}


def read(parameters: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    """The parameters of a form, with their types."""
    return _read(parameters, shape, "") or {}


def write(answer: Any, operation: Any) -> Response:
    """The response of an action."""
    response = Element(f"{operation.name}Response", xmlns=operation.service_model.metadata["xmlNamespace"])
    if operation.output_shape is not None:
        wrapper = str(operation.output_shape.serialization.get("resultWrapper", f"{operation.name}Result"))
        _write(SubElement(response, wrapper), answer, operation.output_shape)
    SubElement(SubElement(response, "ResponseMetadata"), "RequestId").text = str(uuid.uuid4())
    return 200, dict(_HEADERS), _text(response)


def write_error(status: int, code: str, message: str, service: Any) -> Response:
    """An error response."""
    response = Element("ErrorResponse", xmlns=service.metadata["xmlNamespace"])
    error = SubElement(response, "Error")
    for name, text in (("Type", "Sender"), ("Code", code), ("Message", message)):
        SubElement(error, name).text = text
    SubElement(response, "RequestId").text = str(uuid.uuid4())
    return status, dict(_HEADERS), _text(response)


def _read(form: Mapping[str, Any], shape: Any, name: str) -> Any:
    """The value with this name in a form; None if the form does not have it."""
    if shape.type_name == "structure":
        start = f"{name}." if name else ""
        read = {
            key: _read(form, member, f"{start}{member.serialization.get('name', key)}")
            for key, member in shape.members.items()
        }
        return {key: value for key, value in read.items() if value is not None} or None
    if shape.type_name == "list":
        for item in (shape.member.serialization.get("name", "member"), "member"):
            found: list[Any] = []
            while (value := _read(form, shape.member, f"{name}.{item}.{len(found) + 1}")) is not None:
                found.append(value)
            if found:
                return found
        return [] if form.get(name) == "" else None
    return None if name not in form else _scalar(str(form[name]), shape.type_name)


def _scalar(text: str, kind: str) -> object:
    if kind == "boolean":
        return text.lower() == "true"
    if kind in ("integer", "long"):
        # The validation of the parameters refuses other text.
        return int(text) if text.lstrip("-").isdecimal() else text
    if kind in ("double", "float"):
        return float(text)
    return parse_timestamp(text) if kind == "timestamp" else text


def _write(parent: Element, value: Any, shape: Any) -> None:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                _write(SubElement(parent, member.serialization.get("name", name)), value[name], member)
    elif shape.type_name == "list":
        for one in value:
            _write(SubElement(parent, shape.member.serialization.get("name", "member")), one, shape.member)
    elif isinstance(value, dt.datetime):
        parent.text = f"{value.astimezone(dt.timezone.utc):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
    else:
        parent.text = str(value).lower() if isinstance(value, bool) else str(value)


def _text(response: Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>' + tostring(response)
