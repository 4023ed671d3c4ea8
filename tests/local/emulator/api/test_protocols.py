"""Requests and answers of both services survive the way to botocore's client and back."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Service

_MOMENT = dt.datetime(2026, 11, 22, 5, 6, 7, 250000, dt.timezone.utc)
_SERVICES = pytest.mark.parametrize("service", [ELASTICACHE, MEMORYDB], ids=lambda service: service.name)


def _full(shape: Any) -> Any:
    """A value with every member of a shape, and two items in every list."""
    if shape.type_name == "structure":
        return {name: _full(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [_full(shape.member), _full(shape.member)]
    kinds = {"integer": 7, "long": 8, "boolean": True, "double": 1.5, "timestamp": _MOMENT}
    # XML's own characters, and the longest text that a shape requires.
    return kinds.get(shape.type_name, "<a & b>" + "x" * shape.metadata.get("min", 0))


def _operations(service: Service) -> list[Any]:
    return [service.model.operation_model(name) for name in service.model.operation_names]


def _parsed(service: Service, response: tuple[int, dict[str, str], bytes], shape: Any) -> Any:
    status, headers, body = response
    parser = create_parser(service.model.metadata["protocol"])
    parsed = parser.parse({"status_code": status, "headers": headers, "body": body}, shape)
    parsed.pop("ResponseMetadata")
    return parsed


@_SERVICES
def test_clients_read_every_member_of_every_answer(service: Service) -> None:
    for operation in _operations(service):
        answer = _full(operation.output_shape) if operation.output_shape else {}
        assert _parsed(service, service.answer(operation.name, answer), operation.output_shape) == answer, operation


@_SERVICES
def test_actions_get_every_parameter_of_every_request(service: Service) -> None:
    for operation in _operations(service):
        if operation.input_shape is None:
            continue
        asked, got = _full(operation.input_shape), []

        def action(parameters: Any, got: list[Any] = got) -> Any:
            got.append(parameters)
            raise ApiError("InvalidParameterValueException", "enough")

        request = create_serializer(service.model.metadata["protocol"]).serialize_to_request(asked, operation)
        body = request["body"]
        service.call(operation.name, action, json.loads(body) if isinstance(body, bytes) else body)
        assert len(got) == 1, operation
        assert [got[0]] == [asked] or _in_seconds(got[0]) == _in_seconds(asked), operation


def _in_seconds(value: Any) -> Any:
    """The protocols have no fractions of seconds in requests."""
    if isinstance(value, dict):
        return {key: _in_seconds(one) for key, one in value.items()}
    return value.replace(microsecond=0) if isinstance(value, dt.datetime) else value


@_SERVICES
def test_answers_out_of_shape_are_errors_of_the_code(service: Service) -> None:
    with pytest.raises(ValueError, match=r'Unknown parameter in Events.0.: "Sise"'):
        service.answer("DescribeEvents", {"Events": [{"Sise": 1}]})
    with pytest.raises(ValueError, match="Invalid type for parameter"):
        service.answer("DescribeEvents", {"Events": [{"Message": 1}]})
    with pytest.raises(ValueError, match="has no error MistypedFault"):
        service.error("MistypedFault", "what")
    assert _parsed(service, service.answer("DescribeEvents", {"Events": [{"Message": None}]}), None) is not None


@_SERVICES
def test_errors_have_the_code_and_the_status_of_the_service(service: Service) -> None:
    code = "CacheClusterNotFoundFault" if service is ELASTICACHE else "ClusterNotFoundFault"
    response = service.error(code, "no <cluster> & no node")
    assert service.error(code.removesuffix("Fault"), "")[0] == response[0]
    assert response[0] == (404 if service is ELASTICACHE else 400)
    error = _parsed(service, response, None)["Error"]
    assert error["Message"] == "no <cluster> & no node"
    assert error["Code"] == ("CacheClusterNotFound" if service is ELASTICACHE else code)


@_SERVICES
def test_a_request_without_a_required_parameter_is_refused(service: Service) -> None:
    name = "ModifyUser" if service is ELASTICACHE else "UpdateUser"
    error = _parsed(service, service.call(name, lambda _: {}, {}), None)["Error"]
    assert error["Code"].startswith("InvalidParameterValue")
    assert "Missing required parameter" in error["Message"]


@_SERVICES
def test_long_answers_come_in_pages(service: Service) -> None:
    events = [{"Message": str(number)} for number in range(205)]
    limit, token = ("MaxRecords", "Marker") if service is ELASTICACHE else ("MaxResults", "NextToken")
    shape = service.model.operation_model("DescribeEvents").output_shape

    def page(asked: dict[str, Any]) -> Any:
        return _parsed(service, service.call("DescribeEvents", lambda _: {"Events": events}, asked), shape)

    found: list[Any] = []
    sizes: list[int] = []
    asked: dict[str, Any] = {}
    while not sizes or asked:
        answer = page(asked)
        found += answer["Events"]
        sizes.append(len(answer["Events"]))
        asked = {token: answer[token], limit: 90} if token in answer else {}
    assert found == events
    assert sizes == [100, 90, 15]
    assert page({token: "made-up"})["Error"]["Code"].startswith("InvalidParameterValue")
