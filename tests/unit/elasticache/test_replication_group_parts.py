"""Templates and errors of rarely used parameters of replication groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    Durability,
    Endpoint,
    Engine,
    IpDiscovery,
    LogDelivery,
    LogFormat,
    NetworkType,
    RedisNetwork,
    ReplicationGroup,
    Restore,
    ShardPlacement,
    SmokeTest,
    Snapshots,
    TransitEncryptionMode,
)
from cdk_redis._elasticache.parameter_names import known_parameters

GROUP = "AWS::ElastiCache::ReplicationGroup"
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


@pytest.fixture
def network(stack: cdk.Stack) -> RedisNetwork:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=ZONES,
        isolated_subnet_ids=["subnet-1", "subnet-2", "subnet-3"],
        isolated_subnet_route_table_ids=["rtb-1", "rtb-2", "rtb-3"],
    )
    return RedisNetwork(stack, "Network", vpc=vpc)


def _properties(stack: cdk.Stack, resource_type: str = GROUP) -> dict[str, Any]:
    (resource,) = Template.from_stack(stack).find_resources(resource_type).values()
    return resource["Properties"]


DURABLE = {"engine": Engine.valkey("9.0"), "node_type": "cache.r7g.large", "shards": 1}
SET: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "durability": ({**DURABLE, "durability": Durability.SYNC}, {"Durability": "sync"}),
    "dual stack": (
        {"network_type": NetworkType.DUAL_STACK, "ip_discovery": IpDiscovery.IPV6},
        {"NetworkType": "dual_stack", "IpDiscovery": "ipv6"},
    ),
    "IPv4 is left out": ({}, {"NetworkType": Match.absent(), "IpDiscovery": Match.absent()}),
    "a snapshot": ({"restore": Restore.from_snapshot("old")}, {"SnapshotName": "old", "SnapshotArns": Match.absent()}),
    "files": (
        {"restore": Restore.from_s3("arn:aws:s3:::backups/old.rdb")},
        {
            "SnapshotArns": ["arn:aws:s3:::backups/old.rdb"],
            "NodeGroupConfiguration": Match.absent(),
            "ReplicasPerNodeGroup": 1,
        },
    ),
    "files in cluster mode have slots": (
        {"restore": Restore.from_s3("arn:aws:s3:::backups/old.rdb"), "shards": 3},
        {
            "NumNodeGroups": 3,
            "ReplicasPerNodeGroup": Match.absent(),
            "NodeGroupConfiguration": [
                {"NodeGroupId": "0001", "ReplicaCount": 1, "Slots": "0-5460"},
                {"NodeGroupId": "0002", "ReplicaCount": 1, "Slots": "5461-10921"},
                {"NodeGroupId": "0003", "ReplicaCount": 1, "Slots": "10922-16383"},
            ],
        },
    ),
    "placement": (
        {"placement": [ShardPlacement("eu-west-1a", "eu-west-1b")]},
        {
            "NumNodeGroups": 1,
            "ReplicasPerNodeGroup": Match.absent(),
            "PreferredCacheClusterAZs": Match.absent(),
            "NodeGroupConfiguration": [
                {
                    "NodeGroupId": "0001",
                    "PrimaryAvailabilityZone": "eu-west-1a",
                    "ReplicaAvailabilityZones": ["eu-west-1b"],
                    "ReplicaCount": 1,
                }
            ],
        },
    ),
    "placement without replicas": (
        {"replicas": 0, "placement": [ShardPlacement("eu-west-1c")]},
        {
            "NodeGroupConfiguration": [
                {"NodeGroupId": "0001", "PrimaryAvailabilityZone": "eu-west-1c", "ReplicaCount": 0}
            ]
        },
    ),
    "cluster mode off": ({}, {"ClusterMode": "disabled"}),
    "the first step to cluster mode": ({"cluster_mode_compatible": True}, {"ClusterMode": "compatible"}),
    "the second step to cluster mode": ({"shards": 1}, {"ClusterMode": "enabled"}),
    "an engine that cannot move to cluster mode": ({"engine": Engine.redis("6.2")}, {"ClusterMode": Match.absent()}),
    "the first step to TLS": (
        {"transit_encryption_mode": TransitEncryptionMode.PREFERRED, "unsafe_open_access": True},
        {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred", "UserGroupIds": Match.absent()},
    ),
    "the second step to TLS": (
        {"transit_encryption_mode": TransitEncryptionMode.REQUIRED},
        {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "required"},
    ),
    "plaintext": (
        {"unsafe_plaintext": True, "unsafe_open_access": True},
        {"TransitEncryptionEnabled": False, "UserGroupIds": Match.absent(), "AuthToken": Match.absent()},
    ),
    "an old engine without users": (
        {"engine": Engine.redis("5.0.6"), "authentication": Authentication.auth_token()},
        {"AuthToken": Match.any_value(), "UserGroupIds": Match.absent()},
    ),
}


@pytest.mark.parametrize(("given", "expected"), SET.values(), ids=SET.keys())
def test_a_parameter_reaches_the_template(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    ReplicationGroup(stack, "Cache", network=network, **given)

    Template.from_stack(stack).has_resource_properties(GROUP, expected)


def test_both_steps_to_cluster_mode_use_the_same_new_parameter_group(stack: cdk.Stack, network: RedisNetwork) -> None:
    steps = ({}, {"cluster_mode_compatible": True}, {"shards": 1})
    for number, step in enumerate(steps):
        ReplicationGroup(stack, f"Step{number}", network=network, **step)

    ids = list(Template.from_stack(stack).find_resources("AWS::ElastiCache::ParameterGroup"))
    assert [name.removeprefix(f"Step{number}")[:-8] for number, name in enumerate(ids)] == [
        "Parameters",
        "ClusterParameters",
        "ClusterParameters",
    ]


def test_a_created_key_is_rotated_and_retained(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, create_kms_key=True)

    assert cache.kms_key is not None
    Template.from_stack(stack).has_resource(
        "AWS::KMS::Key", {"Properties": {"EnableKeyRotation": True}, "DeletionPolicy": "Retain"}
    )
    assert _properties(stack)["KmsKeyId"] == stack.resolve(cache.kms_key.key_arn)


def test_parameters_and_extra_parameters_reach_the_parameter_group(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(
        stack, "Cache", network=network, parameters={"timeout": "20"}, extra_parameters={"newer-than-this": "yes"}
    )

    group = _properties(stack, "AWS::ElastiCache::ParameterGroup")
    assert group["Properties"] == {"timeout": "20", "newer-than-this": "yes"}
    (parameter_group,) = Template.from_stack(stack).find_resources("AWS::ElastiCache::ParameterGroup")
    assert _properties(stack)["CacheParameterGroupName"] == {"Ref": parameter_group}


def test_a_topic_receives_notifications(stack: cdk.Stack, network: RedisNetwork) -> None:
    topic = sns.Topic(stack, "Topic")
    ReplicationGroup(stack, "Cache", network=network, notification_topic=topic)

    assert _properties(stack)["NotificationTopicArn"] == stack.resolve(topic.topic_arn)


def test_a_created_log_group_has_the_vendedlogs_prefix(stack: cdk.Stack, network: RedisNetwork) -> None:
    key = kms.Key(stack, "Key")
    ReplicationGroup(
        stack,
        "Cache",
        network=network,
        log_delivery=[LogDelivery.slow_log(retention=logs.RetentionDays.ONE_WEEK, encryption_key=key)],
    )

    properties = _properties(stack, "AWS::Logs::LogGroup")
    assert properties["RetentionInDays"] == 7
    assert properties["KmsKeyId"] == stack.resolve(key.key_arn)
    (_, (name, uuid)) = properties["LogGroupName"]["Fn::Join"]
    assert name.startswith("/aws/vendedlogs/elasticache/")
    assert uuid == {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    # CloudWatch Logs may use the key for these log groups only.
    (_, statement) = _properties(stack, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    groups = ":logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/elasticache/*"
    condition = {"kms:EncryptionContext:aws:logs:arn": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, groups]]}}
    assert statement["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": condition}
    (delivery,) = _properties(stack)["LogDeliveryConfigurations"]
    assert (delivery["LogType"], delivery["LogFormat"], delivery["DestinationType"]) == (
        "slow-log",
        "json",
        "cloudwatch-logs",
    )


def test_logs_are_sent_to_existing_destinations(stack: cdk.Stack, network: RedisNetwork) -> None:
    group = logs.LogGroup.from_log_group_arn(stack, "Logs", "arn:aws:logs:eu-west-1:111122223333:log-group:mine:*")
    stream = firehose.DeliveryStream.from_delivery_stream_name(stack, "Stream", "logs")
    deliveries = [
        LogDelivery.slow_log(log_group=group, format=LogFormat.TEXT),
        LogDelivery.engine_log(delivery_stream=stream),
    ]
    ReplicationGroup(stack, "Cache", network=network, log_delivery=deliveries)

    assert _properties(stack)["LogDeliveryConfigurations"] == [
        {
            "LogType": "slow-log",
            "LogFormat": "text",
            "DestinationType": "cloudwatch-logs",
            "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "mine"}},
        },
        {
            "LogType": "engine-log",
            "LogFormat": "json",
            "DestinationType": "kinesis-firehose",
            "DestinationDetails": {"KinesisFirehoseDetails": {"DeliveryStream": "logs"}},
        },
    ]
    Template.from_stack(stack).resource_count_is("AWS::Logs::LogGroup", 0)


def test_each_generation_of_an_auth_token_has_its_own_secret(stack: cdk.Stack, network: RedisNetwork) -> None:
    caches = [
        ReplicationGroup(
            stack,
            f"Cache{generation}",
            network=network,
            authentication=Authentication.auth_token(generation=generation),
        )
        for generation in (1, 2)
    ]

    secrets = Template.from_stack(stack).find_resources("AWS::SecretsManager::Secret")
    assert [name[:-8] for name in secrets] == ["Cache1AuthTokenSecret", "Cache2AuthTokenSecret2"]
    for secret in secrets.values():
        assert secret["Properties"]["GenerateSecretString"] == {
            "ExcludePunctuation": True,
            "GenerateStringKey": "password",
            "PasswordLength": 64,
            "SecretStringTemplate": '{"username": "default"}',
        }
    assert caches[0].auth_token is not None
    assert caches[0].users == [caches[0].auth_token]
    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []


def test_an_auth_token_is_read_from_a_version_of_its_secret(stack: cdk.Stack, network: RedisNetwork) -> None:
    secret = secretsmanager.Secret.from_secret_complete_arn(
        stack, "Secret", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:token-abcdef"
    )
    authentication = Authentication.auth_token(secret, version_id="one")
    ReplicationGroup(stack, "Pinned", network=network, authentication=authentication)

    assert (
        _properties(stack)["AuthToken"]
        == f"{{{{resolve:secretsmanager:{secret.secret_arn}:SecretString:password::one}}}}"
    )
    ReplicationGroup(stack, "Unpinned", network=network, authentication=Authentication.auth_token(secret))
    (warning,) = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("has no version_id"))
    assert warning.id == "/Stack/Unpinned/AuthToken"


def test_the_smoke_test_signs_in_according_to_the_store(stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Own")
    stores: dict[str, dict[str, Any]] = {
        "Token": {"authentication": Authentication.auth_token()},
        "Plaintext": {"unsafe_plaintext": True, "unsafe_open_access": True},
        "Preferred": {"transit_encryption_mode": TransitEncryptionMode.PREFERRED, "unsafe_open_access": True},
    }
    for name, parameters in stores.items():
        SmokeTest(stack, f"Test{name}", target=ReplicationGroup(stack, name, network=network, **parameters))

    functions = Template.from_stack(stack).find_resources(
        "AWS::Lambda::Function", {"Properties": {"Handler": "cdk_redis_runtime.smoke_lambda.handler"}}
    )
    found = {
        function_id.removeprefix("Test").partition("Function")[0]: tuple(
            function["Properties"]["Environment"]["Variables"].get(f"CDK_REDIS_{name}")
            for name in ("TLS", "PLAINTEXT", "AUTHENTICATION", "USER")
        )
        for function_id, function in functions.items()
    }
    assert found == {
        "Token": ("true", None, "password", "default"),
        "Plaintext": ("false", None, "none", None),
        "Preferred": ("true", "true", "none", None),
    }


def test_unsafe_parameters_cause_warnings(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, unsafe_plaintext=True, unsafe_open_access=True)

    warnings = [entry.entry.data for entry in Annotations.from_stack(stack).find_warning("*", Match.any_value())]
    assert warnings == [
        "unsafe_open_access: anyone on the network can read and write all data [ack: @cdk-redis:openAccess]",
        "unsafe_plaintext: anyone on the network can read all traffic [ack: @cdk-redis:plaintext]",
    ]


def test_a_given_function_rotates_a_password(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    function = lambda_.Function(
        stack,
        "Rotate",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline("#"),
    )
    cache.add_password_user("legacy", AccessString.read_only("*")).add_rotation(function, every=cdk.Duration.days(7))

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::SecretsManager::RotationSchedule", {"RotationRules": {"ScheduleExpression": "rate(7 days)"}}
    )
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [Match.object_like({"Action": ["elasticache:ModifyUser", "elasticache:DescribeUsers"]})]
                )
            }
        },
    )
    with pytest.raises(ConfigurationError, match="only a user with a password can rotate it; IAM tokens"):
        cache.add_iam_user("app", AccessString.read_only("*")).add_rotation(function)


def test_an_imported_store_has_the_given_attributes(stack: cdk.Stack, network: RedisNetwork) -> None:
    secret = secretsmanager.Secret(stack, "Secret")
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0")
    common = {"endpoint": Endpoint("cache.example.com", 6379), "security_groups": [group], "network": network}
    token = ReplicationGroup.from_replication_group_attributes(
        stack, "Token", replication_group_id="one", auth_token=secret, **common
    )
    plain = ReplicationGroup.from_replication_group_attributes(
        stack, "Plain", replication_group_id="two", unsafe_plaintext=True, unsafe_open_access=True, **common
    )

    assert token.auth_token is not None
    assert token.auth_token.secret is secret
    assert token.users == [token.auth_token]
    assert (plain.open_access, plain.topology.tls, plain.topology.plaintext) == (True, False, True)
    assert Annotations.from_stack(stack).find_warning("*", Match.any_value()) == []


Make = Callable[[], object]
_SCALE = "use one such as cache.r7g.large"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "two keys": (
        {"kms_key": "key", "create_kms_key": True},
        "create_kms_key: got True, but `kms_key` is given; leave out one of the two",
    ),
    "an unknown parameter": (
        {"parameters": {"maxmemory-polcy": "noeviction"}},
        "parameters: got {'maxmemory-polcy': 'noeviction'}, but family valkey8 has no such parameter; "
        "did you mean 'maxmemory-policy'? a parameter that is newer than this library goes into `extra_parameters`",
    ),
    "a removed parameter": (
        {"parameters": {"lazyfree-lazy-expire": "yes"}},
        "parameters: got {'lazyfree-lazy-expire': 'yes'}, but family valkey8 has no such parameter; "
        "a parameter that is newer than this library goes into `extra_parameters`",
    ),
    "a policy that data tiering does not support": (
        {"node_type": "cache.r6gd.xlarge", "parameters": {"maxmemory-policy": "allkeys-lfu"}},
        "parameters: got {'maxmemory-policy': 'allkeys-lfu'}, but nodes with data tiering support the policies "
        "noeviction, volatile-lru, allkeys-lru",
    ),
    "a parameter twice": (
        {"parameters": {"timeout": "20"}, "extra_parameters": {"timeout": "30"}},
        "extra_parameters: got {'timeout': '30'}, but `parameters` has it too; leave out one of the two",
    ),
    "cluster mode in extra parameters": (
        {"extra_parameters": {"cluster-enabled": "yes"}},
        "extra_parameters: got {'cluster-enabled': 'yes'}, but cluster mode follows from `shards`; leave it out",
    ),
    "an extra parameter that is not text": (
        {"extra_parameters": {"new": 1}},
        "extra_parameters: got {'new': 1}, but values are text; write '1'",
    ),
    "a log twice": (
        {"log_delivery": [LogDelivery.slow_log(), LogDelivery.slow_log()]},
        "log_delivery: got 'slow-log', but a log has one destination, and this one is listed twice",
    ),
    "a user's authentication": (
        {"authentication": Authentication.iam()},
        "authentication: got 'iam', but a store has users, or an AUTH token; "
        "leave it out and add users, or use Authentication.auth_token()",
    ),
    "a zone without a subnet": (
        {"placement": [ShardPlacement("eu-west-1a", "eu-west-1f")]},
        "placement: got 'eu-west-1f', but the network's subnets are in eu-west-1a, eu-west-1b, eu-west-1c",
    ),
    "shards without placement": (
        {"shards": 2, "placement": [ShardPlacement("eu-west-1a", "eu-west-1b")]},
        "placement: got '1 shards', but the store has 2; place each shard",
    ),
    "durability without cluster mode": (
        {**DURABLE, "shards": None, "durability": Durability.SYNC},
        "durability: got 'sync', but it needs cluster mode; give a number of `shards`",
    ),
    "durability of an older engine": (
        {**DURABLE, "engine": Engine.valkey("8.2"), "durability": Durability.ASYNC},
        "durability: got 'async', but valkey 8.2 does not support it; use Valkey 9.0 or newer",
    ),
    "durability of a small node": (
        {**DURABLE, "node_type": "cache.t4g.small", "durability": Durability.ASYNC},
        "durability: got 'async', but cache.t4g.small does not support it; use a node type such as cache.r7g.large",
    ),
    "durability without replicas": (
        {**DURABLE, "replicas": 0, "durability": Durability.ASYNC},
        "durability: got 'async', but it needs a replica in each shard; raise `replicas`",
    ),
    "a move to cluster mode with an old engine": (
        {"engine": Engine.redis("6.2"), "cluster_mode_compatible": True},
        "cluster_mode_compatible: got True, but redis 6.2 cannot move to cluster mode; "
        "upgrade it to Valkey, or to Redis OSS 7.0 or newer, in a separate deployment",
    ),
    "a move to cluster mode with a single node": (
        {"replicas": 0, "cluster_mode_compatible": True},
        "cluster_mode_compatible: got True, but the move to cluster mode needs automatic failover; add a replica",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_invalid_parameters_are_refused(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, Any], message: str
) -> None:
    if "kms_key" in given:
        given = {**given, "kms_key": kms.Key(stack, "Key")}
    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network, **given)

    assert str(caught.value) == f"Stack/Cache: {message}"


SCALED: dict[str, tuple[dict[str, Any], Callable[[ReplicationGroup], object], str]] = {
    "a burstable node": (
        {"shards": 2},
        lambda cache: cache.scale_shards(minimum=1, maximum=3),
        f"Stack/Cache: node_type: got 'cache.t4g.small', but ElastiCache does not scale these nodes; {_SCALE}",
    ),
    "too many replicas": (
        {"shards": 2, "node_type": "cache.r7g.large"},
        lambda cache: cache.scale_replicas(minimum=1, maximum=6),
        "Stack/Cache: maximum: got 6, but a store scales from 1 to 5 replicas",
    ),
    "a store with placement": (
        {
            "shards": 1,
            "node_type": "cache.r7g.large",
            "placement": [ShardPlacement("eu-west-1a", "eu-west-1b")],
        },
        lambda cache: cache.scale_replicas(minimum=1, maximum=2),
        "Stack/Cache: replicas: got 1, but ElastiCache does not scale a store with `placement`; leave out `placement`",
    ),
    "a target out of range": (
        {"shards": 2, "node_type": "cache.r7g.large"},
        lambda cache: cache.scale_shards(minimum=1, maximum=3).track_cpu(90),
        "Stack/Cache/ShardScaling: percent: got 90, but ElastiCache accepts 35 to 70 percent",
    ),
    "a cooldown as text": (
        {"shards": 2, "node_type": "cache.r7g.large"},
        lambda cache: cache.scale_shards(minimum=1, maximum=3).track_cpu(60, scale_in_cooldown=cast("Any", "10m")),
        "Stack/Cache/ShardScaling: scale_in_cooldown: got text, but it takes Duration",
    ),
    "a target that is None": (
        {"shards": 2, "node_type": "cache.r7g.large"},
        lambda cache: cache.scale_replicas(minimum=1, maximum=3).track_cpu(cast("Any", None)),
        "Stack/Cache/ReplicaScaling: percent: got None, but it must have a value; leave it out for the default",
    ),
    "memory of nodes with data tiering": (
        {"shards": 2, "node_type": "cache.r6gd.xlarge"},
        lambda cache: cache.scale_shards(minimum=1, maximum=3).track_memory(60),
        "Stack/Cache/ShardScaling: percent: got 60, but nodes with data tiering use all their memory before their "
        "disks; use `track_capacity`",
    ),
}


@pytest.mark.parametrize(("given", "scale", "message"), SCALED.values(), ids=SCALED.keys())
def test_invalid_scaling_is_refused(
    stack: cdk.Stack,
    network: RedisNetwork,
    given: dict[str, Any],
    scale: Callable[[ReplicationGroup], object],
    message: str,
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, **given)
    with pytest.raises(ConfigurationError) as caught:
        scale(cache)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("family", "has", "lacks"),
    [
        ("redis4.0", "close-on-slave-write", "stream-node-max-bytes"),
        ("redis5.0", "stream-node-max-bytes", "acllog-max-len"),
        ("redis6.x", "lazyfree-lazy-user-del", "latency-tracking"),
        ("redis7", "hash-max-listpack-value", "hash-max-ziplist-value"),
        ("valkey7", "lazyfree-lazy-expire", "extended-redis-compatibility"),
        ("valkey8", "commandlog-reply-larger-than", "lazyfree-lazy-expire"),
        ("valkey9", "cluster-databases", "lua-replicate-commands"),
    ],
)
def test_each_family_has_its_parameters(family: str, has: str, lacks: str) -> None:
    known = known_parameters(family)

    assert known is not None
    assert {has, "maxmemory-policy"} <= known
    assert lacks not in known


@pytest.mark.parametrize("family", ["valkey10", "memorydb_valkey7", "redis3.2", "mine"])
def test_parameters_of_an_unknown_family_are_not_checked(family: str) -> None:
    assert known_parameters(family) is None


def test_a_log_has_one_destination(stack: cdk.Stack) -> None:
    group = logs.LogGroup(stack, "Logs")
    stream = firehose.DeliveryStream.from_delivery_stream_name(stack, "Stream", "logs")
    with pytest.raises(ConfigurationError) as caught:
        LogDelivery.slow_log(log_group=group, delivery_stream=stream, retention=logs.RetentionDays.ONE_DAY)

    assert str(caught.value) == (
        "LogDelivery.slow_log: 2 problems\n"
        "  - delivery_stream: got 'Stack/Stream', but a log has one destination, and `log_group` is given; choose one\n"
        "  - retention: got 'a value', but it is for a new log group, and a destination is given; "
        "leave it out, or set it on the destination"
    )


def test_snapshots_can_be_turned_off(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, snapshots=Snapshots.off())

    assert _properties(stack)["SnapshotRetentionLimit"] == 0


def test_placement_with_a_token_for_shards_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    shards = cdk.Token.as_number(cdk.Fn.ref("Shards"))

    with pytest.raises(ConfigurationError, match="placement: got 1, but `shards` and `replicas` must be numbers"):
        ReplicationGroup(
            stack, "Cache", network=network, shards=shards, placement=[ShardPlacement("eu-west-1a", "eu-west-1b")]
        )


def test_an_unknown_transit_encryption_mode_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="it must be one of 'preferred', 'required'"):
        ReplicationGroup(stack, "Cache", network=network, transit_encryption_mode="optional")


def test_the_default_port_of_connections_is_the_port_of_the_store(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, port=6380)
    cache.connections.allow_default_port_from(ec2.Peer.ipv4("10.0.0.0/24"))

    rules = [
        rule
        for group in Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroup").values()
        for rule in group["Properties"].get("SecurityGroupIngress", [])
    ]
    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in rules] == [("10.0.0.0/24", 6380, 6380)]
