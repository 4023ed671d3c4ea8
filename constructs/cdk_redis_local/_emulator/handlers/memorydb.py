"""MemoryDB resource types, which the emulator lacks: clusters of real nodes, ACLs, users and groups."""

from __future__ import annotations

from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.handlers.access import AccessLists, acl_user
from cdk_redis_local._emulator.handlers.store_changes import check_program, kept_program
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
from cdk_redis_local._emulator.ministack.imports import import_with
from cdk_redis_local._emulator.regions.multi_region import MultiRegionClusters
from cdk_redis_local._emulator.snapshots.restore import restored
from cdk_redis_local._emulator.snapshots.snapshots import Snapshots
from cdk_redis_local._emulator.store import Scope, Store, StoreKey, StoreShape
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._engines.node import HOST

_OPEN_ACCESS = "open-access"
# The property of a member, whose engine, shards, parameters and TLS are those of its Multi-Region cluster.
_MULTI_REGION = "MultiRegionClusterName"
# For each type, the property with its name, and the properties whose change replaces the resource.
_CREATE_ONLY: dict[str, tuple[str, tuple[str, ...]]] = {
    "AWS::MemoryDB::Cluster": (
        "ClusterName",
        (
            "ClusterName",
            "DataTiering",
            "KmsKeyId",
            "MultiRegionClusterName",
            "NetworkType",
            "Port",
            "SnapshotArns",
            "SnapshotName",
            "SubnetGroupName",
            "TLSEnabled",
        ),
    ),
    "AWS::MemoryDB::ACL": ("ACLName", ("ACLName",)),
    "AWS::MemoryDB::User": ("UserName", ("UserName",)),
    "AWS::MemoryDB::ParameterGroup": ("ParameterGroupName", ("Description", "Family", "ParameterGroupName")),
    "AWS::MemoryDB::SubnetGroup": ("SubnetGroupName", ("SubnetGroupName",)),
}


