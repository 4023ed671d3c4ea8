"""``AWS::ElastiCache::ServerlessCache``: a primary and a replica in cluster mode, behind one host name with two ports.

As on AWS, ``CLUSTER SLOTS`` lists the endpoint as the primary of all slots, and the reader port as its replica; clients
send READONLY before they read there. TLS is always on. The limit of the data is the engine's ``maxmemory``; processing
units are not measured.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from cdk_redis_local._emulator.engine_users import SERVERLESS
from cdk_redis_local._emulator.handlers.access import AccessLists
from cdk_redis_local._emulator.ministack import (
    Outcome,
    Properties,
    handle,
    replace_on_change,
    roll_back_failed_updates,
    run_on_threads,
    scope,
)
from cdk_redis_local._emulator.ministack.imports import import_with
from cdk_redis_local._emulator.snapshots.restore import restored
from cdk_redis_local._emulator.snapshots.snapshots import Snapshots
from cdk_redis_local._emulator.store import StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.node import HOST

_TYPE = "AWS::ElastiCache::ServerlessCache"
_CREATE_ONLY = (
    "ConnectionType",
    "KmsKeyId",
    "NetworkType",
    "ServerlessCacheName",
    "SnapshotArnsToRestore",
    "SubnetIds",
)
_GIGABYTE = 1024**3


class ServerlessHandlers:
    """The handlers of serverless caches."""

    def __init__(self, stores: Stores, snapshots: Snapshots, access: AccessLists) -> None:
        """Begin without caches.

        Args:
            stores: The stores of the cloud.
            snapshots: Its snapshots.
            access: ElastiCache's users and user groups.
        """
        self._stores = stores
        self._snapshots = snapshots
        self._access = access
        self.created: dict[StoreKey, dt.datetime] = {}
        """When each running cache was created."""

    def register(self) -> None:
        """Register the handlers with the emulator."""
        handle(_TYPE, self.create, self.update, self.delete)
        replace_on_change(_TYPE, "ServerlessCacheName", _CREATE_ONLY)
        import_with(_TYPE, "ServerlessCacheName", self._find)
        run_on_threads([_TYPE])
        roll_back_failed_updates([_TYPE])

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        """Start the nodes of a cache."""
        del logical_id, stack_name
        # AWS stores the name in lower case.
        key = StoreKey(SERVERLESS, scope(), str(properties["ServerlessCacheName"]).lower())
        shape = self._shape(properties)
        with restored(self._snapshots, key, properties, cluster_mode=True) as files:
            self._stores.create(key, shape, self._users(key, properties), restore=files)
        self.created[key] = dt.datetime.now(dt.timezone.utc)
        self._stores.declare(key, properties)
        return key.name, self._attributes(key)

    def _find(self, name: str) -> Outcome | None:
        key = StoreKey(SERVERLESS, scope(), name.lower())
        return (key.name, self._attributes(key)) if key in self._stores else None

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        """Change a running cache in place."""
        del old  # after a failed update, the running cache may differ from both
        key = StoreKey(SERVERLESS, scope(), physical_id)
        if key not in self._stores:
            return self.create(logical_id or physical_id, new, stack_name)
        shape = self._shape(new)
        self._stores.resize(key, shape)
        self._stores.set_users(key, self._users(key, new))
        self._stores.set_parameters(key, shape.parameters)
        self._stores.declare(key, new)
        return key.name, self._attributes(key)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Stop the nodes of a cache, after its final snapshot."""
        key = StoreKey(SERVERLESS, scope(), physical_id)
        if final := properties.get("FinalSnapshotName"):
            self._snapshots.take_final(key, str(final))
        self._access.release(key)
        self.created.pop(key, None)
        self._stores.delete(key)

    def _users(self, key: StoreKey, properties: Properties) -> list[AclUser]:
        group = properties.get("UserGroupId")
        return self._access.use(key, [str(group)] if group else [])

    def _shape(self, properties: Properties) -> StoreShape:
        version = properties.get("MajorEngineVersion")
        return StoreShape(
            program=self._stores.choose_engine(str(properties["Engine"]), str(version) if version else None),
            cluster_mode=True,
            shards=1,
            replicas=1,
            parameters=_parameters(properties),
        )

    def _attributes(self, key: StoreKey) -> dict[str, Any]:
        store = self._stores[key]
        account, region = key.scope
        return {
            "ARN": f"arn:aws:elasticache:{region}:{account}:serverlesscache:{key.name}",
            "CreateTime": self.created[key].isoformat(timespec="milliseconds"),
            "Endpoint.Address": HOST,
            # CloudFormation returns ElastiCache's ports as strings.
            "Endpoint.Port": str(store.endpoint),
            "FullEngineVersion": store.engines.program.version,
            "ReaderEndpoint.Address": HOST,
            "ReaderEndpoint.Port": str(store.reader_endpoint),
            "Status": "available",
        }


def _parameters(properties: Mapping[str, Any]) -> dict[str, str]:
    """The engine settings of a cache: at the limit of its data, it evicts the keys with a time to live.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/RedisConfiguration.html
    """
    storage = (properties.get("CacheUsageLimits") or {}).get("DataStorage") or {}
    gigabytes = int(storage.get("Maximum") or 0)
    # A change or removal of the limit sets maxmemory too: 0 is no limit.
    return {"maxmemory": str(gigabytes * _GIGABYTE), "maxmemory-policy": "volatile-lru"}
