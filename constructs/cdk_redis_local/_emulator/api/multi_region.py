"""MemoryDB's Multi-Region clusters."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.service import MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.regions.multi_region import MultiRegionCluster, MultiRegionClusters
from cdk_redis_local._emulator.stores import StoreKey, Stores

_PARAMETER_GROUP = "default.memorydb-valkey7.multiregion"
_STATUS = {"modifying": "updating"}


class MultiRegionCalls:
    """``DescribeMultiRegionClusters``."""

    def __init__(self, stores: Stores, clusters: MultiRegionClusters) -> None:
        """Prepare the action; :meth:`register` adds it to the emulator."""
        self._stores = stores
        self._clusters = clusters

    def register(self) -> None:
        """Add the action to the emulator."""
        MEMORYDB.add({"DescribeMultiRegionClusters": self._describe})

    def _describe(self, parameters: Parameters) -> Answer:
        name = parameters.get("MultiRegionClusterName")
        found = self._clusters.all(scope()[0])
        if name is not None:
            found = [one for one in found if one.name == name]
            if not found:
                raise ApiError("MultiRegionClusterNotFoundFault", f"Multi Region Cluster {name} not found.")
        with_members = bool(parameters.get("ShowClusterDetails"))
        return {"MultiRegionClusters": [self._cluster(one, with_members=with_members) for one in found]}

    def _cluster(self, cluster: MultiRegionCluster, *, with_members: bool) -> dict[str, Any]:
        declared = cluster.declared
        return {
            "MultiRegionClusterName": cluster.name,
            "Description": declared.get("Description"),
            "Status": cluster.status,
            "NodeType": declared.get("NodeType"),
            "Engine": declared.get("Engine", "valkey"),
            "EngineVersion": declared.get("EngineVersion"),
            "NumberOfShards": int(declared.get("NumShards") or 1),
            "Clusters": [self._member(key) for key in cluster.members] if with_members else None,
            "MultiRegionParameterGroupName": declared.get("MultiRegionParameterGroupName", _PARAMETER_GROUP),
            "TLSEnabled": str(declared.get("TLSEnabled", "true")).lower() == "true",
            "ARN": cluster.arn,
        }

    def _member(self, key: StoreKey) -> dict[str, Any]:
        account, region = key.scope
        change = self._stores.changes.of(key)
        return {
            "ClusterName": key.name,
            "Region": region,
            "Status": _STATUS.get(change, change) if change else "available",
            "ARN": f"arn:aws:memorydb:{region}:{account}:cluster/{key.name}",
        }