class MemoryDbHandlers:
    """The handlers of MemoryDB's resource types."""

    def __init__(self, stores: Stores, snapshots: Snapshots, multi_region: MultiRegionClusters) -> None:
        """Begin without resources."""
        self._stores = stores
        self._multi_region = multi_region
        self._snapshots = snapshots
        self.access = AccessLists(stores)
        self.resources: dict[tuple[str, Scope, str], Properties] = {}
        """The template properties of ACLs, users and groups, by the kind in their ARN, scope and name."""
        self._parameters: dict[tuple[tuple[str, str], str], dict[str, str]] = {}
        self._parameter_groups: dict[StoreKey, str] = {}

    def register(self) -> None:
        """Register the handlers with the emulator."""
        handlers = {
            "AWS::MemoryDB::Cluster": (self.create_cluster, self.update_cluster, self.delete_cluster),
            "AWS::MemoryDB::ACL": self._kept("acl", self._write_acl, self._drop_acl),
            "AWS::MemoryDB::User": self._kept("user", self._write_user, self._drop_user),
            "AWS::MemoryDB::ParameterGroup": self._kept(
                "parametergroup", self._write_parameter_group, self._drop_parameter_group
            ),
            "AWS::MemoryDB::SubnetGroup": self._kept("subnetgroup", self._write_subnet_group, lambda _: None),
        }
        for resource_type, (create, update, delete) in handlers.items():
            handle(resource_type, create, update, delete)
            replace_on_change(resource_type, *_CREATE_ONLY[resource_type])
        import_with("AWS::MemoryDB::Cluster", "ClusterName", self._find)
        run_on_threads(handlers)
        roll_back_failed_updates(handlers)

    def create_cluster(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        """Start the nodes of a cluster."""
        key = StoreKey("memorydb", scope(), _name("AWS::MemoryDB::Cluster", logical_id, properties, stack_name))
        shape = self._shape(properties)
        with restored(self._snapshots, key, properties, cluster_mode=True) as files:
            self._stores.create(key, shape, self.access.use(key, _acls(properties)), restore=files)
        self._parameter_groups[key] = str(properties.get("ParameterGroupName", ""))
        self._stores.declare(key, properties)
        if properties.get(_MULTI_REGION):
            self._join(key, str(properties[_MULTI_REGION]))
        return key.name, self._attributes(key)

    def _join(self, key: StoreKey, name: str) -> None:
        try:
            self._multi_region.join(key, name)
        except BaseException:
            self._multi_region.leave(key)
            self.access.release(key)
            self._stores.delete(key)
            raise

    def _find(self, name: str) -> Outcome | None:
        key = StoreKey("memorydb", scope(), name)
        return (key.name, self._attributes(key)) if key in self._stores else None

    def update_cluster(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        """Change a running cluster in place."""
        del old  # after a failed update, the running store may differ from both
        key = StoreKey("memorydb", scope(), physical_id)
        if key not in self._stores:
            return self.create_cluster(logical_id or physical_id, new, stack_name)
        store = self._stores[key]
        shape = self._shape(new, store)
        check_program(store, shape, "cluster")
        self._stores.resize(key, shape)
        self._stores.set_users(key, self.access.use(key, _acls(new)))
        self._parameter_groups[key] = str(new.get("ParameterGroupName", ""))
        self._stores.set_parameters(key, shape.parameters)
        self._stores.declare(key, new)
        return key.name, self._attributes(key)

    def delete_cluster(self, physical_id: str, properties: Properties) -> None:
        """Stop the nodes of a cluster, after its final snapshot."""
        key = StoreKey("memorydb", scope(), physical_id)
        if final := properties.get("FinalSnapshotName"):
            self._snapshots.take_final(key, str(final))
        self._multi_region.leave(key)
        self.access.release(key)
        self._parameter_groups.pop(key, None)
        self._stores.delete(key)

    def _shape(self, properties: Properties, running: Store | None = None) -> StoreShape:
        declared = properties.get("NumReplicasPerShard")
        # MemoryDB's default is one replica.
        replicas = 1 if declared is None else int(declared)
        if properties.get(_MULTI_REGION):
            return self._multi_region.shape(scope()[0], str(properties[_MULTI_REGION]), replicas)
        engine = str(properties.get("Engine", "redis"))
        kept = running and kept_program(running, properties)
        return StoreShape(
            program=kept or self._stores.choose_engine(engine, properties.get("EngineVersion")),
            cluster_mode=True,
            shards=int(properties.get("NumShards") or 1),
            replicas=replicas,
            tls=str(properties.get("TLSEnabled", "true")).lower() == "true",
            # As MemoryDB's transaction log.
            durable=True,
            parameters=self._parameters.get((scope(), str(properties.get("ParameterGroupName", ""))), {}),
        )

    def _attributes(self, key: StoreKey) -> dict[str, Any]:
        return {
            "ARN": _arn("cluster", key.name),
            "ClusterEndpoint.Address": HOST,
            # On AWS this is an integer, which CloudFormation converts for string properties, such as a function's
            # environment variable. The emulator does not convert it, but accepts strings for numbers.
            "ClusterEndpoint.Port": str(self._stores[key].endpoint),
            "ParameterGroupStatus": "in-sync",
            "Status": "available",
        }

    def _kept(self, kind: str, write: Any, drop: Any) -> tuple[Any, Any, Any]:
        """The handlers of a type whose properties are only stored: create and update both call ``write``."""

        def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
            outcome: Outcome = write(logical_id, properties, stack_name)
            self.resources[kind, scope(), outcome[0]] = properties
            return outcome

        def update(
            physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
        ) -> Outcome:
            del old
            return create(logical_id or physical_id, new, stack_name)

        def delete(physical_id: str, properties: Properties) -> None:
            del properties
            drop(physical_id)
            self.resources.pop((kind, scope(), physical_id), None)

        return create, update, delete

    def _write_user(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        name = _name("AWS::MemoryDB::User", logical_id, properties, stack_name)
        self.access.put_user(name, acl_user(name, properties))
        return name, {"Arn": _arn("user", name), "Status": "active"}

    def _drop_user(self, name: str) -> None:
        self.access.drop_user(name)

    def _write_acl(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        name = _name("AWS::MemoryDB::ACL", logical_id, properties, stack_name)
        if name == _OPEN_ACCESS:
            raise LocalCloudError(f"the ACL {_OPEN_ACCESS} is predefined: choose another name")
        members = [str(member) for member in properties.get("UserNames") or []]
        self.access.members(members)
        self.access.put_group(name, members)
        return name, {"Arn": _arn("acl", name), "Status": "active"}

    def _drop_acl(self, name: str) -> None:
        self.access.drop_group(name)

    def _write_parameter_group(self, logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        name = _name("AWS::MemoryDB::ParameterGroup", logical_id, properties, stack_name)
        parameters = {str(key): str(value) for key, value in (properties.get("Parameters") or {}).items()}
        self._parameters[scope(), name] = parameters
        for key, group in list(self._parameter_groups.items()):
            if group == name and key.scope == scope() and key in self._stores:
                self._stores.set_parameters(key, parameters)
        return name, {"ARN": _arn("parametergroup", name)}

    def _drop_parameter_group(self, name: str) -> None:
        self._parameters.pop((scope(), name), None)

    @staticmethod
    def _write_subnet_group(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        name = _name("AWS::MemoryDB::SubnetGroup", logical_id, properties, stack_name)
        return name, {"ARN": _arn("subnetgroup", name), "SupportedNetworkTypes": ["ipv4"]}


def _name(resource_type: str, logical_id: str, properties: Properties, stack_name: str) -> str:
    declared = properties.get(_CREATE_ONLY[resource_type][0])
    return str(declared or generated_name(stack_name, logical_id))


def _arn(kind: str, name: str) -> str:
    account, region = scope()
    return f"arn:aws:memorydb:{region}:{account}:{kind}/{name}"


def _acls(properties: Properties) -> list[str]:
    acl = str(properties.get("ACLName", ""))
    return [] if acl == _OPEN_ACCESS else [acl]
