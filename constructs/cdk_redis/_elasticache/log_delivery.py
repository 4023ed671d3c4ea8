"""Log delivery: destinations of the slow log and the engine log of a replication group.

Example:
    >>> LogDelivery.slow_log().log_type
    'slow-log'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from constructs import Construct, IConstruct

from cdk_redis._core.checks import check_given, value_of
from cdk_redis._core.choice import Choice
from cdk_redis._core.errors import Problems
from cdk_redis._core.location import check_location
from cdk_redis._core.log_groups import let_logs_use_key
from cdk_redis._core.naming import unique_name
from cdk_redis._core.presets import encryption_key_of

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs

    from cdk_redis._values.engine import Engine

_SLOW_LOG = "slow-log"
_ENGINE_LOG = "engine-log"
# CloudWatch Logs allows ten resource policies in a Region, of 5,120 characters each. Log groups with this prefix share
# one entry; others are added to a policy one by one, until it is full.
_PREFIX = "/aws/vendedlogs/elasticache/"
_MAX_NAME = 512


class LogFormat(Choice):
    """Format of log entries."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True)
class LogDelivery:
    """One log of a replication group and its destination. Use `slow_log` or `engine_log`.

    Attributes:
        log_type: ``"slow-log"`` or ``"engine-log"``.
        log_group: Existing log group as the destination.
        delivery_stream: Firehose stream as the destination.
        format: Format of the entries.
        retention: How long a new log group keeps entries.
        encryption_key: Key of a new log group.
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
            problems.add("log_type", log_type, f"it must be {_SLOW_LOG!r} or {_ENGINE_LOG!r}")
        check_given(problems, format=self.format)
        log_format = value_of(problems, "format", self.format, LogFormat)
        if self.retention is not None:
            from aws_cdk import aws_logs as logs

            retention = value_of(problems, "retention", self.retention, logs.RetentionDays)
            object.__setattr__(self, "retention", retention)
        if self.log_group is not None and self.delivery_stream is not None:
            path = self.delivery_stream.node.path
            problems.add("delivery_stream", path, "a log has one destination, and `log_group` is given", "choose one")
        if self.log_group is not None or self.delivery_stream is not None:
            for parameter in ("retention", "encryption_key"):
                if getattr(self, parameter) is not None:
                    reason = "it is for a new log group, and a destination is given"
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
        """The slow log: commands that took longer than ``slowlog-log-slower-than``.

        It needs Valkey, or Redis OSS 6.0 or newer.

        Args:
            log_group: An existing log group. Default: - a new one, unless `delivery_stream` is given; it is kept when
                the store is deleted.
            delivery_stream: A Firehose stream as the destination, instead of a log group.
            format: Format of the entries: `LogFormat`, or its text ``"json"`` or ``"text"``. Default: JSON.
            retention: How long the new log group keeps entries. Default: - three months.
            encryption_key: Key of the new log group; CloudWatch Logs is allowed to use it. Default: - a key owned by
                the service.

        Raises:
            ConfigurationError: If there are two destinations, settings of a new log group in spite of an existing
                destination, or an invalid format or retention.
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
        """The engine log, with events such as synchronizations, snapshots and failovers.

        It needs Valkey, or Redis OSS 6.2 or newer.

        Args:
            log_group: An existing log group. Default: - a new one, unless `delivery_stream` is given; it is kept when
                the store is deleted.
            delivery_stream: A Firehose stream as the destination, instead of a log group.
            format: Format of the entries: `LogFormat`, or its text ``"json"`` or ``"text"``. Default: JSON.
            retention: How long the new log group keeps entries. Default: - three months.
            encryption_key: Key of the new log group; CloudWatch Logs is allowed to use it. Default: - a key owned by
                the service.

        Raises:
            ConfigurationError: If there are two destinations, settings of a new log group in spite of an existing
                destination, or an invalid format or retention.
        """
        return cls(_ENGINE_LOG, log_group, delivery_stream, cast("LogFormat", format), retention, encryption_key)


def check_log_delivery(
    problems: Problems, deliveries: Sequence[LogDelivery], *, engine: Engine, scope: IConstruct
) -> None:
    """Check that the engine has the logs, that each log is listed once, and where its destination is.

    Args:
        problems: Where to add problems.
        deliveries: The logs and their destinations.
        engine: Engine of the store.
        scope: The store.
    """
    seen: set[str] = set()
    for delivery in deliveries:
        if delivery.log_type in seen:
            problems.add("log_delivery", delivery.log_type, "a log has one destination, and this one is listed twice")
        seen.add(delivery.log_type)
        # ElastiCache is given the names of both destinations, and looks for them in the store's account and Region.
        check_location(problems, "log_group", delivery.log_group, "a log group", scope=scope, account=True)
        stream = delivery.delivery_stream
        arn = stream.delivery_stream_arn if stream else ""
        check_location(problems, "delivery_stream", stream, "a Firehose stream", scope=scope, account=True, arn=arn)
        check_location(problems, "encryption_key", delivery.encryption_key, "a key", scope=scope)
        if delivery.log_type == _SLOW_LOG and not engine.supports_slow_log:
            problems.add(
                "log_delivery", _SLOW_LOG, f"{engine} does not have this log", "use Valkey, or Redis OSS 6.0 or newer"
            )
        if delivery.log_type == _ENGINE_LOG and not engine.supports_engine_log:
            problems.add(
                "log_delivery", _ENGINE_LOG, f"{engine} does not have this log", "use Valkey, or Redis OSS 6.2 or newer"
            )


def create_log_groups(scope: Construct, deliveries: Sequence[LogDelivery]) -> dict[str, logs.ILogGroup]:
    """Return the log groups by log type: the existing ones, and new ones for logs without a destination.

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

    parent = Construct(scope, "SlowLog" if delivery.log_type == _SLOW_LOG else "EngineLog")
    # The log group is kept when the stack is deleted. The id of the stack in its name avoids a conflict when the stack
    # is created again.
    stack_uuid = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))
    name = cdk.Fn.join("-", [_PREFIX + unique_name(parent, max_length=_MAX_NAME - len(_PREFIX) - 37), stack_uuid])
    kms_key = delivery.encryption_key or encryption_key_of(scope)
    if kms_key is not None:
        let_logs_use_key(scope, kms_key, f"{_PREFIX}*")
    log_group = logs.LogGroup(
        parent,
        "Logs",
        log_group_name=name,
        retention=delivery.retention or logs.RetentionDays.THREE_MONTHS,
        encryption_key=kms_key,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    return cast("logs.ILogGroup", log_group)
