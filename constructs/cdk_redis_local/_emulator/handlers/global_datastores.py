"""``AWS::ElastiCache::GlobalReplicationGroup``: created with its primary; secondaries join from stacks elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.ministack import (
    Outcome,
    Properties,
    declared_parameters,
    generated_name,
    handle,
    roll_back_failed_updates,
    run_on_threads,
    scope,
)
from cdk_redis_local._emulator.regions.global_datastores import GlobalDatastore, GlobalDatastores
from cdk_redis_local._emulator.store import StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores

_TYPE = "AWS::ElastiCache::GlobalReplicationGroup"


class GlobalDatastoreHandlers:
    """The handlers of global datastores."""

    def __init__(self, stores: Stores, datastores: GlobalDatastores) -> None:
        """Prepare the handlers; :meth:`register` adds them to the emulator."""
        self._stores = stores
        self._datastores = datastores

    def register(self) -> None:
        """Register the handlers with the emulator."""
        handle(_TYPE, self.create, self.update, self.delete)
        run_on_threads([_TYPE])
        roll_back_failed_updates([_TYPE])

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        """Make a replication group the primary of a new global datastore."""
        members = _members(properties)
        if len(members) != 1:
            raise LocalCloudError("GlobalReplicationGroup cannot be created with multiple members")
        suffix = properties.get("GlobalReplicationGroupIdSuffix") or generated_name(stack_name, logical_id, 34)
        made = self._datastores.create(str(suffix), next(iter(members)))
        self._change(made, properties)
        return made.name, _attributes(made)

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        """Change all members in place; also which one is the primary, and which ones leave."""
        datastore = self._datastores.get(scope()[0], physical_id)
        if datastore is None:
            return self.create(logical_id or physical_id, new, stack_name)
        before, after = _members(old), _members(new)
        for key in before.keys() - after.keys():
            if key in datastore.link.secondaries:
                self._datastores.disassociate(datastore, key)
        for key, role in after.items():
            if key not in datastore.members:
                raise LocalCloudError(
                    f"InvalidParameterValue: {key.name} in {key.scope[1]} is no member of {physical_id}: create it "
                    "with GlobalReplicationGroupId"
                )
            if role == "PRIMARY" and key != datastore.link.primary:
                self._datastores.promote(datastore, key)
        self._change(datastore, new)
        return physical_id, _attributes(datastore)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete the global datastore; its members stay."""
        del properties
        self._datastores.delete(scope()[0], physical_id)

    def _change(self, datastore: GlobalDatastore, properties: Properties) -> None:
        shards, version = properties.get("GlobalNodeGroupCount"), properties.get("EngineVersion")

        def changed(shape: StoreShape) -> StoreShape:
            if shards:
                shape = replace(shape, shards=int(shards))
            if version:
                engine = str(properties.get("Engine") or shape.program.name)
                shape = replace(shape, program=self._stores.choose_engine(engine, str(version)))
            return shape

        if shards or version:
            self._datastores.resize(datastore, changed)
        group = properties.get("CacheParameterGroupName")
        if group:
            # The link gives them to the secondaries.
            self._stores.set_parameters(datastore.link.primary, declared_parameters(str(group)))
        datastore.declared = properties


def _members(properties: Mapping[str, Any]) -> dict[StoreKey, str]:
    """The members with their roles, the primary first."""
    account, region = scope()
    found = {
        StoreKey(
            "elasticache",
            (account, str(member.get("ReplicationGroupRegion") or region)),
            str(member.get("ReplicationGroupId", "")).lower(),
        ): str(member.get("Role") or "PRIMARY").upper()
        for member in properties.get("Members") or []
    }
    return dict(sorted(found.items(), key=lambda entry: entry[1] != "PRIMARY"))


def _attributes(datastore: GlobalDatastore) -> dict[str, Any]:
    return {"Arn": datastore.arn, "GlobalReplicationGroupId": datastore.name, "Status": datastore.status}
