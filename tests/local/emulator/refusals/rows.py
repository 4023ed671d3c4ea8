"""Mistakes in templates of L1 constructs: legal properties, what is wrong, and the words that AWS refuses it with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cdk_redis_local._emulator.refusals.access import ACL, MEMORYDB_USER, USER, USER_GROUP
from cdk_redis_local._emulator.refusals.groups import MEMORYDB_PARAMETERS, MEMORYDB_SUBNETS, PARAMETERS, SUBNETS
from cdk_redis_local._emulator.refusals.stores import CLUSTER, GROUP, SERVERLESS

Resource = dict[str, Any]
PASSWORD = {"Type": "password", "Passwords": ["sixteen-letters!"]}
GONE = object()
"""The value of a property that the mistake leaves out."""


@dataclass(frozen=True)
class Mistake:
    """A resource that AWS refuses.

    Attributes:
        rule: What is wrong, in the words of a test's name.
        type: The resource type.
        legal: Properties that AWS accepts.
        wrong: The properties that it refuses beside the others.
        words: The message of AWS, or its characteristic part.
        beside: Other resources of the template, which exist before.
    """

    rule: str
    type: str
    legal: dict[str, Any]
    wrong: dict[str, Any]
    words: str
    beside: dict[str, Resource] = field(default_factory=dict[str, Resource])

    @property
    def properties(self) -> dict[str, Any]:
        """All properties of the resource with the mistake."""
        return {name: value for name, value in {**self.legal, **self.wrong}.items() if value is not GONE}


def group(**more: Any) -> dict[str, Any]:
    """A legal replication group without cluster mode."""
    return {
        "ReplicationGroupDescription": "a group",
        "Engine": "redis",
        "EngineVersion": "7.0",
        "CacheNodeType": "cache.t4g.small",
        "TransitEncryptionEnabled": True,
        "NumCacheClusters": 2,
        **more,
    }


def sharded(**more: Any) -> dict[str, Any]:
    """A legal replication group in cluster mode."""
    legal = group(**{"NumNodeGroups": 2, "ReplicasPerNodeGroup": 1, **more})
    del legal["NumCacheClusters"]
    return legal


def cluster(**more: Any) -> dict[str, Any]:
    """A legal MemoryDB cluster."""
    name = {"ClusterName": "refused", "NodeType": "db.t4g.small", "ACLName": "open-access"}
    return {**name, "Engine": "redis", "EngineVersion": "7.0", **more}


def serverless(**more: Any) -> dict[str, Any]:
    """A legal serverless cache."""
    return {"ServerlessCacheName": "refused", "Engine": "redis", "MajorEngineVersion": "7", **more}


def user(**more: Any) -> dict[str, Any]:
    """A legal ElastiCache user."""
    names = {"UserId": "refused", "UserName": "refused", "Engine": "redis"}
    return {**names, "AccessString": "on ~* +@read", "AuthenticationMode": PASSWORD, **more}


def memorydb_user(**more: Any) -> dict[str, Any]:
    """A legal MemoryDB user."""
    return {"UserName": "refused", "AccessString": "on ~* +@read", "AuthenticationMode": PASSWORD, **more}


def parameters(**settings: Any) -> dict[str, Any]:
    """A legal parameter group of ElastiCache."""
    return {"CacheParameterGroupFamily": "redis7", "Description": "p", "Properties": settings}


def memorydb_parameters(**more: Any) -> dict[str, Any]:
    """A legal parameter group of MemoryDB."""
    return {"ParameterGroupName": "refused", "Family": "memorydb_redis7", **more}


DEFAULT_USER: Resource = {"Type": USER, "Properties": user(UserId="nobody", UserName="default")}
VALKEY_USER: Resource = {
    "Type": USER,
    "Properties": user(UserId="valkey-user", UserName="valkey-user", Engine="valkey"),
}
OPEN_USER: Resource = {
    "Type": USER,
    "Properties": user(
        UserId="open-user",
        UserName="open-user",
        Engine="valkey",
        AuthenticationMode={"Type": "no-password-required"},
    ),
}
VALKEY_GROUP: Resource = {
    "Type": USER_GROUP,
    "DependsOn": "User",
    "Properties": {"UserGroupId": "valkey-users", "Engine": "valkey", "UserIds": ["valkey-user"]},
}
REDIS_GROUP: Resource = {
    "Type": USER_GROUP,
    "DependsOn": "Default",
    "Properties": {"UserGroupId": "redis-users", "Engine": "redis", "UserIds": ["nobody"]},
}
OLD_PARAMETERS: Resource = {
    "Type": MEMORYDB_PARAMETERS,
    "Properties": memorydb_parameters(ParameterGroupName="old", Family="memorydb_redis6"),
}
NEW_PARAMETERS: Resource = {
    "Type": MEMORYDB_PARAMETERS,
    "Properties": memorydb_parameters(ParameterGroupName="new"),
}
KEY = "arn:aws:kms:us-east-1:000000000000:key/4711"
FOREIGN_KEY = "arn:aws:kms:eu-west-1:000000000000:key/4711"
ENCRYPTED = {"AtRestEncryptionEnabled": True, "KmsKeyId": KEY}

SCHEMA = [
    Mistake(
        "a required property is missing",
        GROUP,
        group(),
        {"ReplicationGroupDescription": GONE},
        "Required property [ReplicationGroupDescription] not found",
    ),
    Mistake("a property does not exist", GROUP, group(), {"Shards": 3}, "Unsupported property [Shards]"),
    Mistake(
        "a number is text",
        GROUP,
        group(Port=6379),
        {"Port": "redis"},
        "Property [Port] expected type: Integer, found: String",
    ),
    Mistake("too many nodes", GROUP, group(NumCacheClusters=6), {"NumCacheClusters": 7}, "7 is not less or equal to 6"),
    Mistake(
        "too many replicas",
        GROUP,
        sharded(ReplicasPerNodeGroup=5),
        {"ReplicasPerNodeGroup": 6},
        "6 is not less or equal to 5",
    ),
    Mistake(
        "cluster mode is on",
        GROUP,
        sharded(ClusterMode="Enabled"),
        {"ClusterMode": "on"},
        "on is not a valid enum value. Supported values: [compatible, disabled, enabled]",
    ),
    Mistake(
        "TLS is optional",
        GROUP,
        group(TransitEncryptionMode="preferred"),
        {"TransitEncryptionMode": "optional"},
        "optional is not a valid enum value. Supported values: [preferred, required]",
    ),
    Mistake(
        "an authentication mode is written as Python writes it",
        USER,
        user(AuthenticationMode={"Type": "iam"}),
        {"AuthenticationMode": {"type": "iam"}},
        "Required property [Type] not found",
    ),
    Mistake("an access string is blank", USER, user(), {"AccessString": " "}, "constraint for keyword [pattern]"),
    Mistake(
        "a user of Memcached",
        USER,
        user(),
        {"Engine": "memcached"},
        "memcached is not a valid enum value. Supported values: [redis, valkey]",
    ),
    Mistake(
        "a user is listed twice",
        USER_GROUP,
        {"UserGroupId": "refused", "Engine": "valkey", "UserIds": []},
        {"UserIds": ["one", "one"]},
        "array items are not unique",
    ),
    Mistake("a cluster has no list of users", CLUSTER, cluster(), {"ACLName": GONE}, "property [ACLName] not found"),
    Mistake(
        "a user of MemoryDB needs no password",
        MEMORYDB_USER,
        memorydb_user(),
        {"AuthenticationMode": {"Type": "no-password-required"}},
        "no-password-required is not a valid enum value. Supported values: [password, iam]",
    ),
    Mistake(
        "a user of MemoryDB has three passwords",
        MEMORYDB_USER,
        memorydb_user(),
        {"AuthenticationMode": {"Type": "password", "Passwords": [letter * 16 for letter in "abc"]}},
        "expected maximum item count: 2, found: 3",
    ),
    Mistake(
        "a serverless cache has no engine", SERVERLESS, serverless(), {"Engine": GONE}, "property [Engine] not found"
    ),
    Mistake(
        "a log that CloudFormation does not know",
        GROUP,
        group(LogDeliveryConfigurations=[]),
        {
            "LogDeliveryConfigurations": [
                {
                    "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "logs"}},
                    "DestinationType": "cloudwatch-logs",
                    "LogFormat": "json",
                    "LogType": "command-log",
                }
            ]
        },
        "command-log is not a valid enum value. Supported values: [engine-log, slow-log]",
    ),
    Mistake(
        "a tag of AWS",
        ACL,
        {"ACLName": "refused"},
        {"Tags": [{"Key": "aws:team", "Value": "data"}]},
        "failed validation constraint for keyword [pattern]",
    ),
]
"""What CloudFormation refuses before it changes anything."""

STORES = [
    Mistake(
        "one node fails over, by CloudFormation's default",
        GROUP,
        group(NumCacheClusters=1, AutomaticFailoverEnabled=False),
        {"AutomaticFailoverEnabled": GONE},
        "When using automatic failover, there must be at least 2 cache clusters in the replication group.",
    ),
    Mistake(
        "one node fails over",
        GROUP,
        group(NumCacheClusters=1, AutomaticFailoverEnabled=False),
        {"AutomaticFailoverEnabled": True},
        "Automatic failover requires 2 or more cache clusters.",
    ),
    Mistake(
        "nodes are counted in two ways",
        GROUP,
        sharded(),
        {"NumCacheClusters": 2},
        "NumCacheClusters can only be specified for one node group",
    ),
    Mistake(
        "shards with a parameter group without cluster mode",
        GROUP,
        sharded(CacheParameterGroupName="default.redis7.cluster.on"),
        {"CacheParameterGroupName": "default.redis7"},
        "Use a parameter group with cluster-enabled parameter to create more than one node group.",
    ),
    Mistake(
        "a user group without TLS",
        GROUP,
        group(UserGroupIds=["redis-users"]),
        {"TransitEncryptionEnabled": False},
        "User group based access control requires encryption-in-transit to be enabled on the replication group.",
        {"Default": DEFAULT_USER, "Users": REDIS_GROUP},
    ),
    Mistake(
        "an AUTH token without TLS",
        GROUP,
        group(AuthToken="a-token-of-sixteen"),
        {"TransitEncryptionEnabled": False},
        "The AUTH token is only supported when encryption-in-transit is enabled",
    ),
    Mistake(
        "an AUTH token with a slash",
        GROUP,
        group(AuthToken="a-token-of-sixteen"),
        {"AuthToken": "a/token/of/sixteen"},
        "Invalid AuthToken provided.",
    ),
    Mistake(
        "a key without encryption at rest",
        GROUP,
        group(**ENCRYPTED),
        {"AtRestEncryptionEnabled": GONE},
        "Please enable encryption at rest to use Customer Managed CMK",
    ),
    Mistake("a key of another Region", GROUP, group(**ENCRYPTED), {"KmsKeyId": FOREIGN_KEY}, "KMS key does not exist"),
    Mistake(
        "a snapshotting node in cluster mode",
        GROUP,
        sharded(),
        {"SnapshottingClusterId": "refused-0001"},
        "Cannot set snapshotting cluster for cluster mode enabled replication group.",
    ),
    Mistake(
        "fewer zones than nodes",
        GROUP,
        group(PreferredCacheClusterAZs=["us-east-1a", "us-east-1b"]),
        {"PreferredCacheClusterAZs": ["us-east-1a"]},
        "Must specify the same number of preferred availability zones as requested number of nodes",
    ),
    Mistake(
        "a port that is reserved",
        GROUP,
        group(Port=8004),
        {"Port": 8005},
        "Invalid endpoint port: 8005. Valid range is 1150-8004,8006-65535",
    ),
    Mistake(
        "snapshots are kept too long",
        GROUP,
        group(SnapshotRetentionLimit=35),
        {"SnapshotRetentionLimit": 99},
        "Invalid snapshot retention limit: 99. Retention limit must be between 0 and 35.",
    ),
    Mistake(
        "a maintenance window without a day",
        GROUP,
        group(PreferredMaintenanceWindow="Sun:05:00-Sun:06:00"),
        {"PreferredMaintenanceWindow": "05:00-06:00"},
        "Invalid maintenance window format. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi",
    ),
    Mistake(
        "a maintenance window of half an hour",
        GROUP,
        group(PreferredMaintenanceWindow="sun:23:30-mon:00:30"),
        {"PreferredMaintenanceWindow": "sun:23:30-mon:00:00"},
        "Maintenance window must be at least 60 minutes.",
    ),
    Mistake(
        "a snapshot window with a day",
        GROUP,
        group(SnapshotWindow="03:00-04:00"),
        {"SnapshotWindow": "sun:03:00-sun:04:00"},
        "Invalid backup window format. Should be specified as a range hh24:mi-hh24:mi",
    ),
    Mistake(
        "windows overlap",
        GROUP,
        group(PreferredMaintenanceWindow="sun:05:00-sun:06:00", SnapshotWindow="06:00-07:00"),
        {"SnapshotWindow": "04:30-05:30"},
        "The snapshot window and maintenance window must not overlap.",
    ),
    Mistake(
        "a replication group of Memcached",
        GROUP,
        group(),
        {"Engine": "memcached", "EngineVersion": GONE},
        "Specified engine does not support replication.",
    ),
    Mistake(
        "a version with its patch",
        GROUP,
        group(EngineVersion="6.2"),
        {"EngineVersion": "6.2.6"},
        "Specific version selection is not allowed for '6.2.6', please use '6.2'",
    ),
    Mistake(
        "a version that only MemoryDB has",
        GROUP,
        group(Engine="valkey", EngineVersion="7.2"),
        {"EngineVersion": "7.3"},
        "Cannot find version 7.3 for valkey",
    ),
    Mistake(
        "a node type with a typo",
        GROUP,
        group(CacheNodeType="cache.r7g.large"),
        {"CacheNodeType": "cache.r7g.lage"},
        "cache.r7g.lage",
    ),
    Mistake(
        "data tiering without disks",
        GROUP,
        group(CacheNodeType="cache.r6gd.xlarge", DataTieringEnabled=True),
        {"CacheNodeType": "cache.r6g.xlarge"},
        "Data tiering is not supported for the node type cache.r6g.xlarge.",
    ),
    Mistake(
        "an id that ends with a hyphen",
        GROUP,
        group(ReplicationGroupId="Refused"),
        {"ReplicationGroupId": "refused-"},
        "must not end with a hyphen or contain two consecutive hyphens",
    ),
    Mistake(
        "an id of 41 characters",
        GROUP,
        group(ReplicationGroupId="a" * 40),
        {"ReplicationGroupId": "a" * 41},
        "The parameter ReplicationGroupId is not a valid identifier",
    ),
    Mistake(
        "a parameter group that does not exist",
        GROUP,
        group(CacheParameterGroupName="default.redis7"),
        {"CacheParameterGroupName": "default.redis7.0"},
        "CacheParameterGroup not found: default.redis7.0",
    ),
    Mistake(
        "a subnet group that does not exist",
        GROUP,
        group(CacheSubnetGroupName="default"),
        {"CacheSubnetGroupName": "Elsewhere"},
        "Cache Subnet Group Elsewhere does not exist.",
    ),
    Mistake(
        "a user group that does not exist",
        GROUP,
        group(UserGroupIds=["redis-users"]),
        {"UserGroupIds": ["elsewhere"]},
        "User group elsewhere not found.",
        {"Default": DEFAULT_USER, "Users": REDIS_GROUP},
    ),
    Mistake(
        "a store of Redis OSS with users of Valkey",
        SERVERLESS,
        serverless(UserGroupId="redis-users"),
        {"UserGroupId": "valkey-users"},
        "User group valkey-users with engine Valkey",
        {"Default": DEFAULT_USER, "Users": REDIS_GROUP, "User": VALKEY_USER, "ValkeyUsers": VALKEY_GROUP},
    ),
    Mistake(
        "a cluster without TLS and with users",
        CLUSTER,
        cluster(TLSEnabled=False),
        {"ACLName": "theirs"},
        "require TLS to be enabled",
        {"List": {"Type": ACL, "Properties": {"ACLName": "theirs", "UserNames": []}}},
    ),
    Mistake(
        "a cluster with six replicas",
        CLUSTER,
        cluster(NumReplicasPerShard=5),
        {"NumReplicasPerShard": 6},
        "The number of replicas per shard must be within 0 and 5.",
    ),
    Mistake(
        "a cluster on nodes of ElastiCache", CLUSTER, cluster(), {"NodeType": "cache.t4g.small"}, "cache.t4g.small"
    ),
    Mistake(
        "a cluster with data tiering without disks",
        CLUSTER,
        cluster(NodeType="db.r6gd.xlarge", DataTiering="true"),
        {"NodeType": "db.r6g.large"},
        "Data tiering is not supported for the node type db.r6g.large.",
    ),
    Mistake("a cluster with two hyphens", CLUSTER, cluster(), {"ClusterName": "a--b"}, "two consecutive hyphens"),
    Mistake("a list that does not exist", CLUSTER, cluster(), {"ACLName": "elsewhere"}, "ACL elsewhere not found."),
    Mistake(
        "a subnet group of MemoryDB that does not exist",
        CLUSTER,
        cluster(SubnetGroupName="default"),
        {"SubnetGroupName": "elsewhere"},
        "Subnet Group elsewhere does not exist.",
    ),
    Mistake(
        "a parameter group of an older engine",
        CLUSTER,
        cluster(ParameterGroupName="new"),
        {"ParameterGroupName": "old"},
        "Expected a parameter group of family memorydb_redis7 but found one of family memorydb_redis6",
        {"Old": OLD_PARAMETERS, "New": NEW_PARAMETERS},
    ),
    Mistake(
        "a cluster in an hour of maintenance and snapshots",
        CLUSTER,
        cluster(MaintenanceWindow="sun:05:00-sun:06:00", SnapshotWindow="03:00-04:00"),
        {"SnapshotWindow": "05:30-06:30"},
        "The snapshot window and maintenance window must not overlap.",
    ),
]
"""What the services refuse when they create stores."""

USERS = [
    Mistake(
        "a user without authentication",
        USER,
        user(),
        {"AuthenticationMode": GONE},
        "Input Authentication type: null is not in the allowed list: [password,no-password-required,iam]",
    ),
    Mistake(
        "a password where none is required",
        USER,
        user(),
        {"AuthenticationMode": GONE, "NoPasswordRequired": True, "Passwords": ["sixteen-letters!"]},
        "Password field is not allowed with authentication type: no-password-required",
    ),
    Mistake(
        "three passwords",
        USER,
        user(),
        {"AuthenticationMode": {"Type": "password", "Passwords": [letter * 16 for letter in "abc"]}},
        "Maximum number of passwords allowed in this service is 2.",
    ),
    Mistake(
        "a password of fifteen letters",
        USER,
        user(),
        {"AuthenticationMode": {"Type": "password", "Passwords": ["fifteen-letters"]}},
        "Passwords length must be between 16-128 characters.",
    ),
    Mistake(
        "an IAM user with two names",
        USER,
        user(AuthenticationMode={"Type": "iam"}),
        {"UserName": "other"},
        "User Id and User name must be same for authentication type: iam",
    ),
    Mistake(
        "an access string with a password",
        USER,
        user(),
        {"AccessString": "on >secret ~* +@read"},
        "Password rules are not supported in Elasticache access string",
    ),
    Mistake(
        "an access string with a reset",
        USER,
        user(),
        {"AccessString": "on resetkeys ~* +@read"},
        "reset rule is not supported in Elasticache user api",
    ),
    Mistake(
        "an access string with an unknown category",
        USER,
        user(),
        {"AccessString": "on ~* +@reads"},
        "Access string contains invalid category(s)",
    ),
    Mistake(
        "an access string with a bare word",
        USER,
        user(),
        {"AccessString": "on ~* get"},
        "The access-string is invalid.",
    ),
    Mistake(
        "the user default of the service", USER, user(), {"UserId": "default"}, "identifier 'default' already exists"
    ),
    Mistake(
        "a Redis group without a user default",
        USER_GROUP,
        {"UserGroupId": "refused", "Engine": "redis", "UserIds": ["nobody"]},
        {"UserIds": []},
        "User group needs to contain a user with the user name default.",
        {"Default": DEFAULT_USER},
    ),
    Mistake(
        "a Valkey group with a user without a password",
        USER_GROUP,
        {"UserGroupId": "refused", "Engine": "valkey", "UserIds": ["valkey-user"]},
        {"UserIds": ["open-user"]},
        "No password user open-user cannot be added to user group with engine Valkey",
        {"User": VALKEY_USER, "Open": OPEN_USER},
    ),
    Mistake(
        "a Redis group with a user of Valkey",
        USER_GROUP,
        {"UserGroupId": "refused", "Engine": "redis", "UserIds": ["nobody"]},
        {"UserIds": ["nobody", "valkey-user"]},
        "User valkey-user with engine Valkey cannot be added to user group with engine Redis",
        {"Default": DEFAULT_USER, "User": VALKEY_USER},
    ),
    Mistake(
        "a group with a user who does not exist",
        USER_GROUP,
        {"UserGroupId": "refused", "Engine": "valkey", "UserIds": ["valkey-user"]},
        {"UserIds": ["valkey-user", "elsewhere"]},
        "User elsewhere not found.",
        {"User": VALKEY_USER},
    ),
    Mistake(
        "a user id that is taken",
        USER,
        user(),
        {"UserId": "nobody", "UserName": "nobody"},
        "Resource of type 'AWS::ElastiCache::User' with identifier 'nobody' already exists.",
        {"Default": DEFAULT_USER},
    ),
    Mistake(
        "a user of MemoryDB without authentication",
        MEMORYDB_USER,
        memorydb_user(),
        {"AuthenticationMode": GONE},
        "Input Authentication type: null is not in the allowed list",
    ),
    Mistake(
        "a list with a user who does not exist",
        ACL,
        {"ACLName": "refused", "UserNames": []},
        {"UserNames": ["elsewhere"]},
        "User elsewhere not found.",
    ),
    Mistake("the list of the service", ACL, {"ACLName": "refused"}, {"ACLName": "open-access"}, "already exists"),
    Mistake(
        "a family with a point",
        PARAMETERS,
        parameters(),
        {"CacheParameterGroupFamily": "redis7.x"},
        "CacheParameterGroupFamily redis7.x is not a valid parameter group family.",
    ),
    Mistake(
        "a parameter with a typo",
        PARAMETERS,
        parameters(timeout="20"),
        {"Properties": {"time-out": "20"}},
        "Could not find parameter with name: time-out",
    ),
    Mistake(
        "a parameter out of range",
        PARAMETERS,
        parameters(timeout="20"),
        {"Properties": {"timeout": "10"}},
        "The parameter timeout has an invalid value: 10.",
    ),
    Mistake(
        "a family of ElastiCache",
        MEMORYDB_PARAMETERS,
        memorydb_parameters(),
        {"Family": "valkey8"},
        "ParameterGroupFamily valkey8 is not a valid parameter group family.",
    ),
    Mistake(
        "a subnet group without subnets",
        SUBNETS,
        {"Description": "s", "SubnetIds": ["subnet-1"]},
        {"SubnetIds": []},
        "The parameter SubnetIds must be provided.",
    ),
    Mistake(
        "a subnet group of MemoryDB without subnets",
        MEMORYDB_SUBNETS,
        {"SubnetGroupName": "refused", "SubnetIds": ["subnet-1"]},
        {"SubnetIds": []},
        "The parameter SubnetIds must be provided.",
    ),
]
"""What the services refuse of users, user groups, access control lists, parameter groups and subnet groups."""

MISTAKES = [*SCHEMA, *STORES, *USERS]
