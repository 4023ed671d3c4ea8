"""The traps that ElastiCache sets, by their numbers: each is impossible to write, or refused at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from cdk_redis import (
    AccessString,
    Authentication,
    ConfigurationError,
    ElastiCacheSubnetGroup,
    ElastiCacheUser,
    Engine,
    LogDelivery,
    MaintenanceWindow,
    RedisNetwork,
    ReplicationGroup,
    ShardPlacement,
    Snapshots,
    SnapshotWindow,
    TransitEncryptionMode,
)

GROUP = "AWS::ElastiCache::ReplicationGroup"
ACCOUNT, REGION = "111122223333", "eu-west-1"  # of the fixture `stack`


Make = Callable[[cdk.Stack, RedisNetwork], object]


def _store(**parameters: Any) -> Make:
    return lambda stack, network: ReplicationGroup(stack, "Cache", network=network, **parameters)


def _with_iam_user(**parameters: Any) -> Make:
    return lambda stack, network: ReplicationGroup(stack, "Cache", network=network, **parameters).add_iam_user(
        "app", AccessString.read_only("*")
    )


def _foreign_key(stack: cdk.Stack, network: RedisNetwork) -> object:
    key = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd")
    return ReplicationGroup(stack, "Cache", network=network, kms_key=key)


def _foreign_topic(stack: cdk.Stack, network: RedisNetwork) -> object:
    topic = sns.Topic.from_topic_arn(stack, "Topic", f"arn:aws:sns:{REGION}:999999999999:events")
    return ReplicationGroup(stack, "Cache", network=network, notification_topic=topic)


def _scaled(what: str, minimum: int, maximum: int, **parameters: Any) -> Make:
    def make(stack: cdk.Stack, network: RedisNetwork) -> object:
        cache = ReplicationGroup(stack, "Cache", network=network, node_type="cache.r7g.large", **parameters)
        return getattr(cache, f"scale_{what}")(minimum=minimum, maximum=maximum)

    return make


_NAME = "lower-case letters, digits and single hyphens, begins with a letter and does not end with a hyphen"
_BASE = "Stack/Cache: "
# Number of the trap, what falls into it, and the whole message.
REFUSED: list[tuple[str, str, Make, str]] = [
    (
        "c-1",
        "an id in upper case",
        _store(replication_group_id="Orders"),
        f"{_BASE}replication_group_id: got 'Orders', but a name has 1 to 40 {_NAME}",
    ),
    (
        "c-1",
        "an id of 41 characters",
        _store(replication_group_id="a" * 41),
        f"{_BASE}replication_group_id: got '{'a' * 41}', but a name has 1 to 40 {_NAME}",
    ),
    (
        "c-1",
        "a subnet group in upper case",
        lambda stack, _: ElastiCacheSubnetGroup.from_subnet_group_name(stack, "Subnets", "Cache"),
        "Stack/Subnets: name: got 'Cache', but groups are named with 1 to 255 lower-case letters, digits and hyphens; "
        "the services store names in lower case, whatever case they were given in",
    ),
    (
        "c-5",
        "the endpoint of the other mode",
        lambda stack, network: ReplicationGroup(stack, "Cache", network=network).configuration_endpoint,
        f"{_BASE}endpoint: got 'configuration_endpoint', but cluster mode is off; use `endpoint`",
    ),
    (
        "c-5",
        "the move to cluster mode in one step",
        _store(shards=1, cluster_mode_compatible=True),
        f"{_BASE}cluster_mode_compatible: got True, but cluster mode is on when `shards` is given; "
        "leave out one of the two",
    ),
    (
        "c-6",
        "cluster mode by hand",
        _store(parameters={"cluster-enabled": "no"}, shards=2),
        f"{_BASE}parameters: got {{'cluster-enabled': 'no'}}, but cluster mode follows from `shards`; leave it out",
    ),
    (
        "c-10",
        "zones fewer than nodes",
        _store(replicas=2, placement=[ShardPlacement(f"{REGION}a", f"{REGION}b")]),
        f"{_BASE}placement[0]: got ('{REGION}a', '{REGION}b'), but a shard here is a primary and 2 replicas; "
        "name as many zones",
    ),
    (
        "c-10",
        "all nodes in one zone",
        _store(placement=[ShardPlacement(f"{REGION}a", f"{REGION}a")]),
        f"{_BASE}placement[0]: got ('{REGION}a', '{REGION}a'), but automatic failover over several zones needs two at "
        "least; place a replica in another zone",
    ),
    (
        "c-12",
        "a version of a secret that is generated",
        lambda *_: Authentication.auth_token(version_id="one"),
        "Authentication: version_id: got 'one', but a generated secret has one version only; "
        "raise `generation`, or give a `secret`",
    ),
    (
        "c-13",
        "users beside an AUTH token",
        _with_iam_user(authentication=Authentication.auth_token()),
        f"{_BASE}name: got 'app', but a store with an AUTH token has no users; sign in as `auth_token`",
    ),
    (
        "c-14",
        "users without TLS",
        _with_iam_user(unsafe_plaintext=True, unsafe_open_access=True),
        f"{_BASE}name: got 'app', but a store with open access has no users; leave out `unsafe_open_access`",
    ),
    (
        "c-14",
        "an AUTH token without TLS",
        _store(unsafe_plaintext=True, authentication=Authentication.auth_token()),
        f"{_BASE}unsafe_plaintext: got True, but ElastiCache has neither users nor an AUTH token without TLS: everyone "
        "can connect; set `unsafe_open_access` as well",
    ),
    (
        "c-15",
        "the move to TLS of a store that stays in plaintext",
        _store(unsafe_plaintext=True, unsafe_open_access=True, transit_encryption_mode=TransitEncryptionMode.PREFERRED),
        f"{_BASE}transit_encryption_mode: got 'preferred', but the store has no TLS with unsafe_plaintext; "
        "leave out one of the two",
    ),
    (
        "c-15",
        "the move to TLS of an engine that cannot",
        _store(engine=Engine.redis("6.2"), transit_encryption_mode=TransitEncryptionMode.PREFERRED),
        f"{_BASE}transit_encryption_mode: got 'preferred', but redis 6.2 has one mode only; "
        "leave it out, or use Valkey, or Redis OSS 7.0 or newer",
    ),
    (
        "c-17",
        "a user that signs in with an AUTH token",
        lambda stack, _: ElastiCacheUser(
            stack,
            "User",
            engine=Engine.valkey("8.1"),
            access=AccessString.read_only("*"),
            authentication=Authentication.auth_token(),
        ),
        "Stack/User: authentication: got 'auth-token', but a user signs in with IAM or a password; "
        "a replication group as a whole can have an AUTH token",
    ),
    (
        "c-18",
        "a user in upper case",
        lambda stack, network: ReplicationGroup(stack, "Cache", network=network).add_iam_user(
            "App", AccessString.read_only("*")
        ),
        f"{_BASE}name: got 'App', but a name has 1 to 40 {_NAME}",
    ),
    (
        "c-25",
        "a key of another Region",
        _foreign_key,
        f"{_BASE}kms_key: got 'a key in us-east-1', but the store is in eu-west-1; use a key of that Region",
    ),
    (
        "c-27",
        "windows that meet",
        _store(
            maintenance_window=MaintenanceWindow("sun:03:00-sun:04:00"),
            snapshots=Snapshots.daily(window=SnapshotWindow("03:30-04:30")),
        ),
        f"{_BASE}maintenance_window: got 'sun:03:00-sun:04:00', but it must not overlap the snapshot window "
        "03:30-04:30; move one of the two",
    ),
    (
        "c-27",
        "a window of half an hour",
        lambda *_: MaintenanceWindow("sun:03:00-sun:03:30"),
        "MaintenanceWindow: text: got 'sun:03:00-sun:03:30', but a window lasts at least 60 minutes and this one lasts "
        "30; let it end later",
    ),
    (
        "c-30",
        "an engine log of an engine that sends none",
        _store(engine=Engine.redis("6.0"), log_delivery=[LogDelivery.engine_log()]),
        f"{_BASE}log_delivery: got 'engine-log', but redis 6.0 sends none; use Redis OSS 6.2, Valkey, or newer",
    ),
    (
        "c-31",
        "scaling of a store without shards",
        _scaled("shards", 1, 3),
        f"{_BASE}shards: got 1, but only a store in cluster mode is scaled; give a number of `shards`",
    ),
    (
        "c-32",
        "bounds that a deployment leaves",
        _scaled("shards", 4, 9, shards=3),
        f"{_BASE}minimum, maximum: got (4, 9), but the store has 3 shards, and a deployment brings it back there; "
        "let the bounds include 3",
    ),
    (
        "c-58",
        "a topic of another account",
        _foreign_topic,
        f"{_BASE}notification_topic: got 'a topic in 999999999999', but the store is in {ACCOUNT}; "
        "use a topic of that account",
    ),
    (
        "c-59",
        "an engine that is none",
        lambda *_: Engine.of("memcached", "1.6"),
        'Engine: name: got \'memcached\', but an engine is "valkey" or "redis"',
    ),
    (
        "c-60",
        "data tiering in an engine that has none",
        _store(engine=Engine.redis("6.0"), node_type="cache.r6gd.xlarge"),
        f"{_BASE}node_type: got 'cache.r6gd.xlarge', but redis 6.0 has no data tiering; "
        "choose a newer version, or another node type",
    ),
]


@pytest.mark.parametrize(
    ("make", "message"), [row[2:] for row in REFUSED], ids=[f"{number} {what}" for number, what, *_ in REFUSED]
)
def test_what_aws_would_refuse_is_refused_at_once(
    stack: cdk.Stack, network: RedisNetwork, make: Make, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(stack, network)

    assert str(caught.value) == message


REFUSED_ACCESS = ["nopass", "resetpass", "reset", "resetkeys", "resetchannels", "+@no-such-category", " "]


@pytest.mark.parametrize("rule", REFUSED_ACCESS)
def test_c_23_an_access_string_that_the_service_refuses_is_refused_at_once(rule: str) -> None:
    with pytest.raises(ConfigurationError):
        AccessString.from_text(rule if rule == " " else f"on ~* {rule}")


Resource = Mapping[str, Any]
# Number of the trap, what would be the trap, the store, and what the replication group must be for it not to be one.
IMPOSSIBLE: list[tuple[str, str, Make, Callable[[Resource], bool]]] = [
    (
        "c-3",
        "data lost by a replacement",
        _store(),
        lambda group: group["DeletionPolicy"] == group["UpdateReplacePolicy"] == "Snapshot",
    ),
    (
        "c-4",
        "a change of shards that replaces",
        _store(shards=2),
        lambda group: (
            group["UpdatePolicy"] == {"UseOnlineResharding": True}
            and "NodeGroupConfiguration" not in group["Properties"]
        ),
    ),
    (
        "c-7",
        "failover turned on for a single node",
        _store(replicas=0),
        lambda group: group["Properties"]["AutomaticFailoverEnabled"] is False,
    ),
    (
        "c-8",
        "two ways to count nodes",
        _store(shards=3, replicas=2),
        lambda group: "NumCacheClusters" not in group["Properties"],
    ),
    (
        "c-9",
        "replicas without failover",
        _store(engine=Engine.redis("7.1"), replicas=1),
        lambda group: group["Properties"]["AutomaticFailoverEnabled"] is True,
    ),
    (
        "c-10",
        "several zones for one node",
        _store(replicas=0),
        lambda group: group["Properties"]["MultiAZEnabled"] is False,
    ),
    (
        "c-11",
        "a token in the template",
        _store(authentication=Authentication.auth_token()),
        lambda group: (
            "{{resolve:secretsmanager:" in str(group["Properties"]["AuthToken"])
            and "UserGroupIds" not in group["Properties"]
        ),
    ),
    (
        "c-14",
        "users without TLS",
        _store(),
        lambda group: group["Properties"]["TransitEncryptionEnabled"] is True,
    ),
    (
        "c-25",
        "a key without encryption",
        _store(create_kms_key=True),
        lambda group: group["Properties"]["AtRestEncryptionEnabled"] is True and "KmsKeyId" in group["Properties"],
    ),
    (
        "c-26",
        "a snapshotting cluster",
        _store(shards=2),
        lambda group: "SnapshottingClusterId" not in group["Properties"],
    ),
    (
        "c-30",
        "a log group's ARN in place of its name",
        _store(log_delivery=[LogDelivery.slow_log()]),
        lambda group: (
            "Ref"
            in group["Properties"]["LogDeliveryConfigurations"][0]["DestinationDetails"]["CloudWatchLogsDetails"][
                "LogGroup"
            ]
        ),
    ),
    (
        "c-37",
        "a literal name that nothing waits for",
        _store(),
        lambda group: (
            all("Ref" in group["Properties"][name] for name in ("CacheSubnetGroupName", "CacheParameterGroupName"))
            and "Ref" in group["Properties"]["UserGroupIds"][0]
        ),
    ),
    (
        "c-60",
        "a node type with data tiering that is not told",
        _store(node_type="cache.r6gd.xlarge"),
        lambda group: group["Properties"]["DataTieringEnabled"] is True,
    ),
]


@pytest.mark.parametrize(
    ("make", "holds"), [row[2:] for row in IMPOSSIBLE], ids=[f"{number} {what}" for number, what, *_ in IMPOSSIBLE]
)
def test_what_would_be_a_trap_cannot_be_written(
    stack: cdk.Stack, network: RedisNetwork, make: Make, holds: Callable[[Resource], bool]
) -> None:
    make(stack, network)

    (group,) = Template.from_stack(stack).find_resources(GROUP).values()
    assert holds(group)


def test_c_6_the_family_and_cluster_mode_follow_from_the_store(stack: cdk.Stack, network: RedisNetwork) -> None:
    ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("6.2"), shards=2)

    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::ParameterGroup",
        {"CacheParameterGroupFamily": "redis6.x", "Properties": {"cluster-enabled": "yes"}},
    )


def test_c_16_and_c_18_an_iam_user_is_spelled_as_the_service_spells_it(stack: cdk.Stack, network: RedisNetwork) -> None:
    _with_iam_user()(stack, network)

    (user,) = Template.from_stack(stack).find_resources("AWS::ElastiCache::User").values()
    assert user["Properties"]["AuthenticationMode"] == {"Type": "iam"}
    assert user["Properties"]["UserId"] == user["Properties"]["UserName"]


@pytest.mark.parametrize(("engine", "users"), [(Engine.redis("7.1"), ["default"]), (Engine.valkey("8.1"), [])])
def test_c_19_and_c_20_redis_has_a_disabled_default_user_and_valkey_has_none(
    stack: cdk.Stack, network: RedisNetwork, engine: Engine, users: list[str]
) -> None:
    ReplicationGroup(stack, "Cache", network=network, engine=engine)

    template = Template.from_stack(stack)
    found = list(template.find_resources("AWS::ElastiCache::User").values())
    assert [user["Properties"]["UserName"] for user in found] == users
    assert all(user["Properties"]["AccessString"].startswith("off") for user in found)
    (group,) = template.find_resources("AWS::ElastiCache::UserGroup").values()
    assert {resource["Properties"]["Engine"] for resource in (group, *found)} == {engine.name}


def test_c_21_users_are_changed_one_after_the_other_and_before_the_store(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    for name in ("one", "two"):
        cache.add_iam_user(name, AccessString.read_only("*"))

    template = Template.from_stack(stack)
    users = template.find_resources("AWS::ElastiCache::User")
    assert sorted(len(user.get("DependsOn", [])) for user in users.values()) == [0, 1]
    (group,) = template.find_resources("AWS::ElastiCache::UserGroup").values()
    assert {member["Ref"] for member in group["Properties"]["UserIds"]} == set(users)


def test_c_31_what_scales_has_the_services_own_dimensions_and_metrics(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, node_type="cache.r7g.large", shards=3, replicas=1)
    cache.scale_shards(minimum=3, maximum=10).track_cpu(50).track_memory(60).track_capacity(70)
    cache.scale_replicas(minimum=1, maximum=5).track_cpu(40)

    template = Template.from_stack(stack)
    targets = template.find_resources("AWS::ApplicationAutoScaling::ScalableTarget").values()
    assert {
        target["Properties"]["ScalableDimension"]: (
            target["Properties"]["MinCapacity"],
            target["Properties"]["MaxCapacity"],
        )
        for target in targets
    } == {
        "elasticache:replication-group:NodeGroups": (3, 10),
        "elasticache:replication-group:Replicas": (1, 5),
    }
    for target in targets:
        assert target["Properties"]["ServiceNamespace"] == "elasticache"
        assert target["Properties"]["ResourceId"] == {
            "Fn::Join": ["", ["replication-group/", {"Ref": "Cache18F6EE16"}]]
        }
    policies = template.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy").values()
    tracked = [policy["Properties"]["TargetTrackingScalingPolicyConfiguration"] for policy in policies]
    assert {
        policy["PredefinedMetricSpecification"]["PredefinedMetricType"]: policy["TargetValue"] for policy in tracked
    } == {
        "ElastiCachePrimaryEngineCPUUtilization": 50,
        "ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage": 60,
        "ElastiCacheDatabaseCapacityUsageCountedForEvictPercentage": 70,
        "ElastiCacheReplicaEngineCPUUtilization": 40,
    }
