"""Encrypted topics, whose messages would be lost without an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import ConfigurationError, MemoryDbCluster, RedisNetwork, ReplicationGroup, SmokeTest

TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:Alarms"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
CLOUDWATCH = {
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Resource": "*",
}
NOT_GRANTED = (
    "the key of alarm_topic {path} is imported: unless its policy lets cloudwatch.amazonaws.com use kms:Decrypt and "
    "kms:GenerateDataKey*, the alarm's messages are lost; the policy of alias/aws/sns does not, and cannot be changed"
)


def _key(stack: cdk.Stack) -> kms.IKey:
    return cast("kms.IKey", kms.Key(stack, "Key"))


def _topic(stack: cdk.Stack, key: kms.IKey | None = None) -> sns.ITopic:
    return cast("sns.ITopic", sns.Topic(stack, "Topic", master_key=key))


def _canary(stack: cdk.Stack, network: RedisNetwork, topic: sns.ITopic) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    rate = events.Schedule.rate(cdk.Duration.minutes(5))
    SmokeTest(stack, "SmokeTest", target=cache, schedule=rate, alarm_topic=topic)


def _warnings(stack: cdk.Stack) -> list[str]:
    found = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("topic"))
    return [str(warning.entry.data) for warning in found]


def test_cloudwatch_is_allowed_to_use_the_key_of_an_encrypted_alarm_topic(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    _canary(stack, network, _topic(stack, _key(stack)))

    (key,) = Template.from_stack(stack).find_resources("AWS::KMS::Key").values()
    account = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    assert {**CLOUDWATCH, "Condition": account} in key["Properties"]["KeyPolicy"]["Statement"]
    assert _warnings(stack) == []


def test_cloudwatch_is_allowed_to_use_a_key_of_another_stack(
    app: cdk.App, stack: cdk.Stack, network: RedisNetwork
) -> None:
    environment = cdk.Environment(account="123456789012", region="eu-west-1")
    topics, stores = (cdk.Stack(app, name, env=environment) for name in ("Topics", "Stores"))
    _canary(stores, RedisNetwork(stores, "Network"), _topic(topics, _key(topics)))

    (key,) = Template.from_stack(topics).find_resources("AWS::KMS::Key").values()
    account = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert {**CLOUDWATCH, "Condition": account} in key["Properties"]["KeyPolicy"]["Statement"]
    assert _warnings(stores) == []


def test_cloudwatch_is_allowed_to_use_the_key_of_an_alias(stack: cdk.Stack, network: RedisNetwork) -> None:
    alias = kms.Alias(stack, "Alias", alias_name="alias/topics", target_key=_key(stack))
    _canary(stack, network, _topic(stack, cast("kms.IKey", alias)))

    assert "cloudwatch.amazonaws.com" in str(Template.from_stack(stack).find_resources("AWS::KMS::Key"))
    assert _warnings(stack) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda stack: _topic(stack, kms.Key.from_key_arn(stack, "Key", KEY_ARN)),
        lambda stack: _topic(stack, kms.Alias.from_alias_name(stack, "Key", "alias/aws/sns")),
        lambda stack: sns.Topic.from_topic_attributes(stack, "Topic", topic_arn=TOPIC_ARN, key_arn=KEY_ARN),
    ],
    ids=["imported key", "key of AWS", "imported topic"],
)
def test_a_key_whose_policy_cannot_change_gets_a_warning(
    make: Callable[[cdk.Stack], sns.ITopic], stack: cdk.Stack, network: RedisNetwork
) -> None:
    _canary(stack, network, make(stack))

    (warning,) = _warnings(stack)
    assert warning.startswith(NOT_GRANTED.format(path="Stack/Topic"))


def test_a_topic_without_a_key_adds_nothing(stack: cdk.Stack, network: RedisNetwork) -> None:
    _canary(stack, network, _topic(stack))

    assert "cloudwatch.amazonaws.com" not in str(Template.from_stack(stack).to_json())
    assert _warnings(stack) == []


def test_an_encrypted_topic_is_rejected_for_elasticache(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ReplicationGroup(stack, "Cache", network=network, notification_topic=_topic(stack, _key(stack)))

    assert str(caught.value) == (
        "Stack/Cache: notification_topic: got 'Stack/Topic', but ElastiCache cannot publish to an encrypted topic: "
        "its messages would be lost; use a topic without `master_key`"
    )


def test_a_fifo_topic_is_rejected_for_elasticache(stack: cdk.Stack, network: RedisNetwork) -> None:
    topic = cast("sns.ITopic", sns.Topic(stack, "Topic", fifo=True))

    with pytest.raises(ConfigurationError, match="got 'Stack/Topic', but stores do not publish to FIFO topics"):
        ReplicationGroup(stack, "Cache", network=network, notification_topic=topic)


@pytest.mark.parametrize("encrypted", [True, False])
def test_an_encrypted_topic_gets_a_warning_for_memorydb(
    encrypted: bool, stack: cdk.Stack, network: RedisNetwork
) -> None:
    topic = _topic(stack, _key(stack) if encrypted else None)
    MemoryDbCluster(stack, "Ledger", network=network, notification_topic=topic)

    warnings = _warnings(stack)
    assert len(warnings) == int(encrypted)
    assert all("AWS does not document that MemoryDB can publish to such a topic" in warning for warning in warnings)
