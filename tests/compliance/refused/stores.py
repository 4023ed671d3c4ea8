"""Stores: names, imports, windows, limits, metrics, drills, global datastores, Multi-Region clusters."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from cdk_redis import (
    Acl,
    ElastiCacheUserGroup,
    Endpoint,
    FailoverDrill,
    GlobalDatastore,
    IGlobalDatastore,
    MaintenanceWindow,
    MemoryDbCluster,
    MemoryDbSubnetGroup,
    MultiRegionCluster,
    RedisNetwork,
    ReplicationGroup,
    SecondaryReplicationGroup,
    ServerlessCache,
    SmokeTest,
    Snapshots,
    SnapshotWindow,
    UsageLimits,
)
from tests.compliance.refused.rows import Accepted, Refused, Scene

_NAMES = "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html"
_TAKEN = '"ReplicationGroupAlreadyExists"'
_IAM = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html"
_WINDOWS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/maintenance-window.html"
_BACKUPS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups-automatic.html"
_LIMITS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling.html"
_ALARMS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"
_METRICS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.html"
_FAILOVER = "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_TestFailover.html"
_GLOBAL = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Redis-Global-Datastores-Getting-Started.html"
_MULTI_REGION = "https://docs.aws.amazon.com/memorydb/latest/devguide/multi-region.prereq.html"


def _twice(it: Scene, kind: type[ReplicationGroup | ServerlessCache | MemoryDbCluster], parameter: str) -> None:
    for name in ("One", "Two"):
        kind(it.scope, name, network=it.network, **{parameter: "orders-twice"})  # pyright: ignore[reportArgumentType]


def _imported_group(it: Scene, **given: object) -> object:
    required = {"replication_group_id": "orders", "endpoint": Endpoint("orders.example.com", 6379)}
    security_group = ec2.SecurityGroup.from_security_group_id(it.scope, "Group", "sg-0123456789abcdef0")
    return ReplicationGroup.from_replication_group_attributes(
        it.scope, "Imported", **{**required, "security_groups": [security_group], **given}
    )


def _imported_cache(it: Scene, **given: object) -> object:
    required = {"serverless_cache_name": "orders", "endpoint": Endpoint("orders.example.com", 6379)}
    security_group = ec2.SecurityGroup.from_security_group_id(it.scope, "Group", "sg-0123456789abcdef0")
    return ServerlessCache.from_serverless_cache_attributes(
        it.scope, "Imported", **{**required, "security_groups": [security_group], **given}
    )


def _imported_cluster(it: Scene, **given: object) -> object:
    required = {"cluster_name": "orders", "endpoint": Endpoint("orders.example.com", 6379)}
    security_group = ec2.SecurityGroup.from_security_group_id(it.scope, "Group", "sg-0123456789abcdef0")
    return MemoryDbCluster.from_cluster_attributes(
        it.scope, "Imported", **{**required, "security_groups": [security_group], **given}
    )


def _global(it: Scene, *, suffix: str | None = None, **given: object) -> GlobalDatastore:
    primary = it.group("Primary", **{"node_type": "cache.r7g.large", **given})
    return GlobalDatastore(it.scope, "Global", primary=primary, suffix=suffix)


def _imported_global(it: Scene, global_replication_group_id: str = "ldgnf-orders", **given: object) -> IGlobalDatastore:
    return GlobalDatastore.from_global_datastore_attributes(
        it.scope,
        "Global",
        **{"global_replication_group_id": global_replication_group_id, "engine": "valkey:8.1", **given},  # pyright: ignore[reportArgumentType]
    )


def _secondary(
    it: Scene, datastore: IGlobalDatastore, stack: cdk.Stack, id: str = "Secondary", **given: object
) -> SecondaryReplicationGroup:
    network = RedisNetwork(stack, f"{id}Network")
    return SecondaryReplicationGroup(stack, id, network=network, global_datastore=datastore, **given)


def _two_secondaries(it: Scene, datastore: IGlobalDatastore) -> None:
    stack = it.other_stack()
    for name in ("One", "Two"):
        _secondary(it, datastore, stack, name)


def _member(it: Scene, *, shards_of_all: int = 2, **given: object) -> MemoryDbCluster:
    everywhere = MultiRegionCluster(it.scope, "Everywhere", shards=shards_of_all)
    return it.cluster(multi_region=everywhere, **given)


def _alarm(it: Scene, *, shards: int, hit_rate: bool = False) -> object:
    cache = it.group(shards=shards)
    metric = cache.metric_cache_hit_rate(graph=True) if hit_rate else cache.metric_cpu(graph=True)
    return metric.create_alarm(it.scope, "Alarm", threshold=80, evaluation_periods=3)


REFUSED = [
    # Names of new stores.
    Refused(
        "A replication group's id is in lower case.",
        lambda it: it.group(replication_group_id="Orders"),
        "replication_group_id: got 'Orders', but a name has 1 to 40 lower-case letters, digits and single "
        "hyphens, begins with a letter and does not end with a hyphen",
        _NAMES,
    ),
    Refused(
        "A replication group's id has up to 40 characters.",
        lambda it: it.group(replication_group_id="o" * 41),
        "replication_group_id: got 'ooooooooooooooooooooooooooooooooooooooooo', but a name has 1 to 40 "
        "lower-case letters, digits and single hyphens, begins with a letter and does not end with a hyphen",
        _NAMES,
    ),
    Refused(
        "A serverless cache's name does not end with a hyphen.",
        lambda it: it.serverless(serverless_cache_name="orders-"),
        "serverless_cache_name: got 'orders-', but a name has 1 to 40 lower-case letters, digits and "
        "single hyphens, begins with a letter and does not end with a hyphen",
        _NAMES,
    ),
    Refused(
        "A cluster's name does not have two hyphens in a row.",
        lambda it: it.cluster(cluster_name="orders--eu"),
        "cluster_name: got 'orders--eu', but a name has 1 to 40 lower-case letters, digits and single "
        "hyphens, begins with a letter and does not end with a hyphen",
        "https://docs.aws.amazon.com/memorydb/latest/APIReference/API_CreateCluster.html",
    ),
    Refused(
        "A cluster's name begins with a letter.",
        lambda it: it.cluster(cluster_name="1orders"),
        "cluster_name: got '1orders', but a name has 1 to 40 lower-case letters, digits and single "
        "hyphens, begins with a letter and does not end with a hyphen",
        "https://docs.aws.amazon.com/memorydb/latest/APIReference/API_CreateCluster.html",
    ),
    Refused(
        "Two replication groups of one account and Region have different ids.",
        lambda it: _twice(it, ReplicationGroup, "replication_group_id"),
        "replication_group_id: got 'orders-twice', but the replication group .../One has this name, and AWS "
        "allows it once in an account and Region; choose another name, or leave it out",
        _TAKEN,
    ),
    Refused(
        "Two serverless caches of one account and Region have different names.",
        lambda it: _twice(it, ServerlessCache, "serverless_cache_name"),
        "serverless_cache_name: got 'orders-twice', but the serverless cache .../One has this name, and AWS "
        "allows it once in an account and Region; choose another name, or leave it out",
        '"ServerlessCacheAlreadyExistsFault"',
    ),
    Refused(
        "Two clusters of one account and Region have different names.",
        lambda it: _twice(it, MemoryDbCluster, "cluster_name"),
        "cluster_name: got 'orders-twice', but the cluster .../One has this name, and AWS allows it once in "
        "an account and Region; choose another name, or leave it out",
        '"ClusterAlreadyExistsFault"',
    ),
    Refused(
        "Two stacks of one account and Region share their names.",
        lambda it: (
            it.group(replication_group_id="shared-name"),
            ReplicationGroup(
                it.other_stack("eu-west-1"), "Cache", vpc=it.network.vpc, replication_group_id="shared-name"
            ),
        ),
        "replication_group_id: got 'shared-name', but the replication group .../Cache has this name, and "
        "AWS allows it once in an account and Region; choose another name, or leave it out",
        _TAKEN,
    ),
    Refused(
        "Two user groups of one account and Region have different ids.",
        lambda it: [
            ElastiCacheUserGroup(it.scope, name, engine="valkey:8.1", user_group_id="same-group")
            for name in ("One", "Two")
        ],
        "user_group_id: got 'same-group', but the user group .../One has this name, and AWS allows it once "
        "in an account and Region; choose another name, or leave it out",
        '"UserGroupAlreadyExists"',
    ),
    Refused(
        "Two ACLs of one account and Region have different names.",
        lambda it: [Acl(it.scope, name, acl_name="same-acl") for name in ("One", "Two")],
        "acl_name: got 'same-acl', but the ACL .../One has this name, and AWS allows it once in an account "
        "and Region; choose another name, or leave it out",
        '"ACLAlreadyExistsFault"',
    ),
    Refused(
        "Two subnet groups of one account and Region have different names.",
        lambda it: [
            MemoryDbSubnetGroup(it.scope, name, network=it.network, subnet_group_name="same-subnets")
            for name in ("One", "Two")
        ],
        "subnet_group_name: got 'same-subnets', but the subnet group .../One has this name, and AWS allows "
        "it once in an account and Region; choose another name, or leave it out",
        '"SubnetGroupAlreadyExistsFault"',
    ),
    # Names of imported stores.
    Refused(
        "IAM compares the id of an imported replication group by case.",
        lambda it: _imported_group(it, replication_group_id="Orders"),
        "replication_group_id: got 'Orders', but AWS stores names in lower case, and IAM would deny every "
        "connection; write 'orders'",
        _IAM,
    ),
    Refused(
        "IAM compares the name of an imported serverless cache by case.",
        lambda it: _imported_cache(it, serverless_cache_name="ORDERS"),
        "serverless_cache_name: got 'ORDERS', but AWS stores names in lower case, and IAM would deny every "
        "connection; write 'orders'",
        _IAM,
    ),
    Refused(
        "IAM compares the name of an imported cluster by case.",
        lambda it: _imported_cluster(it, cluster_name="ordersEU"),
        "cluster_name: got 'ordersEU', but AWS stores names in lower case, and IAM would deny every "
        "connection; write 'orderseu'",
        "https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html",
    ),
    Refused(
        "An imported replication group is named by its id, not by its ARN.",
        lambda it: _imported_group(
            it, replication_group_id="arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:orders"
        ),
        "replication_group_id: got 'arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:orders', "
        "but a name has 1 to 40 lower-case letters, digits and single hyphens, begins with a letter and "
        "does not end with a hyphen",
        _NAMES,
    ),
    Refused(
        "An endpoint is a host name, without a scheme.",
        lambda it: _imported_group(it, endpoint="rediss://orders.example.com:6379"),
        "endpoint: got text, but it takes Endpoint or text such as 'cache.example.com:6379'",
        "the library",
    ),
    # Windows.
    Refused(
        "A maintenance window has two days and two times.",
        lambda it: it.group(maintenance_window="sunday 05:00"),
        "maintenance_window: got 'sunday 05:00', but a maintenance window reads \"ddd:hh:mm-ddd:hh:mm\" in "
        'UTC, such as "sun:05:00-sun:06:00"',
        _WINDOWS,
    ),
    Refused(
        "A maintenance window lasts an hour or longer.",
        lambda it: it.cluster(maintenance_window="sun:05:00-sun:05:30"),
        "maintenance_window: got 'sun:05:00-sun:05:30', but a window lasts at least 60 minutes and this "
        "one lasts 30; make it longer",
        _WINDOWS,
    ),
    Refused(
        "A window has hours from 00 to 23.",
        lambda it: it.group(maintenance_window="sun:24:00-mon:01:00"),
        "maintenance_window: got 'sun:24:00-mon:01:00', but a maintenance window reads "
        '"ddd:hh:mm-ddd:hh:mm" in UTC, such as "sun:05:00-sun:06:00"',
        _WINDOWS,
    ),
    Refused(
        "The maintenance window does not begin within the snapshot window.",
        lambda it: it.group(
            snapshots=Snapshots.daily(window=SnapshotWindow("04:30-05:30")), maintenance_window="sun:05:00-sun:06:00"
        ),
        "maintenance_window: got 'sun:05:00-sun:06:00', but it must not overlap the snapshot window "
        "04:30-05:30; move one of the two",
        _WINDOWS,
    ),
    Refused(
        "The windows of a cluster do not overlap over midnight, either.",
        lambda it: it.cluster(
            snapshots=Snapshots.daily(window=SnapshotWindow("23:30-00:30")), maintenance_window="mon:00:00-mon:01:00"
        ),
        "maintenance_window: got 'mon:00:00-mon:01:00', but it must not overlap the snapshot window "
        "23:30-00:30; move one of the two",
        "https://docs.aws.amazon.com/memorydb/latest/devguide/maintenance-window.html",
    ),
    Refused(
        "A snapshot window lasts an hour or longer.",
        lambda it: it.group(snapshots=Snapshots.daily(window=SnapshotWindow("03:00-03:30"))),
        "text: got '03:00-03:30', but a window lasts at least 60 minutes and this one lasts 30; make it longer",
        _BACKUPS,
    ),
    Refused(
        "A snapshot is kept up to 35 days.",
        lambda it: it.group(snapshots=36),
        "snapshots: retention_days: got 36, but snapshots are kept 0 to 35 days",
        _BACKUPS,
    ),
    Refused(
        "A serverless cache has a time for its snapshots, not a window.",
        lambda it: it.serverless(snapshots=Snapshots.daily(window=SnapshotWindow("03:00-04:00"))),
        "snapshots: got '03:00-04:00', but a serverless cache takes its snapshots at a time, not in a "
        'window; write Snapshots.daily(at="03:00")',
        _BACKUPS,
    ),
    Refused(
        "A replication group has a window for its snapshots, not a time.",
        lambda it: it.group(snapshots=Snapshots.daily(at="03:00")),
        "snapshots: got 'daily at 03:00', but only a serverless cache takes snapshots at a fixed time; "
        "give a window, such as window=SnapshotWindow('03:00-04:00')",
        _BACKUPS,
    ),
    Refused(
        "A cluster has a window for its snapshots, not a time.",
        lambda it: it.cluster(snapshots=Snapshots.daily(at="03:00")),
        "snapshots: got 'daily at 03:00', but only a serverless cache takes snapshots at a fixed time; "
        "give a window, such as window=SnapshotWindow('03:00-04:00')",
        _BACKUPS,
    ),
    # Limits of serverless caches.
    Refused(
        "The least data is not more than the most.",
        lambda it: it.serverless(usage_limits=UsageLimits(data_storage_gb=(10, 5))),
        "data_storage_gb: got (10, 5), but the minimum must not be greater than the maximum; swap them",
        _LIMITS,
    ),
    Refused(
        "A serverless cache has up to 5,000 GB.",
        lambda it: it.serverless(usage_limits=UsageLimits.at_most(data_storage_gb=5_001)),
        "data_storage_gb: got 5001, but a limit is 1 to 5,000 GB",
        _LIMITS,
    ),
    Refused(
        "A serverless cache has 1,000 processing units a second or more.",
        lambda it: it.serverless(usage_limits=UsageLimits.at_most(ecpu_per_second=999)),
        "ecpu_per_second: got 999, but a limit is 1,000 to 15,000,000 a second",
        _LIMITS,
    ),
    Refused(
        "The least processing units are not more than the most.",
        lambda it: it.serverless(usage_limits=UsageLimits(ecpu_per_second=(5_000, 1_000))),
        "ecpu_per_second: got (5000, 1000), but the minimum must not be greater than the maximum; swap them",
        _LIMITS,
    ),
    Refused(
        "Limits limit the data or the processing units.",
        lambda it: it.serverless(usage_limits=UsageLimits()),
        "data_storage_gb: got None, but at least one limit is needed; set `data_storage_gb` or "
        "`ecpu_per_second`, or leave `usage_limits` out",
        "the library",
    ),
    # Metrics.
    Refused(
        "An alarm has up to ten metrics.",
        lambda it: it.group(shards=6).metric_cpu(),
        "node: got None, but 12 nodes need a formula of 12 metrics, and an alarm can have 10; create an "
        "alarm for each `node` and a CompositeAlarm of them; for a graph, set `graph=True`",
        _ALARMS,
    ),
    Refused(
        "An alarm over the metric for a graph has up to ten metrics.",
        lambda it: _alarm(it, shards=6),
        "metric: got 'CPUUtilization', but it is a formula of 12 metrics, and an alarm can have 10; create "
        "an alarm for each `node` and a CompositeAlarm of them",
        _ALARMS,
    ),
    Refused(
        "An alarm over the hit rate has two metrics a node.",
        lambda it: _alarm(it, shards=3, hit_rate=True),
        "metric: got 'Hit rate', but it is a formula of 12 metrics, and an alarm can have 10; create an "
        "alarm for each `node` and a CompositeAlarm of them",
        _ALARMS,
    ),
    Refused(
        "A serverless cache has no metrics of nodes.",
        lambda it: it.serverless().metric_cpu(),
        "name: got 'CPUUtilization', but ElastiCache publishes it for nodes, and a serverless cache has "
        "none; use `metric` with `BytesUsedForCache` or `ElastiCacheProcessingUnits`",
        _METRICS,
    ),
    Refused(
        "Percentiles of several nodes cannot be combined.",
        lambda it: it.group().metric_cpu(statistic="p99"),
        "statistic: got 'p99', but the statistics that combine nodes are Average, Maximum, Minimum, Sum, "
        "SampleCount; give a `node`",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html",
    ),
    Refused(
        "A node of a store in cluster mode has a shard.",
        lambda it: it.group(shards=2).metric_cpu(node="001"),
        "node: got '001', but a node of this store has a number such as '0001-001'",
        _METRICS,
    ),
    # Drills.
    Refused(
        "A drill fails over a shard that a store can have.",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.group(shards=3), shard="9999"),
        'shard: got \'9999\', but a store has shards "0001" to "0500"; give the name of a shard that the store has',
        _FAILOVER,
    ),
    Refused(
        "The name of a shard has digits only.",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.cluster(), shard="orders-0001"),
        "shard: got 'orders-0001', but the name of a shard has up to four digits, such as \"0001\"; give the "
        "name of a shard that the store has",
        _FAILOVER,
    ),
    Refused(
        "The first shard is 0001.",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.group(shards=3), shard="0000"),
        'shard: got \'0000\', but a store has shards "0001" to "0500"; give the name of a shard that the store has',
        _FAILOVER,
    ),
    Refused(
        "A store without cluster mode has one shard.",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.group(), shard="0002"),
        "shard: got '0002', but a store without cluster mode has one shard, \"0001\"; leave it out",
        _FAILOVER,
    ),
    Refused(
        "Only a shard with replicas can fail over.",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.group(replicas=0)),
        "target: got '.../Cache', but a shard without replicas cannot fail over; give the store replicas=1 or more",
        _FAILOVER,
    ),
    Refused(
        "Only the service fails over a serverless cache.",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.serverless()),
        "target: got '.../Cache', but only the service can fail over a serverless cache; use a replication "
        "group or a cluster",
        _FAILOVER,
    ),
    # Global datastores.
    Refused(
        "The id of a global datastore has a prefix and a suffix.",
        lambda it: _imported_global(it, "-"),
        "global_replication_group_id: got '-', but an id has a prefix that AWS chooses, a hyphen and a "
        'suffix, such as "ldgnf-orders"',
        _GLOBAL,
    ),
    Refused(
        "The id of a global datastore has a prefix that AWS chooses.",
        lambda it: _imported_global(it, "orders"),
        "global_replication_group_id: got 'orders', but an id has a prefix that AWS chooses, a hyphen and "
        'a suffix, such as "ldgnf-orders"',
        _GLOBAL,
    ),
    Refused(
        "A global datastore needs Redis OSS 5.0.6 or newer.",
        lambda it: _imported_global(it, engine="redis:4.0.10"),
        "engine: got 'redis 4.0.10', but a global datastore needs Redis OSS 5.0.6 or newer, or Valkey; "
        "choose a newer engine",
        _GLOBAL,
    ),
    Refused(
        "A secondary is in another Region than the primary.",
        lambda it: _secondary(it, _global(it), it.other_stack("eu-west-1")),
        "global_datastore: got '.../Global', but it has a member in eu-west-1 already; define the "
        "secondary in a stack of another Region",
        _GLOBAL,
    ),
    Refused(
        "Two secondaries are in different Regions.",
        lambda it: _two_secondaries(it, _global(it)),
        "global_datastore: got '.../Global', but it has a member in us-east-1 already; define the "
        "secondary in a stack of another Region",
        _GLOBAL,
    ),
    Refused(
        "Two secondaries of an imported global datastore are in different Regions.",
        lambda it: _two_secondaries(it, _imported_global(it)),
        "global_datastore: got '.../Global', but it has a member in us-east-1 already; define the "
        "secondary in a stack of another Region",
        _GLOBAL,
    ),
    Refused(
        "All members of a global datastore are in one account.",
        lambda it: _secondary(it, _global(it), it.other_stack(account="999999999999")),
        "global_datastore: got 'a global datastore in 111122223333', but the secondary is in 999999999999; use a "
        "global datastore of that account",
        _GLOBAL,
    ),
    Refused(
        "Regions in China replicate only to each other.",
        lambda it: _secondary(it, _global(it), it.other_stack("cn-north-1")),
        "global_datastore: got '.../Global', but the primary is in eu-west-1, and Regions in China "
        "replicate only to each other; choose another Region for the secondary",
        _GLOBAL,
    ),
    Refused(
        "A secondary has a replica if the primary has automatic failover.",
        lambda it: _secondary(it, _global(it), it.other_stack(), replicas=0),
        "replicas: got 0, but the primary has automatic failover, so every member has it and needs a "
        "replica; add a replica",
        _GLOBAL,
    ),
    Refused(
        "A global datastore needs nodes of size large.",
        lambda it: _global(it, node_type="cache.t4g.small"),
        "primary: got 'cache.t4g.small', but a global datastore needs m5, m6g, m7g, m8g, r5, r6g, r6gd, "
        "r7g, r8g, c7gn, c8gn nodes of size large or larger; use a node type such as cache.r7g.large",
        _GLOBAL,
    ),
    Refused(
        "The suffix of a global datastore is in lower case.",
        lambda it: _global(it, suffix="Orders"),
        "suffix: got 'Orders', but a name has 1 to 34 lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen",
        _GLOBAL,
    ),
    Refused(
        "A secondary is read-only, and a smoke test writes.",
        lambda it: (lambda stack: SmokeTest(stack, "Smoke", target=_secondary(it, _global(it), stack)))(
            it.other_stack()
        ),
        "target: got '.../Elsewhere/Secondary', but it is read-only, and a smoke test writes; test the primary",
        _GLOBAL,
    ),
    # Multi-Region clusters.
    Refused(
        "A Multi-Region cluster sets the engine of its members.",
        lambda it: _member(it, engine="valkey:7.2"),
        "engine: got 'valkey 7.2', but the Multi-Region cluster sets it to valkey 7.3; leave it out",
        _MULTI_REGION,
    ),
    Refused(
        "A Multi-Region cluster sets the shards of its members.",
        lambda it: _member(it, shards=3),
        "shards: got 3, but the Multi-Region cluster sets it to 2; leave it out",
        _MULTI_REGION,
    ),
    Refused(
        "A Multi-Region cluster sets the node type of its members.",
        lambda it: _member(it, node_type="db.r7g.4xlarge"),
        "node_type: got 'db.r7g.4xlarge', but the Multi-Region cluster sets it to db.r7g.xlarge; leave it out",
        _MULTI_REGION,
    ),
    Refused(
        "The default number of shards is no exception.",
        lambda it: _member(it, shards=1),
        "shards: got 1, but the Multi-Region cluster sets it to 2; leave it out",
        _MULTI_REGION,
    ),
    Refused(
        "The default node type is no exception.",
        lambda it: _member(it, node_type="db.t4g.small"),
        "node_type: got 'db.t4g.small', but the Multi-Region cluster sets it to db.r7g.xlarge; leave it out",
        _MULTI_REGION,
    ),
    Refused(
        "The members of a Multi-Region cluster use TLS.",
        lambda it: _member(it, unsafe_plaintext=True, unsafe_open_access=True),
        "unsafe_plaintext: got True, but the members of a Multi-Region cluster use TLS; leave it out",
        _MULTI_REGION,
    ),
    Refused(
        "A Multi-Region cluster sets the parameters of its members.",
        lambda it: _member(it, parameters={"maxmemory-policy": "allkeys-lru"}),
        "parameters: got {'maxmemory-policy': 'allkeys-lru'}, but the Multi-Region cluster sets the "
        "parameters; give the Multi-Region cluster a `parameter_group_name`",
        _MULTI_REGION,
    ),
    Refused(
        "A Multi-Region cluster needs Valkey 7.3.",
        lambda it: MultiRegionCluster(it.scope, "Everywhere", engine="valkey:7.2"),
        "engine: got 'valkey 7.2', but Multi-Region clusters run Valkey 7.3 or newer",
        _MULTI_REGION,
    ),
    Refused(
        "A Multi-Region cluster needs nodes of size xlarge.",
        lambda it: MultiRegionCluster(it.scope, "Everywhere", node_type="db.r7g.large"),
        "node_type: got 'db.r7g.large', but Multi-Region clusters run on db.r7g.xlarge and larger; use one "
        "such as db.r7g.xlarge",
        _MULTI_REGION,
    ),
    Refused(
        "Keys of a Multi-Region cluster cannot expire, and a smoke test's do.",
        lambda it: SmokeTest(it.scope, "Smoke", target=_member(it)),
        "target: got '.../Cluster', but keys of Multi-Region clusters cannot expire, and a smoke test sets "
        "a time to live on its keys",
        _MULTI_REGION,
    ),
]

ACCEPTED = [
    Accepted(
        "A replication group and a serverless cache can have the same name.",
        lambda it: (
            it.group("Nodes", replication_group_id="same"),
            it.serverless("Serverless", serverless_cache_name="same"),
        ),
    ),
    Accepted(
        "A name of 40 characters is legal.",
        lambda it: it.group(replication_group_id="o" * 40),
    ),
    Accepted(
        "Stacks of two Regions can have stores of one name.",
        lambda it: (
            it.group(replication_group_id="regional"),
            ReplicationGroup(
                it.other_stack(),
                "Cache",
                network=RedisNetwork(cdk.Stack.of(it.scope.node.find_child("Elsewhere")), "Network"),
                replication_group_id="regional",
            ),
        ),
    ),
    Accepted(
        "The name of an imported store may be a token.",
        lambda it: _imported_group(it, replication_group_id=cdk.Fn.import_value("store-name")),
    ),
    Accepted(
        "The address of an imported serverless cache may be a token.",
        lambda it: _imported_cache(it, endpoint=Endpoint(cdk.Fn.import_value("address"), 6379)),
    ),
    Accepted(
        "The endpoint of an imported serverless cache may be one token.",
        lambda it: _imported_cache(it, endpoint=Endpoint.from_text(cdk.Fn.import_value("endpoint"))),
    ),
    Accepted(
        "The maintenance window can begin when the snapshot window ends.",
        lambda it: it.group(
            snapshots=Snapshots.daily(window=SnapshotWindow("04:00-05:00")),
            maintenance_window=MaintenanceWindow("sun:05:00-sun:06:00"),
        ),
    ),
    Accepted(
        "A snapshot is kept for 35 days.",
        lambda it: it.cluster(snapshots=35),
    ),
    Accepted(
        "A serverless cache can have 1 to 5,000 GB.",
        lambda it: it.serverless(usage_limits=UsageLimits(data_storage_gb=(1, 5_000))),
    ),
    Accepted(
        "An alarm can have ten metrics.",
        lambda it: _alarm(it, shards=5),
    ),
    Accepted(
        "An alarm over one node of a large store has one metric.",
        lambda it: (
            it.group(shards=6)
            .metric_cpu(node="0006-001")
            .create_alarm(it.scope, "Alarm", threshold=80, evaluation_periods=3)
        ),
    ),
    Accepted(
        "A shard that was added later can have a higher number than the store has shards.",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.group(shards=3), shard="0005"),
    ),
    Accepted(
        "A member may repeat the values of its Multi-Region cluster.",
        lambda it: _member(it, shards=2, node_type="db.r7g.xlarge", engine="valkey:7.3"),
    ),
    Accepted(
        "A global datastore can be imported by its id.",
        lambda it: _secondary(it, _imported_global(it), it.stack),
    ),
]
