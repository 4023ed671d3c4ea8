"""ElastiCache's serverless caches. CloudFormation creates, changes and deletes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.names import arn, store_keys
from cdk_redis_local._emulator.api.service import ELASTICACHE, Answer, Parameters
from cdk_redis_local._emulator.api.views import endpoint
from cdk_redis_local._emulator.engine_users import SERVERLESS
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores

# The time of daily snapshots without a declared one; the service assigns one.
_ASSIGNED_TIME = "03:00"


class ServerlessCaches:
    """``DescribeServerlessCaches``."""

    def __init__(self, stores: Stores, created: Mapping[StoreKey, dt.datetime]) -> None:
        """Prepare the actions; ``created`` has the time of each cache."""
        self._stores = stores
        self._created = created

    def register(self) -> None:
        """Add the action to the emulator."""
        ELASTICACHE.add({"DescribeServerlessCaches": self._describe})

    def _describe(self, parameters: Parameters) -> Answer:
        keys = store_keys(self._stores, SERVERLESS)
        name = parameters.get("ServerlessCacheName")
        if name is not None:
            key = StoreKey(SERVERLESS, scope(), name.lower())
            if key not in self._stores:
                raise ApiError("ServerlessCacheNotFoundFault", f"Serverless Cache {name} not found.")
            keys = [key]
        return {"ServerlessCaches": [self._cache(key) for key in keys]}

    def _cache(self, key: StoreKey) -> dict[str, Any]:
        store, properties = self._stores.find(key), self._stores.declared.get(key, {})
        if store is None:
            return {"ServerlessCacheName": key.name, "Status": self._stores.changes.of(key) or "deleting"}
        program = store.engines.program
        return {
            "ServerlessCacheName": key.name,
            "Description": properties.get("Description"),
            "CreateTime": self._created.get(key),
            "Status": self._stores.changes.of(key) or "available",
            "Engine": program.name,
            "MajorEngineVersion": program.version.split(".")[0],
            "FullEngineVersion": program.version,
            "CacheUsageLimits": _limits(properties.get("CacheUsageLimits") or {}),
            "KmsKeyId": properties.get("KmsKeyId"),
            "StorageEncryptionType": "sse-kms" if properties.get("KmsKeyId") else "sse-elasticache",
            "SecurityGroupIds": list(properties.get("SecurityGroupIds") or []),
            "Endpoint": endpoint(store.endpoint),
            "ReaderEndpoint": endpoint(store.reader_endpoint),
            "ARN": arn("elasticache", "serverlesscache", key.name),
            "UserGroupId": properties.get("UserGroupId"),
            "SubnetIds": list(properties.get("SubnetIds") or []),
            "SnapshotRetentionLimit": int(properties.get("SnapshotRetentionLimit") or 0),
            "DailySnapshotTime": properties.get("DailySnapshotTime", _ASSIGNED_TIME),
            "NetworkType": properties.get("NetworkType", "ipv4"),
        }


def _limits(declared: Mapping[str, Any]) -> dict[str, Any] | None:
    """The limits with numbers, which templates may have as text."""
    made = {
        name: {part: value if part == "Unit" else int(value) for part, value in limit.items()}
        for name, limit in declared.items()
    }
    return made or None
