"""The API actions for snapshots of serverless caches."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.service import ELASTICACHE, Answer, Parameters
from cdk_redis_local._emulator.api.snapshots import refusing
from cdk_redis_local._emulator.engine_users import SERVERLESS
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.snapshots.export import export
from cdk_redis_local._emulator.snapshots.snapshots import Snapshot, Snapshots
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores


class ServerlessSnapshotCalls:
    """Create, copy, export, describe and delete snapshots of serverless caches."""

    def __init__(self, stores: Stores, snapshots: Snapshots) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator."""
        self._stores = stores
        self._snapshots = snapshots

    def register(self) -> None:
        """Add the actions to the emulator, for clients and for state machines."""
        actions = {
            "CreateServerlessCacheSnapshot": self._create,
            "CopyServerlessCacheSnapshot": self._copy,
            "ExportServerlessCacheSnapshot": self._export,
            "DescribeServerlessCacheSnapshots": self._describe,
            "DeleteServerlessCacheSnapshot": self._delete,
        }
        ELASTICACHE.add({name: refusing(action) for name, action in actions.items()})

    def _create(self, parameters: Parameters) -> Answer:
        store = _key(parameters["ServerlessCacheName"].lower())
        if store not in self._stores:
            raise ApiError("ServerlessCacheNotFoundFault", f"Serverless cache {store.name} not found.")
        return _answer(self._snapshots.begin(store, parameters["ServerlessCacheSnapshotName"]))

    def _copy(self, parameters: Parameters) -> Answer:
        source = _key(parameters["SourceServerlessCacheSnapshotName"])
        return _answer(self._snapshots.copy(source, parameters["TargetServerlessCacheSnapshotName"]))

    def _export(self, parameters: Parameters) -> Answer:
        snapshot = self._snapshots.available(_key(parameters["ServerlessCacheSnapshotName"]))
        return _answer(export(snapshot, snapshot.key.name, parameters["S3BucketName"]))

    def _describe(self, parameters: Parameters) -> Answer:
        name, store = parameters.get("ServerlessCacheSnapshotName"), parameters.get("ServerlessCacheName")
        found = [self._snapshots[_key(name)]] if name else self._snapshots.of_service(_key(""))
        kind = parameters.get("SnapshotType")
        return {
            "ServerlessCacheSnapshots": [
                _described(one)
                for one in found
                if kind in (None, "manual") and (store is None or one.store == store.lower())
            ]
        }

    def _delete(self, parameters: Parameters) -> Answer:
        return _answer(self._snapshots.delete(_key(parameters["ServerlessCacheSnapshotName"])))


def _key(name: str) -> StoreKey:
    return StoreKey(SERVERLESS, scope(), name)


def _answer(snapshot: Snapshot) -> Answer:
    return {"ServerlessCacheSnapshot": _described(snapshot)}


def _described(snapshot: Snapshot) -> dict[str, Any]:
    account, region = snapshot.key.scope
    return {
        "ServerlessCacheSnapshotName": snapshot.key.name,
        "ARN": f"arn:aws:elasticache:{region}:{account}:serverlesscachesnapshot:{snapshot.key.name}",
        "KmsKeyId": snapshot.declared.get("KmsKeyId"),
        "SnapshotType": "manual",
        "Status": snapshot.status,
        "CreateTime": snapshot.created,
        "BytesUsedForCache": str(sum(shard.used_memory for shard in snapshot.shards)),
        "ServerlessCacheConfiguration": {
            "ServerlessCacheName": snapshot.store,
            "Engine": snapshot.program.name,
            "MajorEngineVersion": snapshot.program.version.split(".")[0],
        },
    }
