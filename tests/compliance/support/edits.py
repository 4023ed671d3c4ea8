"""Single edits of real stacks, and which resources each of them replaces or removes, for the replacement guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from constructs import Construct

from cdk_redis import (
    AccessString,
    Acl,
    ElastiCacheUser,
    ElastiCacheUserGroup,
    Engine,
    ExistingResource,
    GlobalDatastore,
    IpDiscovery,
    LogDelivery,
    MaintenanceWindow,
    MemoryDbCluster,
    MemoryDbParameterGroup,
    MemoryDbSubnetGroup,
    MemoryDbUser,
    MultiRegionCluster,
    NetworkType,
    Preset,
    RedisNetwork,
    ReplicationGroup,
    Restore,
    SecondaryReplicationGroup,
    ServerlessCache,
    Snapshots,
    SnapshotWindow,
    UsageLimits,
)
from tests.compliance.support.elasticache import CHANGES, Parts

Build = Callable[[Parts], object]
STORE_TYPES = {
    ReplicationGroup: "ElastiCache::ReplicationGroup",
    ServerlessCache: "ElastiCache::ServerlessCache",
    MemoryDbCluster: "MemoryDB::Cluster",
    SecondaryReplicationGroup: "ElastiCache::ReplicationGroup",
}
_WINDOW = SnapshotWindow("03:00-04:00")
_ADOPTED = ExistingResource("Adopted")
_MAINTENANCE = MaintenanceWindow("sun:05:00-sun:06:00")


class Edit(NamedTuple):
    """One edit.

    Attributes:
        name: What is edited.
        before: Builds the stack before.
        after: Builds it after.
        ended: Types of the resources that are replaced or removed, without ``AWS::``.
    """

    name: str
    before: Build
    after: Build
    ended: frozenset[str] = frozenset()


def _store(kind: Any, id: str = "Store", **given: Any) -> Build:
    """One store with parameters; each is a value, or a function of the parts."""

    def build(parts: Parts) -> object:
        arguments = {name: value(parts) if callable(value) else value for name, value in given.items()}
        return kind(parts.stack, id, network=parts.network, **arguments)

    return build


def _parameter(kind: Any, name: str, *values: Any, replaces: bool = False, also: str = "", **fixed: Any) -> Edit:
    """A change of one parameter: from its default to a value, or from one value to another."""
    before = {name: values[0]} if len(values) == 2 else {}
    ended = {STORE_TYPES[kind]} if replaces else set[str]()
    return Edit(
        f"{kind.__name__}.{name}",
        _store(kind, **before, **fixed),
        _store(kind, **{name: values[-1]}, **fixed),
        frozenset(ended | set(also.split())),
    )


def _users(user: Any, users: Any, **engine: Any) -> list[Edit]:
    """Edits of a user, and of a list of users."""
    kind = "ElastiCache" if user is ElastiCacheUser else "MemoryDB"

    def one(**given: Any) -> Build:
        arguments = {"access": "on ~app:* +@read", "authentication": "iam", **engine, **given}
        return lambda parts: user(
            parts.stack, given.get("id", "User"), **{k: arguments[k] for k in arguments if k != "id"}
        )

    def listed(**given: Any) -> Build:
        return lambda parts: users(parts.stack, "Users", **engine, **given)

    its_id = "user_group_id" if kind == "ElastiCache" else "acl_name"
    group = "ElastiCache::UserGroup" if kind == "ElastiCache" else "MemoryDB::ACL"
    its_user = frozenset({f"{kind}::User"})
    return [
        Edit(f"{kind} user: access", one(), one(access="on ~app:* +@all")),
        Edit(f"{kind} user: user_name", one(), one(user_name="orders"), its_user),
        Edit(f"{kind} user: id", one(), one(id="Renamed"), its_user),
        Edit(f"{kind} user: authentication", one(), one(authentication="password")),
        Edit(f"{kind} list: name", listed(), listed(**{its_id: "everybody"}), frozenset({group})),
        Edit(
            f"{kind} list: another user",
            listed(),
            lambda parts: users(parts.stack, "Users", **engine, users=[one()(parts)]),
        ),
    ]


def _rows_of_replication_groups() -> list[Edit]:
    replacing = {"port", "kms_key", "create_kms_key", "subnet_group", "network_type", "restore", "replication_group_id"}
    replacing |= {"adopt", "unsafe_unencrypted_at_rest"}
    also = {
        "authentication": "ElastiCache::ReplicationGroup ElastiCache::UserGroup",
        "placement": "ElastiCache::ReplicationGroup",
        "unsafe_open_access": "ElastiCache::UserGroup",
        "user_group": "ElastiCache::UserGroup",
    }
    rows: list[Edit] = []
    for name, (before, after) in CHANGES.items():
        ended = {"ElastiCache::ReplicationGroup"} if name in replacing else set(also.get(name, "").split())
        builds = [
            lambda parts, given=given: ReplicationGroup(parts.stack, "Store", network=parts.network, **given(parts))
            for given in (before, after)
        ]
        rows.append(Edit(f"ReplicationGroup.{name}", *builds, frozenset(ended)))
    return rows


def _rows_of_serverless_caches() -> list[Edit]:
    one, group = ServerlessCache, "ElastiCache::UserGroup"
    return [
        _parameter(one, "engine", Engine.redis("7"), Engine.valkey("8"), unsafe_open_access=True),
        _parameter(one, "usage_limits", UsageLimits.at_most(data_storage_gb=10)),
        _parameter(one, "kms_key", lambda parts: parts.key("Key"), replaces=True),
        _parameter(one, "create_kms_key", True, replaces=True),
        _parameter(one, "secret_kms_key", lambda parts: parts.key("Key")),
        _parameter(one, "user_group", lambda parts: parts.user_group("Given"), also=group),
        _parameter(one, "snapshots", Snapshots.daily(at="22:00")),
        _parameter(one, "restore", Restore.from_s3("arn:aws:s3:::backups/orders.rdb"), replaces=True),
        _parameter(one, "network_type", NetworkType.DUAL_STACK, replaces=True),
        _parameter(one, "security_groups", lambda parts: [parts.security_group("Given")]),
        _parameter(one, "serverless_cache_name", "carts", replaces=True),
        _parameter(one, "description", "Orders"),
        _parameter(one, "removal_policy", "RETAIN"),
        _parameter(one, "preset", Preset.prod()),
        _parameter(one, "adopt", _ADOPTED, replaces=True, serverless_cache_name="carts-adopted"),
        _parameter(one, "unsafe_open_access", True, also=group),
    ]


def _rows_of_clusters() -> list[Edit]:
    one, acl = MemoryDbCluster, "MemoryDB::ACL"

    def parameter_group(parts: Parts) -> object:
        return MemoryDbParameterGroup.from_parameter_group_name(parts.stack, "Given", "orders")

    def subnet_group(name: str) -> Callable[[Parts], object]:
        return lambda parts: MemoryDbSubnetGroup.from_subnet_group_name(parts.stack, name, name.lower())

    def multi_region(parts: Parts) -> object:
        return MultiRegionCluster(parts.stack, "Everywhere")

    both = {"network_type": NetworkType.DUAL_STACK}
    return [
        _parameter(one, "engine", Engine.redis("7.1"), Engine.valkey("7.3")),
        _parameter(one, "node_type", "db.r7g.large"),
        _parameter(one, "shards", 2, 3),
        _parameter(one, "replicas", 2),
        _parameter(one, "port", 6380, replaces=True),
        _parameter(one, "kms_key", lambda parts: parts.key("Key"), replaces=True),
        _parameter(one, "create_kms_key", True, replaces=True),
        _parameter(one, "secret_kms_key", lambda parts: parts.key("Key")),
        _parameter(one, "parameters", {"timeout": "300"}),
        _parameter(one, "extra_parameters", {"brand-new": "yes"}),
        _parameter(one, "parameter_group", parameter_group),
        _parameter(one, "acl", lambda parts: Acl(parts.stack, "Given"), also=acl),
        _parameter(one, "snapshots", Snapshots.daily(retention_days=14, window=_WINDOW)),
        _parameter(one, "restore", Restore.from_snapshot("orders"), replaces=True),
        _parameter(one, "maintenance_window", _MAINTENANCE),
        _parameter(one, "notification_topic", lambda parts: parts.topic("Topic")),
        _parameter(one, "auto_minor_version_upgrade", False),
        _parameter(one, "network_type", NetworkType.DUAL_STACK, replaces=True),
        _parameter(one, "ip_discovery", IpDiscovery.IPV4, IpDiscovery.IPV6, **both),
        _parameter(one, "subnet_group", subnet_group("One"), subnet_group("Two"), replaces=True),
        _parameter(one, "security_groups", lambda parts: [parts.security_group("Given")]),
        _parameter(one, "multi_region", multi_region, replaces=True),
        _parameter(one, "cluster_name", "orders", replaces=True),
        _parameter(one, "description", "Orders"),
        _parameter(one, "removal_policy", "RETAIN"),
        _parameter(one, "preset", Preset.prod()),
        _parameter(one, "adopt", _ADOPTED, replaces=True, cluster_name="orders-adopted"),
        _parameter(one, "unsafe_open_access", True, also=acl),
        _parameter(one, "unsafe_plaintext", True, replaces=True, unsafe_open_access=True),
    ]


def _rows_of_secondaries() -> list[Edit]:
    one, group = SecondaryReplicationGroup, "ElastiCache::UserGroup"

    def datastore(name: str) -> Callable[[Parts], object]:
        return lambda parts: GlobalDatastore.from_global_datastore_attributes(
            parts.stack, name, global_replication_group_id=f"ldgnf-{name.lower()}", engine="valkey:8.1"
        )

    def parameter(name: str, *values: Any, **given: Any) -> Edit:
        return _parameter(one, name, *values, **{"global_datastore": datastore("Orders"), **given})

    return [
        Edit(
            "SecondaryReplicationGroup.global_datastore",
            _store(one, global_datastore=datastore("Orders")),
            _store(one, global_datastore=datastore("Carts")),
            frozenset({STORE_TYPES[one]}),
        ),
        parameter("replicas", 2),
        parameter("port", 6380, replaces=True),
        parameter("kms_key", lambda parts: parts.key("Key"), replaces=True),
        parameter("create_kms_key", True, replaces=True),
        parameter("secret_kms_key", lambda parts: parts.key("Key")),
        parameter("user_group", lambda parts: parts.user_group("Given"), also=group),
        parameter("snapshots", Snapshots.daily(retention_days=14, window=_WINDOW)),
        parameter("maintenance_window", _MAINTENANCE),
        parameter("auto_minor_version_upgrade", False),
        parameter("log_delivery", lambda _: [LogDelivery.slow_log()]),
        parameter("notification_topic", lambda parts: parts.topic("Topic")),
        parameter(
            "subnet_group", lambda parts: parts.subnet_group("Given"), replaces=True, also="ElastiCache::SubnetGroup"
        ),
        parameter("security_groups", lambda parts: [parts.security_group("Given")]),
        parameter("replication_group_id", "far", replaces=True),
        parameter("description", "Orders"),
        parameter("removal_policy", "RETAIN"),
        parameter("preset", Preset.prod()),
    ]


def _rows_of_global_stores() -> list[Edit]:
    def datastore(**given: Any) -> Build:
        def build(parts: Parts) -> object:
            primary = ReplicationGroup(
                parts.stack, "Primary", network=parts.network, node_type="cache.r7g.large", shards=2
            )
            return GlobalDatastore(parts.stack, "Global", primary=primary, **given)

        return build

    def everywhere(**given: Any) -> Build:
        return lambda parts: MultiRegionCluster(parts.stack, "Everywhere", **given)

    everywhere_ends = frozenset({"MemoryDB::MultiRegionCluster"})
    return [
        Edit("GlobalDatastore.engine", datastore(), datastore(engine="valkey:8.2")),
        Edit("GlobalDatastore.node_type", datastore(), datastore(node_type="cache.r7g.xlarge")),
        Edit("GlobalDatastore.shards", datastore(), datastore(shards=3)),
        Edit("GlobalDatastore.description", datastore(), datastore(description="Orders")),
        Edit("MultiRegionCluster.node_type", everywhere(), everywhere(node_type="db.r7g.2xlarge")),
        Edit("MultiRegionCluster.shards", everywhere(), everywhere(shards=2)),
        Edit("MultiRegionCluster.name_suffix", everywhere(), everywhere(name_suffix="orders"), everywhere_ends),
        Edit("MultiRegionCluster.description", everywhere(), everywhere(description="Orders")),
    ]


def _rows_of_networks() -> list[Edit]:
    def network(id: str = "Own", **given: Any) -> Build:
        return lambda parts: RedisNetwork(parts.stack, id, **given)

    return [
        Edit("RedisNetwork.zones", network(zones=2), network(zones=3)),
        Edit("RedisNetwork.cidr", network(), network(cidr="10.1.0.0/16"), frozenset({"EC2::VPC", "EC2::Subnet"})),
        Edit("RedisNetwork.secrets_endpoint", network(), network(secrets_endpoint=True)),
        Edit("RedisNetwork: id", network(), network("Renamed"), frozenset({"EC2::VPC", "EC2::Subnet"})),
    ]


def _rows_of_places() -> list[Edit]:
    """Ids renamed, stores moved into another scope or removed, and edits of more than a parameter's default."""
    cluster = frozenset({STORE_TYPES[MemoryDbCluster]})
    group = frozenset({STORE_TYPES[ReplicationGroup]})
    given = MemoryDbSubnetGroup.from_subnet_group_name
    rows = [
        Edit(
            "MemoryDbCluster: data tiering",
            _store(MemoryDbCluster),
            _store(MemoryDbCluster, node_type="db.r6gd.xlarge"),
            cluster,
        ),
        Edit(
            "ReplicationGroup: data tiering",
            _store(ReplicationGroup),
            _store(ReplicationGroup, node_type="cache.r6gd.xlarge"),
            group,
        ),
        Edit(
            "MemoryDbCluster: a subnet group is given",
            _store(MemoryDbCluster),
            _store(MemoryDbCluster, subnet_group=lambda parts: given(parts.stack, "Given", "given")),
            cluster | {"MemoryDB::SubnetGroup"},
        ),
    ]
    parts_of = {
        ReplicationGroup: "ElastiCache::SubnetGroup ElastiCache::UserGroup",
        ServerlessCache: "ElastiCache::UserGroup",
        MemoryDbCluster: "MemoryDB::SubnetGroup MemoryDB::ACL",
    }
    for kind, parts in parts_of.items():
        ended = frozenset({STORE_TYPES[kind], *parts.split()})

        def moved(parts: Parts, kind: Any = kind) -> object:
            return kind(Construct(parts.stack, "Data"), "Store", network=parts.network)

        rows += [
            Edit(f"{kind.__name__}: id", _store(kind), _store(kind, "Renamed"), ended),
            Edit(f"{kind.__name__}: scope", _store(kind), moved, ended),
            Edit(f"{kind.__name__}: removed", _store(kind), lambda _: None, ended),
            Edit(f"{kind.__name__}: unchanged", _store(kind), _store(kind)),
            Edit(f"{kind.__name__}: a second one", _store(kind), lambda parts, kind=kind: _two(kind, parts)),
            Edit(f"{kind.__name__}: another user", _store(kind), lambda parts, kind=kind: _with_user(kind, parts)),
        ]
    return rows


def _two(kind: Any, parts: Parts) -> None:
    _store(kind)(parts)
    _store(kind, "Second")(parts)


def _with_user(kind: Any, parts: Parts) -> None:
    kind(parts.stack, "Store", network=parts.network).add_iam_user("app", AccessString.read_write("app:*"))


EDITS = [
    *_rows_of_replication_groups(),
    *_rows_of_serverless_caches(),
    *_rows_of_clusters(),
    *_rows_of_secondaries(),
    *_rows_of_global_stores(),
    *_rows_of_networks(),
    *_rows_of_places(),
    *_users(ElastiCacheUser, ElastiCacheUserGroup, engine=Engine.valkey("8.1")),
    *_users(MemoryDbUser, Acl),
]
