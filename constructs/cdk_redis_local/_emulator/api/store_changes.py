"""The API actions that change running stores: as on AWS, they return at once, and the status tells the end.

A change applies as a change of the template would: with the properties of the template, and those of the request. The
next change of the stack brings back what its template says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.api.background import in_background
from cdk_redis_local._emulator.api.clusters import Clusters
from cdk_redis_local._emulator.api.errors import ApiError
from cdk_redis_local._emulator.api.replication_groups import ReplicationGroups
from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Answer, Parameters
from cdk_redis_local._emulator.handlers.auth_tokens import AuthTokens
from cdk_redis_local._emulator.ministack import HANDLERS
from cdk_redis_local._emulator.refusals.rule import RefusedError
from cdk_redis_local._emulator.store import StoreKey
from cdk_redis_local._emulator.stores import Stores

_TYPES = {"elasticache": "AWS::ElastiCache::ReplicationGroup", "memorydb": "AWS::MemoryDB::Cluster"}
# Parameters with the name and the meaning of a property in templates.
_GROUP_PROPERTIES = frozenset(
    (
        "AutoMinorVersionUpgrade",
        "AutomaticFailoverEnabled",
        "CacheNodeType",
        "CacheParameterGroupName",
        "ClusterMode",
        "Engine",
        "EngineVersion",
        "IpDiscovery",
        "MultiAZEnabled",
        "NotificationTopicArn",
        "PreferredMaintenanceWindow",
        "ReplicationGroupDescription",
        "SecurityGroupIds",
        "SnapshotRetentionLimit",
        "SnapshotWindow",
        "SnapshottingClusterId",
        "TransitEncryptionEnabled",
        "TransitEncryptionMode",
    )
)
_CLUSTER_PROPERTIES = frozenset(
    (
        "ACLName",
        "Description",
        "Engine",
        "EngineVersion",
        "IpDiscovery",
        "MaintenanceWindow",
        "NodeType",
        "ParameterGroupName",
        "SecurityGroupIds",
        "SnapshotRetentionLimit",
        "SnapshotWindow",
        "SnsTopicArn",
    )
)
_GROUP, _NOW, _TOKEN, _STRATEGY = "ReplicationGroupId", "ApplyImmediately", "AuthToken", "AuthTokenUpdateStrategy"
_SHARDS, _REMOVED = "NodeGroupCount", "NodeGroupsToRemove"
_USER_GROUPS = ("UserGroupIdsToAdd", "UserGroupIdsToRemove", "RemoveUserGroups")


class StoreChanges:
    """``ModifyReplicationGroup`` and the actions that scale replication groups, and ``UpdateCluster``."""

    def __init__(
        self,
        stores: Stores,
        groups: ReplicationGroups,
        clusters: Clusters,
        tokens: AuthTokens,
        say: Callable[[str], object],
    ) -> None:
        """Prepare the actions.

        Args:
            stores: The running stores.
            groups: The replication groups.
            clusters: The clusters.
            tokens: AUTH tokens of replication groups.
            say: Called with a message for the user when a change fails.
        """
        self._stores = stores
        self._groups = groups
        self._clusters = clusters
        self._tokens = tokens
        self._say = say

    def register(self) -> None:
        """Add the actions to the emulator."""
        ELASTICACHE.add(
            {
                "ModifyReplicationGroup": self._modify_group,
                "IncreaseReplicaCount": lambda parameters: self._set_replicas(parameters, 1),
                "DecreaseReplicaCount": lambda parameters: self._set_replicas(parameters, -1),
                "ModifyReplicationGroupShardConfiguration": self._set_shards,
            }
        )
        MEMORYDB.add({"UpdateCluster": self._update_cluster})

    def _modify_group(self, parameters: Parameters) -> Answer:
        key = self._groups.key(parameters[_GROUP])
        if _TOKEN in parameters:
            _refuse_others(parameters, {_GROUP, _NOW, _TOKEN, _STRATEGY}, "beside AuthToken")
            return self._change_token(key, parameters[_TOKEN], parameters.get(_STRATEGY, "ROTATE"))
        known = {_GROUP, _NOW, _STRATEGY, *_GROUP_PROPERTIES, *_USER_GROUPS}
        _refuse_others(parameters, known, "with ModifyReplicationGroup")
        changes = {name: parameters[name] for name in parameters.keys() & _GROUP_PROPERTIES}
        if _STRATEGY in parameters:
            if parameters[_STRATEGY] != "DELETE" or "UserGroupIdsToAdd" not in parameters:
                problem = "AuthTokenUpdateStrategy needs AuthToken; DELETE is allowed only when transitioning to RBAC."
                raise ApiError("InvalidParameterCombinationException", problem)
            changes[_TOKEN] = None
        if parameters.keys() & set(_USER_GROUPS):
            removed = parameters.get("UserGroupIdsToRemove", [])
            declared = [] if parameters.get("RemoveUserGroups") else self._stores.declared[key].get("UserGroupIds", [])
            kept = [one for one in declared if one not in removed]
            changes["UserGroupIds"] = [*kept, *parameters.get("UserGroupIdsToAdd", [])]
        return self._change_group(key, changes)

    def _set_replicas(self, parameters: Parameters, direction: int) -> Answer:
        key = self._groups.key(parameters[_GROUP])
        _refuse_others(parameters, {_GROUP, _NOW, "NewReplicaCount"}, "of single shards: set NewReplicaCount")
        engines, count = self._stores[key].engines, parameters.get("NewReplicaCount")
        if count is None or (count - engines.replicas) * direction <= 0:
            word = "greater" if direction > 0 else "less"
            problem = f"NewReplicaCount must be {word} than the number of replicas, which is {engines.replicas}."
            raise ApiError("InvalidParameterValueException", problem)
        return self._change_group(key, _sized(engines.shards, count))

    def _set_shards(self, parameters: Parameters) -> Answer:
        key = self._groups.key(parameters[_GROUP])
        _refuse_others(parameters, {_GROUP, _NOW, _SHARDS, _REMOVED}, "of single shards")
        engines, count = self._stores[key].engines, parameters[_SHARDS]
        if not engines.cluster_mode:
            raise ApiError("InvalidParameterValueException", f"{key.name} is not in cluster mode: it has one shard.")
        last = self._stores.shard_names(key)[count:]
        if sorted(parameters.get(_REMOVED, last)) != last:
            problem = f"the local cloud removes the last shards only: {', '.join(last)}"
            raise ApiError("InvalidParameterValueException", problem)
        return self._change_group(key, _sized(count, engines.replicas))

    def _change_group(self, key: StoreKey, changes: Mapping[str, Any]) -> Answer:
        if _TOKEN not in changes and (token := self._tokens.last(key)) is not None:
            # The template has the first one.
            changes = {**changes, _TOKEN: token}
        what, describe = f"Replication group {key.name}", self._groups.describe
        return {"ReplicationGroup": self._begin(key, changes, "InvalidReplicationGroupStateFault", what, describe)}

    def _update_cluster(self, parameters: Parameters) -> Answer:
        key = self._clusters.key(parameters["ClusterName"])
        sizes = ("ReplicaConfiguration", "ShardConfiguration")
        _refuse_others(parameters, {"ClusterName", *sizes, *_CLUSTER_PROPERTIES}, "with UpdateCluster")
        changes = {name: parameters[name] for name in parameters.keys() & _CLUSTER_PROPERTIES}
        for parameter, member, name in zip(
            sizes, ("ReplicaCount", "ShardCount"), ("NumReplicasPerShard", "NumShards"), strict=True
        ):
            if parameter in parameters:
                changes[name] = parameters[parameter][member]
        what, describe = f"Cluster {key.name}", self._clusters.describe
        return {"Cluster": self._begin(key, changes, "InvalidClusterStateFault", what, describe)}

    def _begin(
        self,
        key: StoreKey,
        changes: Mapping[str, Any],
        not_available: str,
        what: str,
        describe: Callable[[StoreKey], dict[str, Any]],
    ) -> dict[str, Any]:
        """Begin to change a store; returns it as it is until then, with the status of the change.

        Raises:
            ApiError: It is being changed already, or the service refuses the change.
        """
        if self._stores.changes.of(key) or key not in self._stores.declared:
            raise ApiError(not_available, f"{what} is not available.")
        old = dict(self._stores.declared[key])
        new = {name: value for name, value in {**old, **changes}.items() if value is not None}
        handler = HANDLERS[_TYPES[key.service]]
        update: Callable[..., object] = handler["update"]
        try:
            handler["check"](key.name, new)
        except RefusedError as error:
            raise ApiError(error.code, error.words) from error

        def apply() -> None:
            try:
                update(key.name, old, new, "", key.name)
            except LocalCloudError as error:
                update(key.name, new, old, "", key.name)
                raise LocalCloudError(f"{error}; it is as before") from error

        self._stores.changes.begin(key, "modifying")
        answer = describe(key)
        in_background(what, apply, lambda: self._stores.changes.end(key, "modifying"), self._say)
        return answer

    def _change_token(self, key: StoreKey, token: str, strategy: str) -> Answer:
        if self._tokens.changing(key):
            raise ApiError("InvalidReplicationGroupStateFault", f"Replication group {key.name} is not available.")
        try:
            users = self._tokens.change(key, token, strategy)
        except LocalCloudError as error:
            raise ApiError("InvalidParameterValueException", str(error)) from error
        self._tokens.begin(key, strategy)
        answer = {"ReplicationGroup": self._groups.describe(key)}
        apply, end = (lambda: self._stores.set_users(key, users)), (lambda: self._tokens.end(key))
        in_background(f"Replication group {key.name}", apply, end, self._say)
        return answer


def _sized(shards: int, replicas: int) -> dict[str, Any]:
    """The properties of a group with this size, and those that they take the place of."""
    others = dict.fromkeys(("NumCacheClusters", "NodeGroupConfiguration"))
    return {"NumNodeGroups": shards, "ReplicasPerNodeGroup": replicas, **others}


def _refuse_others(parameters: Parameters, known: set[str], what: str) -> None:
    """Refuse the parameters without an effect here.

    Raises:
        ApiError: There is such a parameter.
    """
    if others := sorted(parameters.keys() - known):
        raise ApiError("InvalidParameterValueException", f"the local cloud does not support {', '.join(others)} {what}")
