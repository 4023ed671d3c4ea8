"""Stores as AWS describes them, and what their resource is in a template."""

from __future__ import annotations

from typing import Any, NamedTuple

PLACE = "eu-west-1:111122223333"
ZONES = ("eu-west-1a", "eu-west-1b")
SUBNETS = ("subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2")
GROUP = "sg-0123456789abcdef0"
KEY = "12345678-abcd-4ef0-9876-0123456789ab"

# Service, method, parameters and answer.
Call = tuple[str, str, dict[str, Any], dict[str, Any]]


class Described(NamedTuple):
    """A store that exists.

    Attributes:
        arguments: Arguments of the command.
        calls: The calls to AWS, in order.
        resource_type: Type of its resource.
        properties: The properties that describe it in a template.
    """

    arguments: list[str]
    calls: list[Call]
    resource_type: str
    properties: dict[str, Any]


def _subnets(name: str, vpc: str = "vpc-0123456789abcdef0") -> Call:
    answer = {
        "CacheSubnetGroupName": name,
        "CacheSubnetGroupDescription": "Orders",
        "VpcId": vpc,
        "Subnets": [
            {"SubnetIdentifier": subnet, "SubnetAvailabilityZone": {"Name": zone}}
            for subnet, zone in reversed(list(zip(SUBNETS, ZONES, strict=True)))
        ],
    }
    parameters = {"CacheSubnetGroupName": name}
    return "elasticache", "describe_cache_subnet_groups", parameters, {"CacheSubnetGroups": [answer]}


