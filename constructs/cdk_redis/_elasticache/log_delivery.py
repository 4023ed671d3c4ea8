"""Log delivery: where a replication group sends its slow log and its engine log.

Example:
    >>> LogDelivery.slow_log().log_type
    'slow-log'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.checks import check_given, value_of
from cdk_redis._core.choice import Choice
from cdk_redis._core.errors import Problems
from cdk_redis._core.naming import unique_name

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs

    from cdk_redis._values.engine import Engine

_SLOW_LOG = "slow-log"
_ENGINE_LOG = "engine-log"
# CloudWatch Logs has ten resource policies in a Region, of 5,120 characters each. Groups below this prefix share one;
# others are added to it one by one, until it is full.
_PREFIX = "/aws/vendedlogs/elasticache/"
_MAX_NAME = 512


class LogFormat(Choice):
    """How log entries are written."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True)
class LogDelivery:
    """One log of a replication group and where it goes; made by `slow_log` or `engine_log`.

    Attributes:
        log_type: ``"slow-log"`` or ``"engine-log"``.
        log_group: Existing log group that it goes to.
        delivery_stream: Firehose stream that it goes to.
        format: How entries are written.
        retention: How long a log group that is made keeps entries.
        encryption_key: Key of a log group that is made.
    """

    log_type: str
    log_group: logs.ILogGroup | None = None
    delivery_stream: firehose.IDeliveryStream | None = None
    format: LogFormat = LogFormat.JSON
    retention: logs.RetentionDays | None = None
    encryption_key: kms.IKey | None = None

    def __post_init__(self) -> None:
        """Check every field, and that there is one destination."""
        log_type: object = self.log_type
        is_known = isinstance(log_type, str) and log_type in (_SLOW_LOG, _ENGINE_LOG)
        problems = Problems(f"LogDelivery.{self.log_type.replace('-', '_')}" if is_known else "LogDelivery")
        if not is_known:
            problems.add("log_type", log_type, f"it is {_SLOW_LOG!r} or {_ENGINE_LOG!r}")
        check_given(problems, format=self.format)
        log_format = value_of(problems, "format", self.format, LogFormat)
        if self.retention is not None:
            from aws_cdk import aws_logs as logs

            retention = value_of(problems, "retention", self.retention, logs.RetentionDays)
            object.__setattr__(self, "retention", retention)
        if self.log_group is not None and self.delivery_stream is not None:
            path = self.delivery_stream.node.path
            problems.add("delivery_stream", path, "a log goes to one place, and `log_group` is given", "choose one")
        if self.log_group is not None or self.delivery_stream is not None:
            for parameter in ("retention", "encryption_key"):
                if getattr(self, parameter) is not None:
                    reason = "it is for a log group that is made, and a destination is given"
                    problems.add(parameter, "a value", reason, "leave it out, or set it on the destination")
        problems.raise_if_any()
        object.__setattr__(self, "format", log_format)

    @classmethod
    def slow_log(
        cls,
        *,
        log_group: logs.ILogGroup | None = None,
        delivery_stream: firehose.IDeliveryStream | None = None,
        format: LogFormat | str = LogFormat.JSON,
        retention: logs.RetentionDays | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> LogDelivery:
        """Commands that took longer than ``slowlog-log-slower-than``; needs Valkey, or Redis OSS 6.0 or newer.

        Args:
            log_group: An existing log group. Default: - one is made, unless there is a `delivery_stream`; it stays
                when the store goes.
            delivery_stream: A Firehose stream to send it to, instead of a log group.
            format: How entries are written: `LogFormat` or its text, ``"json"`` or ``"text"``. Default: JSON.
            retention: How long the log group that is made keeps entries. Default: - three months.
            encryption_key: Key of the log group that is made; CloudWatch Logs is let in. Default: - a key owned by
                the service.

        Raises:
            ConfigurationError: If there are two destinations, settings of a log group that is not made, or a wrong
                format or retention.
        """
        return cls(_SLOW_LOG, log_group, delivery_stream, cast("LogFormat", format), retention, encryption_key)

    @classmethod
    def engine_log(
        cls,
        *,
        log_group: logs.ILogGroup | None = None,
        delivery_stream: firehose.IDeliveryStream | None = None,
        format: LogFormat | str = LogFormat.JSON,
        retention: logs.RetentionDays | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> LogDelivery:
        """What the engine says of itself: syncs, snapshots, failovers; needs Valkey, or Redis OSS 6.2 or newer.

        Args:
            log_group: An existing log group. Default: - one is made, unless there is a `delivery_stream`; it stays
                when the store goes.
            delivery_stream: A Firehose stream to send it to, instead of a log group.
            format: How entries are written: `LogFormat` or its text, ``"json"`` or ``"text"``. Default: JSON.
            retention: How long the log group that is made keeps entries. Default: - three months.
            encryption_key: Key of the log group that is made; CloudWatch Logs is let in. Default: - a key owned by
                the service.

        Raises:
            ConfigurationError: If there are two destinations, settings of a log group that is not made, or a wrong
                format or retention.
        """
        return cls(_ENGINE_LOG, log_group, delivery_stream, cast("LogFormat", format), retention, encryption_key)


def check_log_delivery(problems: Problems, deliveries: Sequence[LogDelivery], *, engine: Engine) -> None:
    """Note logs that the engine does not have, and those that are sent twice.

    Args:
        problems: Where to note it.
        deliveries: As given to the store.
        engine: As given.
    """
    seen: set[str] = set()
    for delivery in deliveries:
        if not isinstance(delivery, LogDelivery):
            problems.add(
                "log_delivery", delivery, "it is a list of LogDelivery.slow_log() and LogDelivery.engine_log()"
            )
            continue
        if delivery.log_type in seen:
            problems.add("log_delivery", delivery.log_type, "a log goes to one place, and this one is listed twice")
        seen.add(delivery.log_type)
        if delivery.log_type == _SLOW_LOG and not engine.supports_slow_log:
            problems.add("log_delivery", _SLOW_LOG, f"{engine} sends none", "use Redis OSS 6.0, Valkey, or newer")
        if delivery.log_type == _ENGINE_LOG and not engine.supports_engine_log:
            problems.add("log_delivery", _ENGINE_LOG, f"{engine} sends none", "use Redis OSS 6.2, Valkey, or newer")


def create_log_groups(scope: Construct, deliveries: Sequence[LogDelivery]) -> dict[str, logs.ILogGroup]:
    """The log groups that logs are sent to, by log type: those given, and those created for the rest.

    Args:
        scope: Construct that log groups are created in.
        deliveries: The logs and their destinations.
    """
    return {
        delivery.log_type: delivery.log_group or _create_log_group(scope, delivery)
        for delivery in deliveries
        if delivery.delivery_stream is None
    }


def log_delivery_configurations(
    deliveries: Sequence[LogDelivery], log_groups: Mapping[str, logs.ILogGroup]
) -> list[elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty] | None:
    """The property of a replication group; None without logs.

    Destinations are references, so that the store depends on them. ElastiCache needs the name of a log group: it
    accepts an ARN without an error and delivers nothing.

    Args:
        deliveries: The logs and their destinations.
        log_groups: As `create_log_groups` returns them.
    """
    from aws_cdk.aws_elasticache import CfnReplicationGroup as Group

    configurations: list[elasticache.CfnReplicationGroup.LogDeliveryConfigurationRequestProperty] = []
    for delivery in deliveries:
        if delivery.delivery_stream is not None:
            stream = delivery.delivery_stream.delivery_stream_name
            details = Group.DestinationDetailsProperty(
                kinesis_firehose_details=Group.KinesisFirehoseDestinationDetailsProperty(delivery_stream=stream)
            )
        else:
            name = log_groups[delivery.log_type].log_group_name
            details = Group.DestinationDetailsProperty(
                cloud_watch_logs_details=Group.CloudWatchLogsDestinationDetailsProperty(log_group=name)
            )
        configurations.append(
            Group.LogDeliveryConfigurationRequestProperty(
                log_type=delivery.log_type,
                log_format=delivery.format.value,
                destination_type="kinesis-firehose" if delivery.delivery_stream is not None else "cloudwatch-logs",
                destination_details=details,
            )
        )
    return configurations or None


def _create_log_group(scope: Construct, delivery: LogDelivery) -> logs.ILogGroup:
    from aws_cdk import aws_logs as logs

    name_of_place = "SlowLog" if delivery.log_type == _SLOW_LOG else "EngineLog"
    place = Construct(scope, name_of_place)
    # The group outlives its stack: without the stack's own id in it, the name would be taken when the stack is made
    # again.
    stack_uuid = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))
    name = cdk.Fn.join("-", [_PREFIX + unique_name(place, max_length=_MAX_NAME - len(_PREFIX) - 37), stack_uuid])
    if delivery.encryption_key is not None:
        _let_logs_use(delivery.encryption_key, scope)
    log_group = logs.LogGroup(
        place,
        "Logs",
        log_group_name=name,
        retention=delivery.retention or logs.RetentionDays.THREE_MONTHS,
        encryption_key=delivery.encryption_key,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    return cast("logs.ILogGroup", log_group)


def _let_logs_use(key: kms.IKey, scope: Construct) -> None:
    from aws_cdk import aws_iam as iam

    stack = cdk.Stack.of(scope)
    groups = stack.format_arn(
        service="logs", resource="log-group", resource_name=f"{_PREFIX}*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )
    service = iam.ServicePrincipal(
        f"logs.{stack.region}.amazonaws.com", conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}
    )
    key.grant_encrypt_decrypt(cast("iam.IGrantable", service))
