"""``LogDeliveryConfigurations`` of replication groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError
from cdk_redis_local._emulator.ministack.log_groups import has_log_group

_LOG_GROUPS = "cloudwatch-logs"


@dataclass(frozen=True)
class Delivery:
    """The delivery of one log of a replication group."""

    kind: str
    form: str
    group: str


def deliveries(properties: Mapping[str, Any]) -> list[Delivery]:
    """The logs that a replication group delivers to log groups."""
    found: list[Delivery] = []
    for one in _configurations(properties):
        details = one.get("DestinationDetails") or {}
        if one.get("DestinationType") == _LOG_GROUPS:
            group = str((details.get("CloudWatchLogsDetails") or {}).get("LogGroup", ""))
            found.append(Delivery(str(one["LogType"]), str(one.get("LogFormat", "json")).lower(), group))
    return found


def firehose_streams(properties: Mapping[str, Any]) -> list[str]:
    """The Firehose streams that a replication group delivers logs to."""
    details = [one.get("DestinationDetails") or {} for one in _configurations(properties)]
    firehoses = [one["KinesisFirehoseDetails"] for one in details if one.get("KinesisFirehoseDetails")]
    return [f"the Firehose stream {one.get('DeliveryStream', '')}" for one in firehoses]


def check_destinations(properties: Mapping[str, Any]) -> None:
    """Check that the log groups of a replication group exist, in the current account and Region.

    Raises:
        LocalCloudError: A log group does not exist; AWS's words are not documented.
    """
    for one in deliveries(properties):
        if not has_log_group(one.group):
            raise LocalCloudError(f"InvalidParameterValue: The specified log group does not exist: {one.group}")


def _configurations(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(properties.get("LogDeliveryConfigurations") or [])
