"""``AWS::MemoryDB::MultiRegionCluster``: has no nodes of its own; regional clusters join it."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._emulator.ministack import (
    Outcome,
    Properties,
    generated_name,
    handle,
    replace_on_change,
    roll_back_failed_updates,
    run_on_threads,
    scope,
)
from cdk_redis_local._emulator.regions.multi_region import MultiRegionCluster, MultiRegionClusters

_TYPE = "AWS::MemoryDB::MultiRegionCluster"
_SUFFIX = "MultiRegionClusterNameSuffix"


class MultiRegionHandlers:
    """The handlers of Multi-Region clusters."""

    def __init__(self, clusters: MultiRegionClusters) -> None:
        """Prepare the handlers; :meth:`register` adds them to the emulator."""
        self._clusters = clusters

    def register(self) -> None:
        """Register the handlers with the emulator."""
        handle(_TYPE, self.create, self.update, self.delete)
        replace_on_change(_TYPE, _SUFFIX, ("EngineVersion", _SUFFIX, "MultiRegionParameterGroupName", "TLSEnabled"))
        run_on_threads([_TYPE])
        roll_back_failed_updates([_TYPE])

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        """Create a Multi-Region cluster without members."""
        suffix = properties.get(_SUFFIX) or generated_name(stack_name, logical_id, 34)
        made = self._clusters.create(*scope(), str(suffix), properties)
        return made.name, _attributes(made)

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        """Change all members in place."""
        del old
        found = self._clusters.get(scope()[0], physical_id)
        if found is None:
            return self.create(logical_id or physical_id, new, stack_name)
        self._clusters.update(found, new)
        return physical_id, _attributes(found)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Delete a Multi-Region cluster, after its last member."""
        del properties
        self._clusters.delete(scope()[0], physical_id)


def _attributes(cluster: MultiRegionCluster) -> dict[str, Any]:
    return {"ARN": cluster.arn, "MultiRegionClusterName": cluster.name, "Status": cluster.status}
