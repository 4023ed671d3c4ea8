"""The API actions that fail a shard over: ElastiCache's TestFailover and MemoryDB's FailoverShard.

As on AWS, both return at once, before the failover is complete. If a state machine calls them, its role must allow it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from xml.sax.saxutils import escape

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.ministack import (
    Response,
    add_elasticache_action,
    add_memorydb,
    execution_role,
    remember_execution_roles,
    scope,
)
from cdk_redis_local._emulator.ministack.callers import role_may
from cdk_redis_local._emulator.stores import StoreKey, Stores

_NAMESPACE = "http://elasticache.amazonaws.com/doc/2015-02-02/"


class _RefusedError(Exception):
    """The action returns an error: the first argument is its code, the second its message."""


class FailoverCalls:
    """ElastiCache's ``TestFailover`` and MemoryDB's ``FailoverShard``."""

    def __init__(self, stores: Stores) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator."""
        self._stores = stores

    def register(self) -> None:
        """Add both actions to the emulator, for clients and for state machines."""
        remember_execution_roles()
        add_elasticache_action("TestFailover", self._test_failover)
        add_memorydb({"FailoverShard": self._failover_shard})

    def _test_failover(self, parameters: Mapping[str, str]) -> Response:
        # ElastiCache's ids are not case-sensitive.
        name, shard = parameters.get("ReplicationGroupId", "").lower(), parameters.get("NodeGroupId", "")
        try:
            _check_role("elasticache:TestFailover", f"replicationgroup:{name}")
            self._begin("elasticache", name, shard, "ReplicationGroup", "NodeGroup")
        except _RefusedError as refusal:
            code, message = map(escape, refusal.args)
            error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            return _xml(400, f'<ErrorResponse xmlns="{_NAMESPACE}">{error}</ErrorResponse>')
        group = f"<ReplicationGroupId>{escape(name)}</ReplicationGroupId><Status>modifying</Status>"
        result = f"<TestFailoverResult><ReplicationGroup>{group}</ReplicationGroup></TestFailoverResult>"
        return _xml(200, f'<TestFailoverResponse xmlns="{_NAMESPACE}">{result}</TestFailoverResponse>')

    def _failover_shard(self, parameters: Mapping[str, str]) -> Response:
        name = parameters.get("ClusterName", "")
        try:
            _check_role("memorydb:FailoverShard", f"cluster/{name}")
            self._begin("memorydb", name, parameters.get("ShardName", ""), "Cluster", "Shard")
        except _RefusedError as refusal:
            code, message = refusal.args
            return _json(400, {"__type": code, "message": message})
        return _json(200, {"Cluster": {"Name": name, "Status": "updating"}})

    def _begin(self, service: str, name: str, shard: str, store_kind: str, shard_kind: str) -> None:
        """Start a failover.

        Raises:
            _RefusedError: The store or shard does not exist, or the shard has no replica.
        """
        key = StoreKey(service, scope(), name)
        if key not in self._stores:
            raise _RefusedError(f"{store_kind}NotFoundFault", f"{store_kind} {name} not found.")
        names = self._stores.shard_names(key)
        if shard not in names:
            raise _RefusedError(f"{shard_kind}NotFoundFault", f"{name} has no shard {shard}, but {', '.join(names)}")
        try:
            self._stores.fail_over(key, shard)
        except LocalCloudError as error:
            raise _RefusedError("TestFailoverNotAvailableFault", str(error)) from error


def _check_role(action: str, resource: str) -> None:
    """Check the permissions of the state machine's role, if a state machine sent the request.

    Raises:
        _RefusedError: The role may not perform the action on the resource.
    """
    account, region = scope()
    role = execution_role()
    arn = f"arn:aws:{action.partition(':')[0]}:{region}:{account}:{resource}"
    if role and not role_may(role, action, arn):
        message = f"User: {role} is not authorized to perform: {action} on resource: {arn}"
        raise _RefusedError("AccessDeniedException", message)


def _xml(status: int, text: str) -> Response:
    return status, {"Content-Type": "text/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def _json(status: int, answer: object) -> Response:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()
