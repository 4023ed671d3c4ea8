"""The lines of delivered logs, in AWS's formats.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Log_Delivery.html
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SLOW_LOG, ENGINE_LOG = "slow-log", "engine-log"
# A cache cluster of a replication group has one cache node.
_NODE = "0001"
_LEVELS = {".": "DEBUG", "-": "VERBOSE", "*": "NOTICE", "#": "WARNING"}
# 31434:M 22 Nov 2026 05:30:42.123 * Ready to accept connections
_ENGINE_LINE = re.compile(r"\d+:([MSCX]) (\d+ \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3}) ([.*#-]) (.*)")
_ENGINE_TIME = "%d %b %Y %H:%M:%S.%f"


@dataclass(frozen=True)
class SlowEntry:
    """An entry of ``SLOWLOG GET``.

    Attributes:
        id: Number of the entry since the engine started.
        time: When the command ran, in seconds since 1970.
        microseconds: How long it ran.
        command: The command.
        address: Address and port of the client.
        client: Name of the client.
    """

    id: int
    time: int
    microseconds: int
    command: str
    address: str
    client: str

    @staticmethod
    def of(entry: Mapping[str, Any]) -> SlowEntry:
        """The entry, from what redis-py returns."""
        return SlowEntry(
            int(entry["id"]),
            int(entry["start_time"]),
            int(entry["duration"]),
            _without_arguments(_text(entry["command"])),
            _text(entry.get("client_address", "")),
            _text(entry.get("client_name", "")),
        )

    def line(self, node: str, form: str) -> str:
        """The line for a node, in the format ``json`` or ``text``."""
        if form == "text":
            values = (node, _NODE, self.time, self.microseconds, self.command, self.address, self.client)
            return ",".join(map(str, values))
        return json.dumps(
            {
                "CacheClusterId": node,
                "CacheNodeId": _NODE,
                "Id": self.id,
                "Timestamp": self.time,
                "Duration (us)": self.microseconds,
                "Command": self.command,
                "ClientAddress": self.address,
                "ClientName": self.client,
            }
        )


@dataclass(frozen=True)
class EngineLine:
    """A line of an engine's own log.

    Attributes:
        role: ``M`` for a primary, ``S`` for a replica, ``C`` for a child process, ``X`` for a sentinel.
        time: Its time.
        mark: The engine's mark for the level of the message.
        message: The message.
    """

    role: str
    time: dt.datetime
    mark: str
    message: str

    @staticmethod
    def read(line: str) -> EngineLine | None:
        """The parts of a line; None for other lines, such as the picture at the start."""
        match = _ENGINE_LINE.fullmatch(line)
        if match is None:
            return None
        role, time, mark, message = match.groups()
        # The engine writes the time of this machine's time zone.
        local = dt.datetime.strptime(time, _ENGINE_TIME).astimezone()
        return EngineLine(role, local.astimezone(dt.timezone.utc), mark, message)

    def line(self, node: str, form: str) -> str:
        """The line for a node, in the format ``json`` or ``text``."""
        time = f"{self.time:%d %b %Y %H:%M:%S}.{self.time.microsecond // 1000:03} UTC"
        if form == "text":
            return f"{node}/{_NODE}:{self.role} {time} {self.mark} {self.message}"
        return json.dumps(
            {
                "CacheClusterId": node,
                "CacheNodeId": _NODE,
                "LogLevel": _LEVELS[self.mark],
                "Role": self.role,
                "Time": time,
                "Message": self.message,
            }
        )


def stream_name(engine: str, node: str, kind: str) -> str:
    """The name of the log stream of a node; ``kind`` is ``slow-log`` or ``engine-log``."""
    return f"elasticache/{engine}/{node}/{_NODE}/{kind}"


def _without_arguments(command: str) -> str:
    """The command as AWS shows it: keys and values may be secret."""
    name, *arguments = command.split(" ")
    return f"{name} ... ({len(arguments)} more arguments)" if arguments else name


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
