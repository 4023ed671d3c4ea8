"""The API of CloudWatch in all of its protocols: the emulator speaks JSON well, the others in part or not at all."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import cbor2
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.utils import parse_timestamp

from cdk_redis_local._emulator.api import cbor_protocol, json_protocol, query_protocol
from cdk_redis_local._emulator.ministack import Response
from cdk_redis_local._emulator.ministack.cloudwatch_api import Request, answer_cloudwatch
from cdk_redis_local._emulator.ministack.metrics import find_alarm, store_alarm, tag_alarm
from cdk_redis_local._emulator.observe.alarms import alarm_record
from cdk_redis_local._emulator.observe.metric_math import ExpressionError
from cdk_redis_local._emulator.observe.metric_reads import MetricReads

_OPERATION = "/operation/"


class CloudWatchApi:
    """Answers the actions that read metrics, and alarms of metric math; translates the others for the emulator."""

    def __init__(self, reads: MetricReads) -> None:
        """Prepare the API; :meth:`register` adds it to the emulator."""
        self._actions: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GetMetricData": reads.get_metric_data,
            "GetMetricStatistics": reads.get_metric_statistics,
            "ListMetrics": reads.list_metrics,
            "PutMetricAlarm": _put_metric_alarm,
        }

    def register(self) -> None:
        """Replace the emulator's API."""
        answer_cloudwatch(self._answer)

    @functools.cached_property
    def _model(self) -> Any:
        return ServiceModel(Loader().load_service_model("cloudwatch", "service-2"), "cloudwatch")

    async def _answer(self, request: Request) -> Response:
        wire, action, read = _read(request)
        if action not in self._model.operation_names:
            return wire.write_error(400, "InvalidAction", f"Unknown action: {action}", self._model)
        operation = self._model.operation_model(action)
        try:
            parameters = wire.read(read, operation.input_shape) if operation.input_shape else {}
            if action in self._actions:
                answer = self._actions[action](parameters)
            else:
                answer = await _emulated(request, action, parameters)
        except _RefusedError as error:
            return wire.write_error(error.status, error.code, str(error), self._model)
        except (ExpressionError, ValueError) as error:
            return wire.write_error(400, "ValidationError", str(error), self._model)
        return wire.write(_shaped(answer, operation.output_shape), operation)


class _RefusedError(Exception):
    """The emulator refused a request."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def _read(request: Request) -> tuple[Any, str, dict[str, Any]]:
    """The protocol of a request, its action and its parameters."""
    if "cbor" in request.headers.get("smithy-protocol", "") or "cbor" in request.headers.get("content-type", ""):
        action = request.path.rpartition(_OPERATION)[2]
        return cbor_protocol, action, cbor2.loads(request.body) if request.body else {}
    if target := request.headers.get("x-amz-target", ""):
        return json_protocol, target.rpartition(".")[2], json.loads(request.body or b"{}")
    form = {key: values[-1] for key, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
    form = {**{key: values[-1] for key, values in request.query.items()}, **form}
    return query_protocol, form.get("Action", ""), form


async def _emulated(request: Request, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The emulator's answer to an action.

    Raises:
        _RefusedError: The emulator refuses it.
    """
    status, _, body = await request.emulate(action, json.dumps(parameters, default=_seconds).encode())
    answer = json.loads(body or b"{}")
    if status >= 400:
        raise _RefusedError(status, str(answer.get("__type", "ValidationError")), str(answer.get("message", "")))
    return answer


def _put_metric_alarm(parameters: Mapping[str, Any]) -> dict[str, Any]:
    name = str(parameters["AlarmName"])
    new = find_alarm(name) is None
    store_alarm(alarm_record(name, parameters))
    # As on AWS, tags of an alarm that exists are ignored.
    if new and parameters.get("Tags"):
        tag_alarm(name, parameters["Tags"])
    return {}


def _shaped(value: Any, shape: Any) -> Any:
    """The value with the members of a shape only, and with times as `datetime` objects."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        members: Mapping[str, Any] = shape.members
        return {name: _shaped(value[name], one) for name, one in members.items() if value.get(name) is not None}
    if shape.type_name == "list":
        return [_shaped(one, shape.member) for one in value]
    if shape.type_name == "timestamp":
        return value if isinstance(value, dt.datetime) else parse_timestamp(value)
    return float(value) if shape.type_name in ("double", "float") else value


def _seconds(value: object) -> float:
    if isinstance(value, dt.datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} is not a value of JSON")
