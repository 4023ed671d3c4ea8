"""Registers the actions of both APIs."""

from __future__ import annotations

from collections.abc import Callable

from cdk_redis_local._emulator.api.clusters import Clusters
from cdk_redis_local._emulator.api.engine_versions import EngineVersions
from cdk_redis_local._emulator.api.failover import FailoverCalls
from cdk_redis_local._emulator.api.parameters import ParameterGroups
from cdk_redis_local._emulator.api.passwords import PasswordCalls
from cdk_redis_local._emulator.api.permissions import named_resource
from cdk_redis_local._emulator.api.replication_groups import ReplicationGroups
from cdk_redis_local._emulator.api.snapshots import SnapshotCalls
from cdk_redis_local._emulator.api.store_events import StoreEvents
from cdk_redis_local._emulator.api.subnet_groups import SubnetGroups
from cdk_redis_local._emulator.api.tags import Tags
from cdk_redis_local._emulator.api.users import Users
from cdk_redis_local._emulator.handlers.elasticache import ElastiCacheHandlers
from cdk_redis_local._emulator.handlers.memorydb import MemoryDbHandlers
from cdk_redis_local._emulator.ministack import name_resources_with
from cdk_redis_local._emulator.snapshots.snapshots import Snapshots
from cdk_redis_local._emulator.stores import Stores


def register_api(
    stores: Stores,
    snapshots: Snapshots,
    elasticache: ElastiCacheHandlers,
    memorydb: MemoryDbHandlers,
    say: Callable[[str], object],
) -> None:
    """Add all actions to the emulator.

    Args:
        stores: The running stores.
        snapshots: The snapshots of all stores.
        elasticache: The resources of ElastiCache.
        memorydb: The resources of MemoryDB.
        say: Called with messages for the user.
    """
    name_resources_with(named_resource)
    subnet_groups = SubnetGroups(memorydb.resources)
    groups = ReplicationGroups(stores, elasticache.tokens, subnet_groups)
    clusters = Clusters(stores, subnet_groups)
    users = Users(stores, elasticache.access, memorydb.access)
    for calls in (
        subnet_groups,
        groups,
        clusters,
        users,
        ParameterGroups(stores, memorydb.resources),
        EngineVersions(stores),
        SnapshotCalls(stores, snapshots),
        StoreEvents(stores),
        Tags(stores, memorydb.resources),
        FailoverCalls(stores, groups, clusters),
        PasswordCalls(stores, users, groups, elasticache.tokens, say),
    ):
        calls.register()
