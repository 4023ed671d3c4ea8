"""ElastiCache resource types: replication groups of real nodes, with the users of their user groups.

The emulator's handlers store users, user groups and parameter groups for its API. The handlers in this module apply
them to the nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.handlers.access import AccessLists, acl_user
from cdk_redis_local._emulator.handlers.auth_tokens import AuthTokens
from cdk_redis_local._emulator.handlers.store_changes import (
    ClusterMode,
    check_change,
    check_program,
    kept_program,
    running_mode,
)
from cdk_redis_local._emulator.ministack import (
    HANDLERS,
    Outcome,
    Properties,
    declared_parameters,
    generated_name,
    handle,
    roll_back_failed_updates,
    run_on_threads,
    scope,
)
from cdk_redis_local._emulator.ministack.final_snapshots import take_final_snapshots
from cdk_redis_local._emulator.ministack.imports import import_with
from cdk_redis_local._emulator.ministack.replacement import remember_definitions, replace_by_policy
from cdk_redis_local._emulator.observe.log_destinations import check_destinations
from cdk_redis_local._emulator.regions.global_datastores import GlobalDatastores
from cdk_redis_local._emulator.snapshots.restore import declared_slots, restored
from cdk_redis_local._emulator.snapshots.snapshots import Snapshots
from cdk_redis_local._emulator.store import Store, StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.acl import AclUser
from cdk_redis_local._engines.node import HOST

_GROUP = "AWS::ElastiCache::ReplicationGroup"
# The property of a secondary; it has no engine, shards, parameters and TLS of its own.
_GLOBAL = "GlobalReplicationGroupId"
# Changes of these types also apply to running engines.
_FOLLOWED = ("AWS::ElastiCache::User", "AWS::ElastiCache::UserGroup", "AWS::ElastiCache::ParameterGroup")


class ElastiCacheHandlers:
    """The handlers of ElastiCache's resource types."""

    def __init__(self, stores: Stores, snapshots: Snapshots, global_datastores: GlobalDatastores) -> None:
        """Begin without resources."""
        self._stores = stores
        self._snapshots = snapshots
        self.global_datastores = global_datastores
        self.access = AccessLists(stores)
        self.tokens = AuthTokens()
        self._parameter_groups: dict[StoreKey, str] = {}

    def register(self) -> None:
        """Register the handlers with the emulator."""
        self._after("AWS::ElastiCache::User", self._user_written, self._user_deleted)
        self._after("AWS::ElastiCache::UserGroup", self._user_group_written, self.access.drop_group)
        self._after("AWS::ElastiCache::ParameterGroup", self._parameter_group_written, lambda _: None)
        handle(_GROUP, self.create, self.update, self.delete)
        import_with(_GROUP, "ReplicationGroupId", self._find)
        take_final_snapshots(
            _GROUP, lambda name, snapshot: self._snapshots.take_final(StoreKey("elasticache", scope(), name), snapshot)
        )
        remember_definitions()
        replace_by_policy(_GROUP, "ReplicationGroupId", _replaces)
        run_on_threads([_GROUP, *_FOLLOWED])
        roll_back_failed_updates([_GROUP, *_FOLLOWED])

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        """Start the nodes of a replication group."""
        name = properties.get("ReplicationGroupId") or generated_name(stack_name, logical_id)
        # AWS stores the id in lower case.
        key = StoreKey("elasticache", scope(), str(name).lower())
        check_destinations(properties)
        shape = self._shape(key, properties)
        with restored(self._snapshots, key, properties, cluster_mode=shape.cluster_mode) as files:
            self._stores.create(key, shape, self._users(key, properties), restore=files)
        self._parameter_groups[key] = str(properties.get("CacheParameterGroupName", ""))
        self._stores.declare(key, properties)
        if properties.get(_GLOBAL):
            self._join(key, str(properties[_GLOBAL]))
        return key.name, self._attributes(key)

    def _find(self, name: str) -> Outcome | None:
        key = StoreKey("elasticache", scope(), name.lower())
        return (key.name, self._attributes(key)) if key in self._stores else None

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        """Change a running replication group in place."""
        del old  # after a failed update, the running store may differ from both
        key = StoreKey("elasticache", scope(), physical_id)
        if key not in self._stores:
            return self.create(logical_id or physical_id, new, stack_name)
        store = self._stores[key]
        check_destinations(new)
        shape = self._shape(key, new)
        check_program(store, shape, "replication group")
        check_change(store, shape, self._stores.declared.get(key, new), new)
        self._stores.resize(key, shape)
        self._stores.set_users(key, self._users(key, new))
        self._parameter_groups[key] = str(new.get("CacheParameterGroupName", ""))
        self._stores.set_parameters(key, shape.parameters)
        self._stores.declare(key, new)
        return key.name, self._attributes(key)

    def delete(self, physical_id: str, properties: Properties) -> None:
        """Stop the nodes of a replication group."""
        del properties
        key = StoreKey("elasticache", scope(), physical_id)
        self.global_datastores.leave(key)
        self.access.release(key)
        self.tokens.drop(key)
        self._parameter_groups.pop(key, None)
        self._stores.delete(key)

    def follow_parameters(self, key: StoreKey, group: str | None) -> None:
        """Apply later changes of this parameter group to a store; None if it is deleted."""
        if group is None:
            self._parameter_groups.pop(key, None)
        else:
            self._parameter_groups[key] = group

    def _users(self, key: StoreKey, properties: Properties) -> list[AclUser]:
        users = self.access.use(key, properties.get("UserGroupIds") or [])
        return self.tokens.declare(key, properties.get("AuthToken")) or users

    def _join(self, key: StoreKey, global_id: str) -> None:
        try:
            self.global_datastores.join(key, global_id)
        except BaseException:
            self.access.release(key)
            self._stores.delete(key)
            raise

    def _shape(self, key: StoreKey, properties: Properties) -> StoreShape:
        if properties.get(_GLOBAL):
            return self.global_datastores.shape_of_secondary(key, str(properties[_GLOBAL]), _replicas(properties))
        return self.global_datastores.shape_of_primary(key, self._own_shape(key, properties))

    def _own_shape(self, key: StoreKey, properties: Properties) -> StoreShape:
        parameters = declared_parameters(str(properties.get("CacheParameterGroupName", "")))
        shards = shard_count(properties)
        engine = str(properties.get("Engine", "redis"))
        running = self._stores.find(key)
        kept = running and kept_program(running, properties)
        tls = str(properties.get("TransitEncryptionEnabled", "false")).lower() == "true"
        mode = _cluster_mode(properties, shards, parameters, running)
        return StoreShape(
            program=kept or self._stores.choose_engine(engine, properties.get("EngineVersion")),
            cluster_mode=mode != "disabled",
            shards=shards,
            replicas=_replicas(properties),
            tls=tls,
            parameters=parameters,
            slots=declared_slots(properties, cluster_mode=mode != "disabled"),
            compatible=mode == "compatible",
            plaintext=tls and str(properties.get("TransitEncryptionMode", "")).lower() == "preferred",
        )

    def _attributes(self, key: StoreKey) -> dict[str, Any]:
        store = self._stores[key]
        attributes: dict[str, Any] = {}
        if store.gates.configuration:
            attributes |= _endpoint("ConfigurationEndPoint", store.gates.configuration)
        if not store.gates.primary or not store.gates.reader:
            # With cluster mode, AWS has no primary endpoint: Fn::GetAtt of it fails in CloudFormation.
            return attributes
        readers = [str(node.port) for node in store.engines.replica_nodes]
        return {
            **attributes,
            **_endpoint("PrimaryEndPoint", store.gates.primary),
            **_endpoint("ReaderEndPoint", store.gates.reader),
            "ReadEndPoint.Addresses": ",".join([HOST] * len(readers)),
            "ReadEndPoint.AddressesList": [HOST] * len(readers),
            "ReadEndPoint.Ports": ",".join(readers),
            "ReadEndPoint.PortsList": readers,
        }

    def _after(
        self,
        resource_type: str,
        written: Callable[[str, Properties], None],
        deleted: Callable[[str], None],
    ) -> None:
        """Call ``written`` and ``deleted`` after the emulator's handlers of a type."""
        own = HANDLERS[resource_type]

        def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
            outcome = own["create"](logical_id, properties, stack_name)
            try:
                written(outcome[0], properties)
            except LocalCloudError:
                own["delete"](outcome[0], properties)
                raise
            return outcome

        def update(
            physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
        ) -> Outcome:
            outcome = own["update"](physical_id, old, new, stack_name, logical_id)
            written(outcome[0], new)
            return outcome

        def delete(physical_id: str, properties: Properties) -> None:
            own["delete"](physical_id, properties)
            deleted(physical_id)

        handle(resource_type, create, update, delete)

    def _user_written(self, identifier: str, properties: Properties) -> None:
        user = acl_user(str(properties.get("UserName") or identifier), properties)
        if user.iam and user.name != identifier:
            raise LocalCloudError(f"UserId and UserName of an IAM user must be equal, not {identifier} and {user.name}")
        self.access.put_user(identifier, user)

    def _user_deleted(self, identifier: str) -> None:
        self.access.drop_user(identifier)

    def _user_group_written(self, identifier: str, properties: Properties) -> None:
        members = [str(member) for member in properties.get("UserIds") or []]
        names = {user.name for user in self.access.members(members)}
        if str(properties.get("Engine", "")).lower() == "redis" and "default" not in names:
            raise LocalCloudError("DefaultUserRequired: a Redis user group must have a user with the user name default")
        self.access.put_group(identifier, members)

    def _parameter_group_written(self, identifier: str, properties: Properties) -> None:
        del properties
        for key, name in list(self._parameter_groups.items()):
            if name == identifier and key.scope == scope() and key in self._stores:
                self._stores.set_parameters(key, declared_parameters(identifier))


