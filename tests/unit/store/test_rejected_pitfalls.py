"""Configurations that AWS rejects during the deployment: the library rejects them at synth, with the whole message."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

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
from tests.unit.store.support.replication_groups import Make, replication_group, replication_group_with_iam_user

ACCOUNT, REGION = "111122223333", "eu-west-1"  # of the fixture `stack`


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
# What is wrong, how it is written, and the whole message.
REJECTED: list[tuple[str, Make, str]] = [
    (
        "an id in upper case",
        replication_group(replication_group_id="Orders"),
        f"{_BASE}replication_group_id: got 'Orders', but a name has 1 to 40 {_NAME}",
    ),
    (
        "an id of 41 characters",
        replication_group(replication_group_id="a" * 41),
        f"{_BASE}replication_group_id: got '{'a' * 41}', but a name has 1 to 40 {_NAME}",
    ),
    (
        "a subnet group in upper case",
        lambda stack, _: ElastiCacheSubnetGroup.from_subnet_group_name(stack, "Subnets", "Cache"),
        "Stack/Subnets: name: got 'Cache', but a name has 1 to 255 lower-case letters, digits and hyphens; "
        "the services store names in lower case",
    ),
    (
        "the configuration endpoint without cluster mode",
        lambda stack, network: ReplicationGroup(stack, "Cache", network=network).configuration_endpoint,
        f"{_BASE}endpoint: got 'configuration_endpoint', but cluster mode is off; use `endpoint`",
    ),
    (
        "the migration to cluster mode in one step",
        replication_group(shards=1, cluster_mode_compatible=True),
        f"{_BASE}cluster_mode_compatible: got True, but cluster mode is on when `shards` is given; "
        "leave out one of the two",
    ),
    (
        "cluster mode as an engine parameter",
        replication_group(parameters={"cluster-enabled": "no"}, shards=2),
        f"{_BASE}parameters: got {{'cluster-enabled': 'no'}}, but cluster mode follows from `shards`; leave it out",
    ),
    (
        "fewer zones than nodes",
        replication_group(replicas=2, placement=[ShardPlacement(f"{REGION}a", f"{REGION}b")]),
        f"{_BASE}placement[0]: got ('{REGION}a', '{REGION}b'), but a shard has a primary and 2 replicas; "
        "set one zone for each",
    ),
    (
        "all nodes in one zone",
        replication_group(placement=[ShardPlacement(f"{REGION}a", f"{REGION}a")]),
        f"{_BASE}placement[0]: got ('{REGION}a', '{REGION}a'), but automatic failover needs nodes in two zones or "
        "more; place a replica in another zone",
    ),
    (
        "the version of a generated secret",
        lambda *_: Authentication.auth_token(version_id="one"),
        "Authentication: version_id: got 'one', but a generated secret has one version only; "
        "raise `generation`, or give a `secret`",
    ),
    (
        "users together with an AUTH token",
        replication_group_with_iam_user(authentication=Authentication.auth_token()),
        f"{_BASE}name: got 'app', but a store with an AUTH token has no users; sign in as `auth_token`",
    ),
    (
        "users without TLS",
        replication_group_with_iam_user(unsafe_plaintext=True, unsafe_open_access=True),
        f"{_BASE}name: got 'app', but a store with open access has no users; leave out `unsafe_open_access`",
    ),
    (
        "an AUTH token without TLS",
        replication_group(unsafe_plaintext=True, authentication=Authentication.auth_token()),
        f"{_BASE}unsafe_plaintext: got True, but ElastiCache has neither users nor an AUTH token without TLS: everyone "
        "can connect; set `unsafe_open_access` as well",
    ),
    (
        "the migration to TLS of a store without TLS",
        replication_group(
            unsafe_plaintext=True, unsafe_open_access=True, transit_encryption_mode=TransitEncryptionMode.PREFERRED
        ),
        f"{_BASE}transit_encryption_mode: got 'preferred', but the store has no TLS with unsafe_plaintext; "
        "leave out one of the two",
    ),
    (
        "the migration to TLS of an engine that does not support it",
        replication_group(engine=Engine.redis("6.2"), transit_encryption_mode=TransitEncryptionMode.PREFERRED),
        f"{_BASE}transit_encryption_mode: got 'preferred', but redis 6.2 does not support this property; "
        "leave it out, or use Valkey, or Redis OSS 7.0 or newer",
    ),
    (
        "a user that signs in with an AUTH token",
        lambda stack, _: ElastiCacheUser(
            stack,
            "User",
            engine=Engine.valkey("8.1"),
            access=AccessString.read_only("*"),
            authentication=Authentication.auth_token(),
        ),
        "Stack/User: authentication: got 'auth-token', but a user signs in with IAM or a password; "
        "only a replication group can have an AUTH token",
    ),
    (
        "a user in upper case",
        lambda stack, network: ReplicationGroup(stack, "Cache", network=network).add_iam_user(
            "App", AccessString.read_only("*")
        ),
        f"{_BASE}name: got 'App', but a name has 1 to 40 {_NAME}",
    ),
    (
        "a key of another Region",
        _foreign_key,
        f"{_BASE}kms_key: got 'a key in us-east-1', but the store is in eu-west-1; use a key of that Region",
    ),
    (
        "windows that overlap",
        replication_group(
            maintenance_window=MaintenanceWindow("sun:03:00-sun:04:00"),
            snapshots=Snapshots.daily(window=SnapshotWindow("03:30-04:30")),
        ),
        f"{_BASE}maintenance_window: got 'sun:03:00-sun:04:00', but it must not overlap the snapshot window "
        "03:30-04:30; move one of the two",
    ),
    (
        "a window of half an hour",
        lambda *_: MaintenanceWindow("sun:03:00-sun:03:30"),
        "MaintenanceWindow: text: got 'sun:03:00-sun:03:30', but a window lasts at least 60 minutes and this one lasts "
        "30; make it longer",
    ),
    (
        "the engine log of an engine without one",
        replication_group(engine=Engine.redis("6.0"), log_delivery=[LogDelivery.engine_log()]),
        f"{_BASE}log_delivery: got 'engine-log', but redis 6.0 does not have this log; "
        "use Valkey, or Redis OSS 6.2 or newer",
    ),
    (
        "scaling of a store without cluster mode",
        _scaled("shards", 1, 3),
        f"{_BASE}shards: got 1, but only a store in cluster mode can be scaled; give a number of `shards`",
    ),
    (
        "scaling bounds without the declared number of shards",
        _scaled("shards", 4, 9, shards=3),
        f"{_BASE}minimum, maximum: got (4, 9), but the store has 3 shards, and a deployment resets it to that number; "
        "choose bounds that include 3",
    ),
    (
        "a topic of another account",
        _foreign_topic,
        f"{_BASE}notification_topic: got 'a topic in 999999999999', but the store is in {ACCOUNT}; "
        "use a topic of that account",
    ),
    (
        "an unknown engine",
        lambda *_: Engine.of("memcached", "1.6"),
        'Engine: name: got \'memcached\', but an engine is "valkey" or "redis"',
    ),
    (
        "data tiering in an engine that does not support it",
        replication_group(engine=Engine.redis("6.0"), node_type="cache.r6gd.xlarge"),
        f"{_BASE}node_type: got 'cache.r6gd.xlarge', but r6gd nodes need Redis OSS 6.2 or newer, or Valkey, "
        "and the engine is redis 6.0; choose a newer engine, or another node type",
    ),
]


@pytest.mark.parametrize(("make", "message"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_a_configuration_that_aws_rejects_is_rejected_at_synth(
    stack: cdk.Stack, network: RedisNetwork, make: Make, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(stack, network)

    assert str(caught.value) == message


REJECTED_RULES = ["nopass", "resetpass", "reset", "resetkeys", "resetchannels", "+@no-such-category", " "]


@pytest.mark.parametrize("rule", REJECTED_RULES)
def test_an_access_string_that_the_service_rejects_is_rejected_at_synth(rule: str) -> None:
    with pytest.raises(ConfigurationError):
        AccessString.from_text(rule if rule == " " else f"on ~* {rule}")
