"""Stores that set all properties, and changes of one parameter at a time, for tests that compare with schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from cdk_redis import (
    AccessString,
    Authentication,
    Durability,
    ElastiCacheParameterGroup,
    ElastiCacheSubnetGroup,
    ElastiCacheUserGroup,
    Engine,
    ExistingResource,
    GlobalDatastore,
    IpDiscovery,
    LogDelivery,
    LogFormat,
    MaintenanceWindow,
    NetworkType,
    Preset,
    RedisNetwork,
    ReplicationGroup,
    Restore,
    SecondaryReplicationGroup,
    ServerlessCache,
    ShardPlacement,
    Snapshots,
    SnapshotWindow,
    TransitEncryptionMode,
    UsageLimits,
)

REPLICATION_GROUP = "AWS::ElastiCache::ReplicationGroup"
REGION = "us-east-1"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")

Parameters = Mapping[str, Any]


class Parts:
    """Arguments of stores: a network, keys, topics and groups, all in one stack."""

    def __init__(self, stack: cdk.Stack) -> None:
        self.stack = stack
        # Imported, so that the zones have names without a lookup in an account.
        vpc = ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=list(ZONES),
            isolated_subnet_ids=[f"subnet-0123456789abcdef{number}" for number in range(3)],
            isolated_subnet_route_table_ids=[f"rtb-0123456789abcdef{number}" for number in range(3)],
        )
        self.network = RedisNetwork(stack, "Network", vpc=vpc)

    def key(self, name: str) -> kms.IKey:
        return kms.Key.from_key_arn(self.stack, name, f"arn:aws:kms:{REGION}:111122223333:key/{name.lower()}")

    def topic(self, name: str) -> sns.ITopic:
        return sns.Topic.from_topic_arn(self.stack, name, f"arn:aws:sns:{REGION}:111122223333:{name}")

    def stream(self, name: str) -> firehose.IDeliveryStream:
        return firehose.DeliveryStream.from_delivery_stream_name(self.stack, name, name)

    def security_group(self, name: str) -> ec2.ISecurityGroup:
        return ec2.SecurityGroup.from_security_group_id(self.stack, name, "sg-0123456789abcdef0")

    def parameter_group(self, name: str) -> object:
        return ElastiCacheParameterGroup.from_parameter_group_name(self.stack, f"{name}Parameters", name.lower())

    def user_group(self, name: str) -> object:
        return ElastiCacheUserGroup(self.stack, f"{name}Users", engine=Engine.valkey("8.1"))

    def subnet_group(self, name: str) -> object:
        return ElastiCacheSubnetGroup.from_subnet_group_name(self.stack, name, name.lower())


def stack() -> cdk.Stack:
    """A stack with a known account and Region."""
    return cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account="111122223333", region=REGION))


def everything() -> cdk.Stack:
    """A stack whose stores together set all properties that the library can set."""
    whole = stack()
    parts = Parts(whole)
    cdk.Tags.of(whole).add("team", "orders")
    sharded = ReplicationGroup(
        whole,
        "Sharded",
        network=parts.network,
        engine=Engine.valkey("9.0"),
        node_type="cache.r7g.large",
        shards=2,
        replicas=1,
        port=6380,
        kms_key=parts.key("Key"),
        parameters={"maxmemory-policy": "allkeys-lru"},
        snapshots=Snapshots.daily(retention_days=15, window=SnapshotWindow("03:00-04:00")),
        maintenance_window=MaintenanceWindow("sun:05:00-sun:06:00"),
        notification_topic=parts.topic("Topic"),
        log_delivery=[LogDelivery.slow_log(), LogDelivery.engine_log(delivery_stream=parts.stream("logs"))],
        network_type=NetworkType.DUAL_STACK,
        ip_discovery=IpDiscovery.IPV6,
        durability=Durability.SYNC,
        replication_group_id="orders",
        restore=Restore.from_snapshot("orders-2026-01-31"),
    )
    sharded.add_iam_user("app", AccessString.read_write("app:*"))
    sharded.add_password_user("legacy", AccessString.read_only("app:*"))
    placed = ReplicationGroup(
        whole,
        "Placed",
        network=parts.network,
        node_type="cache.r6gd.xlarge",
        shards=2,
        placement=[ShardPlacement("us-east-1a", "us-east-1b"), ShardPlacement("us-east-1b", "us-east-1c")],
        restore=Restore.from_s3("arn:aws:s3:::backups/orders.rdb"),
    )
    ReplicationGroup(
        whole,
        "Token",
        network=parts.network,
        authentication=Authentication.auth_token(),
        transit_encryption_mode=TransitEncryptionMode.PREFERRED,
        create_kms_key=True,
    )
    _define_serverless_and_global(whole, parts, placed)
    return whole


def _define_serverless_and_global(whole: cdk.Stack, parts: Parts, primary: ReplicationGroup) -> None:
    ServerlessCache(
        whole,
        "Serverless",
        network=parts.network,
        usage_limits=UsageLimits(data_storage_gb=(1, 10), ecpu_per_second=(1_000, 5_000)),
        kms_key=parts.key("ServerlessKey"),
        snapshots=Snapshots.daily(at="22:00"),
        restore=Restore.from_s3("arn:aws:s3:::backups/orders.rdb"),
        network_type=NetworkType.DUAL_STACK,
    )
    GlobalDatastore(
        whole, "Global", primary=primary, engine=Engine.valkey("8.2"), node_type="cache.r7g.large", shards=3
    )
    SecondaryReplicationGroup(
        whole,
        "Secondary",
        network=parts.network,
        global_datastore=GlobalDatastore.from_global_datastore_attributes(
            whole, "Far", global_replication_group_id="ldgnf-orders", engine=Engine.valkey("8.1")
        ),
    )


# Parameters before and after a change of one parameter, with the other parameters that the change needs.
Change = tuple[Callable[[Parts], Parameters], Callable[[Parts], Parameters]]
CHANGES: dict[str, Change] = {
    "engine": (lambda _: {}, lambda _: {"engine": Engine.valkey("8.2")}),
    "node_type": (lambda _: {}, lambda _: {"node_type": "cache.r7g.large"}),
    "shards": (lambda _: {"shards": 2}, lambda _: {"shards": 3}),
    "replicas": (lambda _: {}, lambda _: {"replicas": 2}),
    "port": (lambda _: {}, lambda _: {"port": 6380}),
    "kms_key": (lambda _: {}, lambda parts: {"kms_key": parts.key("Key")}),
    "create_kms_key": (lambda _: {}, lambda _: {"create_kms_key": True}),
    "secret_kms_key": (
        lambda _: {"authentication": "auth-token"},
        lambda parts: {"authentication": "auth-token", "secret_kms_key": parts.key("SecretKey")},
    ),
    "parameters": (lambda _: {}, lambda _: {"parameters": {"timeout": "300"}}),
    "extra_parameters": (lambda _: {}, lambda _: {"extra_parameters": {"brand-new": "yes"}}),
    "parameter_group": (lambda _: {}, lambda parts: {"parameter_group": parts.parameter_group("Group")}),
    "user_group": (lambda _: {}, lambda parts: {"user_group": parts.user_group("Group")}),
    "snapshots": (
        lambda _: {},
        lambda _: {"snapshots": Snapshots.daily(retention_days=14, window=SnapshotWindow("03:00-04:00"))},
    ),
    "maintenance_window": (
        lambda _: {},
        lambda _: {"maintenance_window": MaintenanceWindow("sun:05:00-sun:06:00")},
    ),
    "auto_minor_version_upgrade": (lambda _: {}, lambda _: {"auto_minor_version_upgrade": False}),
    "authentication": (lambda _: {}, lambda _: {"authentication": Authentication.auth_token()}),
    "log_delivery": (lambda _: {}, lambda _: {"log_delivery": [LogDelivery.slow_log(format=LogFormat.TEXT)]}),
    "notification_topic": (lambda _: {}, lambda parts: {"notification_topic": parts.topic("Topic")}),
    "subnet_group": (
        lambda parts: {"subnet_group": parts.subnet_group("One")},
        lambda parts: {"subnet_group": parts.subnet_group("Two")},
    ),
    "security_groups": (lambda _: {}, lambda parts: {"security_groups": [parts.security_group("Group")]}),
    "network_type": (lambda _: {}, lambda _: {"network_type": NetworkType.DUAL_STACK}),
    "ip_discovery": (
        lambda _: {"network_type": NetworkType.DUAL_STACK, "ip_discovery": IpDiscovery.IPV4},
        lambda _: {"network_type": NetworkType.DUAL_STACK, "ip_discovery": IpDiscovery.IPV6},
    ),
    "placement": (lambda _: {}, lambda _: {"placement": [ShardPlacement("us-east-1a", "us-east-1b")]}),
    "restore": (lambda _: {}, lambda _: {"restore": Restore.from_snapshot("orders")}),
    "durability": (
        lambda _: _durable(Durability.ASYNC),
        lambda _: _durable(Durability.SYNC),
    ),
    "cluster_mode_compatible": (lambda _: {}, lambda _: {"cluster_mode_compatible": True}),
    "transit_encryption_mode": (
        lambda _: {"transit_encryption_mode": TransitEncryptionMode.PREFERRED},
        lambda _: {"transit_encryption_mode": TransitEncryptionMode.REQUIRED},
    ),
    "replication_group_id": (lambda _: {}, lambda _: {"replication_group_id": "orders"}),
    "description": (lambda _: {}, lambda _: {"description": "Orders"}),
    "removal_policy": (lambda _: {}, lambda _: {"removal_policy": cdk.RemovalPolicy.RETAIN}),
    "preset": (lambda _: {}, lambda _: {"preset": Preset.prod()}),
    "adopt": (lambda _: {}, lambda _: {"adopt": ExistingResource("Adopted")}),
    "unsafe_open_access": (lambda _: {}, lambda _: {"unsafe_open_access": True}),
    "unsafe_plaintext": (
        lambda _: {"unsafe_open_access": True},
        lambda _: {"unsafe_plaintext": True, "unsafe_open_access": True},
    ),
    "unsafe_unencrypted_at_rest": (
        lambda _: {"adopt": ExistingResource()},
        lambda _: {"adopt": ExistingResource(), "unsafe_unencrypted_at_rest": True},
    ),
}
# A store cannot move to another network, because a subnet group cannot move to another VPC.
UNCHANGING = frozenset({"self", "scope", "id", "network", "vpc", "vpc_subnets"})


def _durable(durability: Durability) -> Parameters:
    return {
        "engine": Engine.valkey("9.0"),
        "node_type": "cache.r7g.large",
        "shards": 1,
        "durability": durability,
    }
