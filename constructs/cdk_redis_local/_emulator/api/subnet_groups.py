"""The subnet groups of both services, with the subnets of the emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.names import arn, in_scope
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.ministack.records import subnet_group_records, subnet_place
from cdk_redis_local._emulator.store import Scope

_NETWORK_TYPES = ["ipv4"]


class SubnetGroups:
    """``DescribeCacheSubnetGroups`` and ``DescribeSubnetGroups``."""

    def __init__(self, memorydb: Mapping[tuple[str, Scope, str], Mapping[str, Any]]) -> None:
        """Prepare the actions; ``memorydb`` has the template properties of MemoryDB's resources."""
        self._memorydb = memorydb

    def register(self) -> None:
        """Add both actions to the emulator."""
        ELASTICACHE.add({"DescribeCacheSubnetGroups": self._describe_elasticache})
        MEMORYDB.add({"DescribeSubnetGroups": self._describe_memorydb})

    def zones(self, service: str, name: str | None) -> list[str]:
        """The Availability Zones of a group, sorted; empty if it is not of this cloud."""
        if service == "elasticache":
            records: list[Mapping[str, Any]] = subnet_group_records().get(str(name), {}).get("Subnets", [])
            return sorted({str(subnet["SubnetAvailabilityZone"]["Name"]) for subnet in records})
        subnets = self._subnets(self._memorydb.get(("subnetgroup", scope(), str(name)), {}))
        return sorted({str(subnet["AvailabilityZone"]["Name"]) for subnet in subnets})

    def _describe_elasticache(self, parameters: Parameters) -> Answer:
        asked, groups = parameters.get("CacheSubnetGroupName"), subnet_group_records()
        if asked is not None and asked not in groups:
            raise ApiError("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {asked} does not exist.")
        names = sorted(groups) if asked is None else [str(asked)]
        return {"CacheSubnetGroups": [_elasticache_group(name, groups[name]) for name in names]}

    def _describe_memorydb(self, parameters: Parameters) -> Answer:
        asked, groups = parameters.get("SubnetGroupName"), in_scope(self._memorydb, "subnetgroup")
        if asked is not None and asked not in groups:
            raise ApiError("SubnetGroupNotFoundFault", f"Subnet group {asked} not found.")
        names = sorted(groups) if asked is None else [str(asked)]
        return {"SubnetGroups": [self._memorydb_group(name, groups[name]) for name in names]}

    def _memorydb_group(self, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        places = [place for one in properties.get("SubnetIds", []) if (place := subnet_place(str(one)))]
        return {
            "Name": name,
            "Description": str(properties.get("Description", "")),
            "VpcId": places[0][0] if places else None,
            "Subnets": self._subnets(properties),
            "ARN": arn("memorydb", "subnetgroup", name),
            "SupportedNetworkTypes": _NETWORK_TYPES,
        }

    @staticmethod
    def _subnets(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "Identifier": str(subnet),
                "AvailabilityZone": {"Name": place[1]},
                "SupportedNetworkTypes": _NETWORK_TYPES,
            }
            for subnet in properties.get("SubnetIds", [])
            if (place := subnet_place(str(subnet)))
        ]


def _elasticache_group(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "CacheSubnetGroupName": name,
        "CacheSubnetGroupDescription": record["CacheSubnetGroupDescription"],
        "VpcId": record["VpcId"],
        "Subnets": [
            {
                "SubnetIdentifier": subnet["SubnetIdentifier"],
                "SubnetAvailabilityZone": {"Name": subnet["SubnetAvailabilityZone"]["Name"]},
                "SupportedNetworkTypes": _NETWORK_TYPES,
            }
            for subnet in record["Subnets"]
        ],
        "ARN": arn("elasticache", "subnetgroup", name),
        "SupportedNetworkTypes": _NETWORK_TYPES,
    }
