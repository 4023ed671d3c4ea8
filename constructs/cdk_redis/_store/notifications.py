"""Topics that are encrypted: what a store or an alarm needs to publish to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns
    from constructs import Construct

_ENCRYPTED = "@cdk-redis:encryptedNotificationTopic"
_KEY_POLICY = "@cdk-redis:alarmTopicKeyPolicy"


def warn_of_encrypted_topic(cluster: Construct, topic: sns.ITopic) -> None:
    """Warn of an encrypted topic for MemoryDB, whose documentation neither forbids one nor says who would need the key.

    Args:
        cluster: The MemoryDB cluster.
        topic: As given to it.
    """
    if topic.master_key is not None:
        cdk.Annotations.of(cluster).add_warning_v2(
            _ENCRYPTED,
            f"notification_topic {topic.node.path} is encrypted: AWS does not document that MemoryDB can publish to "
            "such a topic, and ElastiCache cannot; use a topic without `master_key`, or test that messages arrive",
        )


def let_alarm_publish(alarm: Construct, topic: sns.ITopic) -> None:
    """Let CloudWatch use the key of an encrypted topic, without which an alarm's messages are lost.

    CloudWatch asks KMS itself, so that the key's policy must name it; the CDK's own alarm action does not do that.
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services)

    Args:
        alarm: The alarm; warned where the key's policy is not this app's to change.
        topic: What it tells.
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
            f"the key of alarm_topic {topic.node.path} is imported: unless its policy lets cloudwatch.amazonaws.com "
            "use kms:Decrypt and kms:GenerateDataKey*, the alarm's messages are lost; the policy of alias/aws/sns does "
            "not, and cannot be changed",
        )