def _tags(name: str, **tags: str) -> Call:
    answer = {"TagList": [{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]}
    return "elasticache", "list_tags_for_resource", {"ResourceName": f"arn:aws:elasticache:{PLACE}:{name}"}, answer


def _node(group: str, **node: Any) -> Call:
    first = f"{group}-001"
    answer = {
        "CacheClusterId": first,
        "ReplicationGroupId": group,
        "Engine": "redis",
        "CacheSubnetGroupName": group,
        "SecurityGroups": [{"SecurityGroupId": GROUP, "Status": "active"}],
        "PreferredMaintenanceWindow": "wed:03:00-wed:04:00",
        **node,
    }
    parameters = {"CacheClusterId": first, "ShowCacheNodeInfo": True}
    return "elasticache", "describe_cache_clusters", parameters, {"CacheClusters": [answer]}


def shard(number: int, nodes: int, port: int = 6379) -> dict[str, Any]:
    return {
        "NodeGroupId": f"{number:04}",
        "Status": "available",
        "PrimaryEndpoint": {"Address": "orders.abcdef.ng.0001.euw1.cache.amazonaws.com", "Port": port},
        "NodeGroupMembers": [{"CacheClusterId": f"orders-{number:04}-{node:03}"} for node in range(nodes)],
    }


def _group(name: str, **group: Any) -> Call:
    answer = {
        "ReplicationGroupId": name,
        "Description": name,
        "Status": "available",
        "MemberClusters": [f"{name}-001", f"{name}-002"],
        "ARN": f"arn:aws:elasticache:{PLACE}:replicationgroup:{name}",
        **group,
    }
    parameters = {"ReplicationGroupId": name}
    return "elasticache", "describe_replication_groups", parameters, {"ReplicationGroups": [answer]}


# As cloudposse/elasticache-redis made it years ago: no encryption, no authentication, no failover.
OLD = Described(
    ["--replication-group", "sessions", "--region", "eu-west-1"],
    [
        _group(
            "sessions",
            NodeGroups=[shard(1, 2)],
            AutomaticFailover="disabled",
            MultiAZ="disabled",
            ClusterEnabled=False,
            CacheNodeType="cache.t2.medium",
            AuthTokenEnabled=False,
            TransitEncryptionEnabled=False,
            AtRestEncryptionEnabled=False,
            AutoMinorVersionUpgrade=False,
            SnapshotRetentionLimit=0,
            SnapshotWindow="06:30-07:30",
            LogDeliveryConfigurations=[],
            DataTiering="disabled",
            NetworkType="ipv4",
            IpDiscovery="ipv4",
            ClusterMode="disabled",
        ),
        _node(
            "sessions",
            EngineVersion="6.2.6",
            CacheParameterGroup={"CacheParameterGroupName": "default.redis6.x", "ParameterApplyStatus": "in-sync"},
        ),
        _subnets("sessions"),
        _tags("replicationgroup:sessions", team="shop", aws_cloudformation="x"),
    ],
    "AWS::ElastiCache::ReplicationGroup",
    {
        "ReplicationGroupId": "sessions",
        "ReplicationGroupDescription": "sessions",
        "Engine": "redis",
        "EngineVersion": "6.2",
        "CacheNodeType": "cache.t2.medium",
        "NumNodeGroups": 1,
        "ReplicasPerNodeGroup": 1,
        "AutomaticFailoverEnabled": False,
        "MultiAZEnabled": False,
        "Port": 6379,
        "CacheSubnetGroupName": "sessions",
        "SecurityGroupIds": [GROUP],
        "CacheParameterGroupName": "default.redis6.x",
        "TransitEncryptionEnabled": False,
        "AtRestEncryptionEnabled": False,
        "AutoMinorVersionUpgrade": False,
        "SnapshotRetentionLimit": 0,
        "PreferredMaintenanceWindow": "wed:03:00-wed:04:00",
        "Tags": [{"Key": "team", "Value": "shop"}],
    },
)

# Everything that a replication group can have, in a version that the library does not know.
NEW = Described(
    ["--replication-group", "orders"],
    [
        _group(
            "orders",
            Description='Orders of "shop"  # Engine(1)',
            NodeGroups=[shard(1, 3), shard(2, 3)],
            ConfigurationEndpoint={"Address": "orders.abcdef.clustercfg.euw1.cache.amazonaws.com", "Port": 6380},
            AutomaticFailover="enabled",
            MultiAZ="enabled",
            ClusterEnabled=True,
            CacheNodeType="cache.r7g.large",
            TransitEncryptionEnabled=True,
            TransitEncryptionMode="preferred",
            AtRestEncryptionEnabled=True,
            KmsKeyId=KEY,
            UserGroupIds=["shop"],
            AutoMinorVersionUpgrade=True,
            SnapshotRetentionLimit=7,
            SnapshotWindow="02:00-03:00",
            NetworkType="dual_stack",
            IpDiscovery="ipv6",
            ClusterMode="enabled",
            LogDeliveryConfigurations=[
                {
                    "LogType": "slow-log",
                    "DestinationType": "cloudwatch-logs",
                    "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/orders/slow"}},
                    "LogFormat": "json",
                    "Status": "active",
                },
                {
                    "LogType": "engine-log",
                    "DestinationType": "kinesis-firehose",
                    "DestinationDetails": {"KinesisFirehoseDetails": {"DeliveryStream": "orders-engine"}},
                    "LogFormat": "text",
                    "Status": "active",
                },
            ],
        ),
        _node(
            "orders",
            Engine="valkey",
            EngineVersion="12.1.0",
            CacheParameterGroup={"CacheParameterGroupName": "orders"},
            NotificationConfiguration={"TopicArn": f"arn:aws:sns:{PLACE}:shop", "TopicStatus": "active"},
        ),
        _subnets("orders"),
        (
            "elasticache",
            "describe_cache_parameter_groups",
            {"CacheParameterGroupName": "orders"},
            {"CacheParameterGroups": [{"CacheParameterGroupName": "orders", "CacheParameterGroupFamily": "valkey12"}]},
        ),
        _tags("replicationgroup:orders"),
    ],
    "AWS::ElastiCache::ReplicationGroup",
    {
        "ReplicationGroupId": "orders",
        "ReplicationGroupDescription": 'Orders of "shop"  # Engine(1)',
        "Engine": "valkey",
        "EngineVersion": "12.1",
        "CacheNodeType": "cache.r7g.large",
        "NumNodeGroups": 2,
        "ReplicasPerNodeGroup": 2,
        "ClusterMode": "enabled",
        "AutomaticFailoverEnabled": True,
        "MultiAZEnabled": True,
        "Port": 6380,
        "CacheSubnetGroupName": "orders",
        "SecurityGroupIds": [GROUP],
        "CacheParameterGroupName": "orders",
        "UserGroupIds": ["shop"],
        "TransitEncryptionEnabled": True,
        "TransitEncryptionMode": "preferred",
        "AtRestEncryptionEnabled": True,
        "KmsKeyId": f"arn:aws:kms:{PLACE}:key/{KEY}",
        "AutoMinorVersionUpgrade": True,
        "NetworkType": "dual_stack",
        "IpDiscovery": "ipv6",
        "SnapshotRetentionLimit": 7,
        "SnapshotWindow": "02:00-03:00",
        "PreferredMaintenanceWindow": "wed:03:00-wed:04:00",
        "NotificationTopicArn": f"arn:aws:sns:{PLACE}:shop",
        "LogDeliveryConfigurations": [
            {
                "LogType": "slow-log",
                "DestinationType": "cloudwatch-logs",
                "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/orders/slow"}},
                "LogFormat": "json",
            },
            {
                "LogType": "engine-log",
                "DestinationType": "kinesis-firehose",
                "DestinationDetails": {"KinesisFirehoseDetails": {"DeliveryStream": "orders-engine"}},
                "LogFormat": "text",
            },
        ],
    },
)

