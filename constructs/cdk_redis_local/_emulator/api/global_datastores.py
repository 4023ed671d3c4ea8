"""The API actions of global datastores. As on AWS, FailoverGlobalReplicationGroup returns before its work is done."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.service import ELASTICACHE, Answer, Parameters
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.regions.global_datastores import GlobalDatastore, GlobalDatastores
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.cluster import slot_ranges


class GlobalDatastoreCalls:
    """DescribeGlobalReplicationGroups, FailoverGlobalReplicationGroup and DisassociateGlobalReplicationGroup."""

    def __init__(self, stores: Stores, datastores: GlobalDatastores) -> None:
        """Prepare the actions; :meth:`register` adds them to the emulator."""
        self._stores = stores
        self._datastores = datastores

    def register(self) -> None:
        """Add the actions to the emulator."""
        ELASTICACHE.add(
            {
                "DescribeGlobalReplicationGroups": self._describe,
                "FailoverGlobalReplicationGroup": self._fail_over,
                "DisassociateGlobalReplicationGroup": self._disassociate,
            }
        )

    def _describe(self, parameters: Parameters) -> Answer:
        name = parameters.get("GlobalReplicationGroupId")
        found = [self._find(name)] if name else self._datastores.all(scope()[0])
        return {"GlobalReplicationGroups": [self._described(one, parameters.get("ShowMemberInfo")) for one in found]}

    def _fail_over(self, parameters: Parameters) -> Answer:
        datastore = self._find(parameters["GlobalReplicationGroupId"])
        key = self._member(datastore, parameters["PrimaryReplicationGroupId"], parameters["PrimaryRegion"])
        self._check_available(datastore)
        if key == datastore.link.primary:
            raise ApiError("InvalidParameterValueException", f"{key.name} is the primary already")
        self._datastores.promote_in_background(datastore, key)
        return {"GlobalReplicationGroup": self._described(datastore)}

    def _disassociate(self, parameters: Parameters) -> Answer:
        datastore = self._find(parameters["GlobalReplicationGroupId"])
        key = self._member(datastore, parameters["ReplicationGroupId"], parameters["ReplicationGroupRegion"])
        self._check_available(datastore)
        if key == datastore.link.primary:
            raise ApiError(
                "InvalidParameterValueException", f"{key.name} is the primary, which cannot be disassociated"
            )
        self._datastores.disassociate(datastore, key)
        return {"GlobalReplicationGroup": self._described(datastore)}

    def _find(self, name: str) -> GlobalDatastore:
        found = self._datastores.get(scope()[0], name)
        if found is None:
            raise ApiError("GlobalReplicationGroupNotFoundFault", f"Global replication group {name} not found")
        return found

    @staticmethod
    def _check_available(datastore: GlobalDatastore) -> None:
        if datastore.changing:
            message = f"Global replication group {datastore.name} is not in available state"
            raise ApiError("InvalidGlobalReplicationGroupStateFault", message)

    @staticmethod
    def _member(datastore: GlobalDatastore, name: str, region: str) -> StoreKey:
        key = StoreKey("elasticache", (datastore.account, region), name.lower())
        if key not in datastore.members:
            raise ApiError("InvalidParameterValueException", f"{name} in {region} is no member of {datastore.name}")
        return key

    def _described(self, datastore: GlobalDatastore, members: object = True) -> dict[str, Any]:
        declared = self._stores.declared.get(datastore.link.primary, {})
        engines = self._stores[datastore.link.primary].engines
        return {
            "GlobalReplicationGroupId": datastore.name,
            "GlobalReplicationGroupDescription": datastore.declared.get("GlobalReplicationGroupDescription"),
            "Status": datastore.status,
            "CacheNodeType": datastore.declared.get("CacheNodeType") or declared.get("CacheNodeType"),
            "Engine": engines.program.name,
            "EngineVersion": engines.program.version,
            "Members": [self._member_of(datastore, key) for key in datastore.members] if members else [],
            "ClusterEnabled": engines.cluster_mode,
            "GlobalNodeGroups": [
                {"GlobalNodeGroupId": f"{datastore.name}-{number:04}", "Slots": f"{first}-{last}"}
                for number, (first, last) in enumerate(slot_ranges(engines.shards), start=1)
            ],
            "AuthTokenEnabled": bool(declared.get("AuthToken")),
            "TransitEncryptionEnabled": engines.tls,
            "AtRestEncryptionEnabled": str(declared.get("AtRestEncryptionEnabled", False)).lower() == "true",
            "ARN": datastore.arn,
        }

    def _member_of(self, datastore: GlobalDatastore, key: StoreKey) -> dict[str, Any]:
        on = str(self._stores.declared.get(key, {}).get("AutomaticFailoverEnabled", False)).lower() == "true"
        return {
            "ReplicationGroupId": key.name,
            "ReplicationGroupRegion": key.scope[1],
            "Role": "PRIMARY" if key == datastore.link.primary else "SECONDARY",
            "AutomaticFailover": "enabled" if on else "disabled",
            "Status": "associated",
        }