def shard_count(properties: Mapping[str, Any]) -> int:
    """The number of shards that a template declares."""
    return int(properties.get("NumNodeGroups") or len(properties.get("NodeGroupConfiguration") or [1]))


def _replaces(old: Properties, new: Properties, policy: Mapping[str, Any]) -> bool:
    """Whether CloudFormation replaces a replication group for properties that it may also change in place.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html
    """
    online = str(policy.get("UseOnlineResharding", "")).lower() == "true"
    resharded = shard_count(old) != shard_count(new) or (
        old.get("NodeGroupConfiguration") != new.get("NodeGroupConfiguration")
    )
    return bool(old.get("AuthToken")) != bool(new.get("AuthToken")) or (resharded and not online)


def _cluster_mode(
    properties: Properties, shards: int, parameters: Mapping[str, str], running: Store | None
) -> ClusterMode:
    declared = str(properties.get("ClusterMode", "")).lower()
    if declared == "compatible" or declared == "enabled":
        return declared
    group = str(properties.get("CacheParameterGroupName", ""))
    implied = shards > 1 or parameters.get("cluster-enabled") == "yes" or group.endswith(".cluster.on")
    before = running_mode(running) if running else "disabled"
    if declared == "disabled":
        return "enabled" if implied else "disabled"
    return "enabled" if implied and before == "disabled" else before


def _replicas(properties: Properties) -> int:
    if properties.get("ReplicasPerNodeGroup") is not None:
        return int(properties["ReplicasPerNodeGroup"])
    if properties.get("NumCacheClusters") is not None:
        return int(properties["NumCacheClusters"]) - 1
    counts = [int(group.get("ReplicaCount", 0)) for group in properties.get("NodeGroupConfiguration") or []]
    if len(set(counts)) > 1:
        raise LocalCloudError(f"in the local cloud, all shards must have the same number of replicas, not {counts}")
    return counts[0] if counts else 0


def _endpoint(name: str, port: int) -> dict[str, Any]:
    # CloudFormation returns ElastiCache's ports as strings.
    return {f"{name}.Address": HOST, f"{name}.Port": str(port)}
