"""The emulator's log groups."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ministack.services import cloudwatch_logs


class LogEvent(NamedTuple):
    """A line in a log stream; ``time`` is in seconds since 1970."""

    time: float
    message: str


def has_log_group(name: str) -> bool:
    """Whether a log group exists in the current account and Region."""
    return name in cloudwatch_logs._log_groups


def write_log(group: str, stream: str, events: Sequence[LogEvent]) -> None:
    """Add events to a stream of a log group; creates the stream if it does not exist."""
    names = {"logGroupName": group, "logStreamName": stream}
    # Answers with an error if it exists.
    cloudwatch_logs._create_log_stream(names)
    listed = [{"timestamp": int(event.time * 1000), "message": event.message} for event in events]
    cloudwatch_logs._put_log_events({**names, "logEvents": listed})