SERVERLESS = Described(
    ["--serverless-cache", "carts"],
    [
        (
            "elasticache",
            "describe_serverless_caches",
            {"ServerlessCacheName": "carts"},
            {
                "ServerlessCaches": [
                    {
                        "ServerlessCacheName": "carts",
                        "Description": "Carts",
                        "Status": "available",
                        "Engine": "valkey",
                        "MajorEngineVersion": "8",
                        "FullEngineVersion": "8.1",
                        "CacheUsageLimits": {
                            "DataStorage": {"Maximum": 10, "Unit": "GB"},
                            "ECPUPerSecond": {"Minimum": 1000, "Maximum": 5000},
                        },
                        "KmsKeyId": f"arn:aws:kms:{PLACE}:key/{KEY}",
                        "SecurityGroupIds": [GROUP],
                        "ARN": f"arn:aws:elasticache:{PLACE}:serverlesscache:carts",
                        "UserGroupId": "shop",
                        "SubnetIds": list(SUBNETS),
                        "SnapshotRetentionLimit": 1,
                        "DailySnapshotTime": "03:30",
                    }
                ]
            },
        ),
        (
            "ec2",
            "describe_subnets",
            {"SubnetIds": list(SUBNETS)},
            {
                "Subnets": [
                    {"SubnetId": subnet, "VpcId": "vpc-0123456789abcdef0", "AvailabilityZone": zone}
                    for subnet, zone in zip(SUBNETS, ZONES, strict=True)
                ]
            },
        ),
        _tags("serverlesscache:carts"),
    ],
    "AWS::ElastiCache::ServerlessCache",
    {
        "ServerlessCacheName": "carts",
        "Description": "Carts",
        "Engine": "valkey",
        "MajorEngineVersion": "8",
        "CacheUsageLimits": {
            "DataStorage": {"Maximum": 10, "Unit": "GB"},
            "ECPUPerSecond": {"Minimum": 1000, "Maximum": 5000},
        },
        "KmsKeyId": f"arn:aws:kms:{PLACE}:key/{KEY}",
        "SecurityGroupIds": [GROUP],
        "UserGroupId": "shop",
        "SubnetIds": list(SUBNETS),
        "SnapshotRetentionLimit": 1,
        "DailySnapshotTime": "03:30",
    },
)

CLUSTER = Described(
    ["--cluster", "ledger"],
    [
        (
            "memorydb",
            "describe_clusters",
            {"ClusterName": "ledger", "ShowShardDetails": True},
            {
                "Clusters": [
                    {
                        "Name": "ledger",
                        "Status": "available",
                        "NumberOfShards": 2,
                        "Shards": [{"Name": "0001", "NumberOfNodes": 2}, {"Name": "0002", "NumberOfNodes": 2}],
                        "ClusterEndpoint": {"Address": "clustercfg.ledger.abc.memorydb.amazonaws.com", "Port": 6379},
                        "NodeType": "db.r6g.large",
                        "Engine": "redis",
                        "EngineVersion": "7.0",
                        "ParameterGroupName": "default.memorydb-redis7",
                        "SecurityGroups": [{"SecurityGroupId": GROUP, "Status": "active"}],
                        "SubnetGroupName": "ledger",
                        "TLSEnabled": True,
                        "ARN": f"arn:aws:memorydb:{PLACE}:cluster/ledger",
                        "SnapshotRetentionLimit": 0,
                        "SnapshotWindow": "01:00-02:00",
                        "MaintenanceWindow": "sat:05:00-sat:06:00",
                        "ACLName": "open-access",
                        "AutoMinorVersionUpgrade": True,
                        "DataTiering": "false",
                    }
                ]
            },
        ),
        (
            "memorydb",
            "describe_subnet_groups",
            {"SubnetGroupName": "ledger"},
            {
                "SubnetGroups": [
                    {
                        "Name": "ledger",
                        "VpcId": "vpc-0123456789abcdef0",
                        "Subnets": [
                            {"Identifier": subnet, "AvailabilityZone": {"Name": zone}}
                            for subnet, zone in zip(SUBNETS, ZONES, strict=True)
                        ],
                    }
                ]
            },
        ),
        ("memorydb", "list_tags", {"ResourceArn": f"arn:aws:memorydb:{PLACE}:cluster/ledger"}, {"TagList": []}),
    ],
    "AWS::MemoryDB::Cluster",
    {
        "ClusterName": "ledger",
        "NodeType": "db.r6g.large",
        "Engine": "redis",
        "EngineVersion": "7.0",
        "NumShards": 2,
        "NumReplicasPerShard": 1,
        "Port": 6379,
        "SubnetGroupName": "ledger",
        "SecurityGroupIds": [GROUP],
        "ParameterGroupName": "default.memorydb-redis7",
        "ACLName": "open-access",
        "TLSEnabled": True,
        "SnapshotRetentionLimit": 0,
        "MaintenanceWindow": "sat:05:00-sat:06:00",
        "AutoMinorVersionUpgrade": True,
    },
)

DESCRIBED = {"old": OLD, "new": NEW, "serverless": SERVERLESS, "cluster": CLUSTER}
