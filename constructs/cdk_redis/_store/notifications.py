"""Encrypted topics: permissions and warnings for a store or an alarm that publishes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns
    from constructs import Construct

_ENCRYPTED = "@cdk-redis:encryptedNotificationTopic"
_KEY_POLICY = "@cdk-redis:alarmTopicKeyPolicy"


def warn_of_encrypted_topic(cluster: Construct, topic: sns.ITopic) -> None:
    """Add a warning if the topic is encrypted: MemoryDB's documentation does not say whether it can publish to it.

    Args:
        cluster: The MemoryDB cluster.
        topic: Its topic.
    """
    if topic.master_key is not None:
        cdk.Annotations.of(cluster).add_warning_v2(
            _ENCRYPTED,
            f"notification_topic {topic.node.path} is encrypted: AWS does not document that MemoryDB can publish to "
            "such a topic, and ElastiCache cannot; use a topic without `master_key`, or test that messages arrive",
        )


def let_alarm_publish(alarm: Construct, topic: sns.ITopic, parameter: str = "alarm_topic") -> None:
    """Allow CloudWatch to use the key of an encrypted topic; without it, the alarm's messages are lost.

    CloudWatch calls KMS itself, so the key's policy must allow its principal. The CDK's alarm action does not do that.
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services)

    Args:
        alarm: The alarm, or the store with the alarms. It gets a warning if this app cannot change the key's policy.
        topic: The topic that it notifies.
        parameter: The parameter that was given the topic.
    """
    if topic.master_key is None:
        return
    from aws_cdk import aws_iam as iam

    statement = iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        principals=[cast("iam.IPrincipal", iam.ServicePrincipal("cloudwatch.amazonaws.com"))],
        resources=["*"],
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(alarm).account}},
    )
    if not topic.master_key.add_to_resource_policy(statement).statement_added:
        cdk.Annotations.of(alarm).add_warning_v2(
            _KEY_POLICY,
            f"the key of {parameter} {topic.node.path} is imported: unless its policy lets cloudwatch.amazonaws.com "
            "use kms:Decrypt and kms:GenerateDataKey*, the alarm's messages are lost; the policy of alias/aws/sns does "
            "not, and cannot be changed",
        )
