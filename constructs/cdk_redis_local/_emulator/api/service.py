"""The API of one service: reads requests and writes answers in the shapes of botocore's model of the service.

An action is a function from the parameters of the request to the answer, both plain dictionaries as boto3 has them:

    def describe_snapshots(parameters: Parameters) -> Answer:
        name = parameters.get("SnapshotName")
        ...
        raise ApiError("SnapshotNotFoundFault", f"Snapshot {name} not found.")
        return {"Snapshots": [{"SnapshotName": name, "SnapshotStatus": "available"}]}

    ELASTICACHE.add({"DescribeSnapshots": describe_snapshots})

It returns all items: the parameters for pages (``MaxRecords`` and ``Marker``, ``MaxResults`` and ``NextToken``) are
applied to its answer. It runs on a thread, in the account and Region of the request.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from cdk_redis_local._emulator.api import json_protocol, query_protocol
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.pages import Pages
from cdk_redis_local._emulator.api.permissions import check_role
from cdk_redis_local._emulator.ministack import Response, add_elasticache_action, add_memorydb

Parameters = Mapping[str, Any]
"""The parameters of a request. Times are aware `datetime` objects."""
Answer = Mapping[str, Any]
"""The answer to a request. Times are aware `datetime` objects; members that are None are left out."""
ApiAction = Callable[[Parameters], Answer]
"""Answers a request; raises `ApiError`."""

# Errors that all services share; botocore's models do not have them.
_COMMON_ERRORS = {
    "AccessDeniedException": 400,
    "InternalFailure": 500,
    "InvalidAction": 400,
    "UnknownOperationException": 400,
    "ValidationError": 400,
}


class _Wire(Protocol):
    """Reads and writes the messages of one protocol; a module."""

    def read(self, parameters: Mapping[str, Any], shape: Any) -> dict[str, Any]: ...

    def write(self, answer: Any, operation: Any) -> Response: ...

    def write_error(self, status: int, code: str, message: str, service: Any) -> Response: ...


class Service:
    """The API of one service."""

    def __init__(
        self, name: str, wire: _Wire, register: Callable[[dict[str, Callable[[Mapping[str, Any]], Response]]], None]
    ) -> None:
        """Prepare the API.

        Args:
            name: Name of the service in botocore and in ARNs.
            wire: The protocol of the service.
            register: Adds actions to the emulator.
        """
        self.name = name
        self._wire = wire
        self._register = register
        self.added: set[str] = set()
        """The names of the actions that were added."""

    @functools.cached_property
    def model(self) -> Any:
        """The service in botocore's words: a `ServiceModel`, whose properties have no types."""
        return ServiceModel(Loader().load_service_model(self.name, "service-2"), self.name)

    @functools.cached_property
    def _pages(self) -> dict[str, Pages]:
        described: dict[str, dict[str, str]] = Loader().load_service_model(self.name, "paginators-1")["pagination"]
        return {name: Pages(**{key: one[key] for key in Pages.KEYS}) for name, one in described.items()}

    def add(self, actions: Mapping[str, ApiAction]) -> None:
        """Add actions to the API, for clients and for state machines, in place of the emulator's."""
        self.added |= actions.keys()
        self._register({name: functools.partial(self.call, name, action) for name, action in actions.items()})

    def call(self, name: str, action: ApiAction, parameters: Mapping[str, Any]) -> Response:
        """The response of an action to a request.

        Args:
            name: Name of the action.
            action: The action.
            parameters: The parameters as they are in the request.
        """
        operation = self.model.operation_model(name)
        try:
            read = self._wire.read(parameters, operation.input_shape) if operation.input_shape else {}
            if problems := _problems(read, operation.input_shape):
                raise ApiError("InvalidParameterValueException", problems)
            check_role(self.name, name, read)
            answer = action(read)
            if name in self._pages:
                answer = self._pages[name].cut(answer, read)
        except ApiError as error:
            return self.error(error.code, error.message)
        return self.answer(name, answer)

    def answer(self, name: str, answer: Answer) -> Response:
        """The response of an action.

        Raises:
            ValueError: The answer does not have the shape of the service's model.
        """
        operation = self.model.operation_model(name)
        present = _without_none(answer)
        if problems := _problems(present, operation.output_shape):
            raise ValueError(f"the answer of {name} is not in the shape of {self.name}: {problems}")
        return self._wire.write(present, operation)

    def error(self, code: str, message: str) -> Response:
        """An error response.

        Args:
            code: Name of an error in botocore's model, such as ``SnapshotNotFoundFault``, also without ``Fault`` or
                ``Exception``, its code in the protocol, or an error that all services have.
            message: The message.

        Raises:
            ValueError: The service does not have this error.
        """
        if code in _COMMON_ERRORS:
            return self._wire.write_error(_COMMON_ERRORS[code], code, message, self.model)
        if code not in self._errors:
            raise ValueError(f"{self.name} has no error {code}")
        status, code = self._errors[code]
        return self._wire.write_error(status, code, message, self.model)

    @functools.cached_property
    def _errors(self) -> dict[str, tuple[int, str]]:
        """Status and code of each error, by its names and by its code."""
        found: dict[str, tuple[int, str]] = {}
        for name in self.model.shape_names:
            metadata: dict[str, Any] = self.model.shape_for(name).metadata
            if metadata.get("exception"):
                error = metadata.get("error") or {}
                code = error.get("code", name)
                short = name.removesuffix("Fault").removesuffix("Exception")
                for known in (name, code, short):
                    found[known] = (error.get("httpStatusCode", 400), code)
        return found


def _problems(value: object, shape: Any) -> str:
    return "" if shape is None else ParamValidator().validate(value, shape).generate_report()


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, (list, tuple)) else value


def _add_to_elasticache(actions: dict[str, Callable[[Mapping[str, Any]], Response]]) -> None:
    for name, action in actions.items():
        add_elasticache_action(name, action)


ELASTICACHE = Service("elasticache", query_protocol, _add_to_elasticache)
"""The API of ElastiCache."""
MEMORYDB = Service("memorydb", json_protocol, add_memorydb)
"""The API of MemoryDB."""
