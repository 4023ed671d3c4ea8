"""Registers the actions of both APIs."""

from __future__ import annotations

import functools
from collections.abc import Callable

from cdk_redis_local._emulator.api.clusters import Clusters
from cdk_redis_local._emulator.api.engine_versions import EngineVersions
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.failover import FailoverCalls
from cdk_redis_local._emulator.api.parameters import ParameterGroups
from cdk_redis_local._emulator.api.permissions import named_resource
from cdk_redis_local._emulator.api.reboots import RebootCalls
from cdk_redis_local._emulator.api.replication_groups import ReplicationGroups
from cdk_redis_local._emulator.api.serverless_snapshots import ServerlessSnapshotCalls
from cdk_redis_local._emulator.api.service import ELASTICACHE, Answer, Parameters, Service
from cdk_redis_local._emulator.api.snapshots import SnapshotCalls
from cdk_redis_local._emulator.api.store_changes import StoreChanges
from cdk_redis_local._emulator.api.store_events import StoreEvents
from cdk_redis_local._emulator.api.subnet_groups import SubnetGroups
from cdk_redis_local._emulator.api.table import EMPTY, TABLE
from cdk_redis_local._emulator.api.tags import Tags
from cdk_redis_local._emulator.api.user_changes import UserChanges
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
    groups = ReplicationGroups(stores, elasticache.tokens, subnet_groups, elasticache.global_datastores)
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
        ServerlessSnapshotCalls(stores, snapshots),
        StoreEvents(stores),
        Tags(stores, memorydb.resources),
        FailoverCalls(stores, groups, clusters),
        RebootCalls(stores, groups),
        UserChanges(users, say),
        StoreChanges(stores, groups, clusters, elasticache.tokens, say),
    ):
        calls.register()
    for service, names in EMPTY.items():
        service.add({name: functools.partial(_empty, members) for name, members in names.items()})


def refuse_unsupported() -> None:
    """Refuse the actions that `table` refuses and that no other function has added; call it last."""
    for service, actions in TABLE.items():
        refused = {
            name: functools.partial(_refuse, service, name, row.text)
            for name, row in actions.items()
            if row.kind == "refused" and name not in service.added
        }
        service.add(refused)
        service.added -= refused.keys()


def _refuse(service: Service, name: str, hint: str, parameters: Parameters) -> Answer:
    del parameters
    code = "InvalidAction" if service is ELASTICACHE else "UnknownOperationException"
    raise ApiError(code, f"the local cloud does not support {name}{': ' if hint else ''}{hint}")


def _empty(member: str, parameters: Parameters) -> Answer:
    del parameters
    return {member: []}
