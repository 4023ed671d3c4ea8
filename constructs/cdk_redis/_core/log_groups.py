"""Log groups of CloudWatch Logs, and the KMS keys that encrypt them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk

from cdk_redis._core.presets import encryption_key_of, log_retention_of

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from cdk_redis._core.errors import Problems

_KEY_POLICY = "@cdk-redis:logGroupKeyPolicy"


def let_logs_use_key(scope: Construct, key: kms.IKey, names: str = "*") -> None:
    """Allow CloudWatch Logs to use the key of log groups, which the CDK does not do for an encrypted log group.

    Without it, CloudFormation fails with "The specified KMS key does not exist or is not allowed to be used".
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html)

    Args:
        scope: Construct that the log groups belong to. It gets a warning if this app cannot change the key's policy.
        key: Their key.
        names: Pattern of their names. The policy of a key cannot refer to a log group that refers to the key, so a
            generated name is not known.
    """
    from aws_cdk import aws_iam as iam

    stack = cdk.Stack.of(scope)
    arn = stack.format_arn(
        service="logs", resource="log-group", resource_name=names, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )
    service = f"logs.{stack.region}.amazonaws.com"
    statement = iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        principals=[cast("iam.IPrincipal", iam.ServicePrincipal(service))],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
    )
    if not key.add_to_resource_policy(statement).statement_added:
        cdk.Annotations.of(scope).add_warning_v2(
            _KEY_POLICY,
            f"the key of its log groups, {key.node.path}, is imported: unless its policy lets the service principal of "
            "CloudWatch Logs use kms:Encrypt, kms:Decrypt, kms:ReEncrypt*, kms:GenerateDataKey* and kms:DescribeKey, "
            "the log groups cannot be created",
        )


def create_log_group(
    scope: Construct, retention: logs.RetentionDays | None, kms_key: kms.IKey | None
) -> logs.ILogGroup:
    """Define the log group of a function of the library; it is deleted with the function.

    Args:
        scope: Construct that the function belongs to.
        retention: How long entries are kept. None: - that of the preset, or one month.
        kms_key: Key that encrypts it. None: - that of the preset, or one that CloudWatch Logs owns.
    """
    from aws_cdk import aws_logs as logs

    kms_key = kms_key or encryption_key_of(scope)
    if kms_key is not None:
        let_logs_use_key(scope, kms_key)
    log_group = logs.LogGroup(
        scope,
        "Logs",
        retention=retention or log_retention_of(scope) or logs.RetentionDays.ONE_MONTH,
        encryption_key=kms_key,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    return cast("logs.ILogGroup", log_group)


def check_new_log_group(
    problems: Problems,
    log_group: logs.ILogGroup | None,
    retention: logs.RetentionDays | None,
    kms_key: kms.IKey | None,
) -> None:
    """Check that the settings of a new log group are not given together with an existing log group."""
    if log_group is None:
        return
    for parameter, given, what in (("log_retention", retention, "a retention"), ("log_kms_key", kms_key, "a key")):
        if given is not None:
            reason = "it is for a new log group, and `log_group` is given"
            problems.add(parameter, what, reason, "leave it out, or set it on the log group")
