"""Endpoints: host name and port that clients connect to.

Example:
    >>> Endpoint("cache.example.com", 6379).socket_address
    'cache.example.com:6379'
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, cast

import aws_cdk as cdk

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Endpoint:
    """A host name and a port; either may be a token.

    Attributes:
        address: Host name. Clients compare the certificate with it, so do not use an IP address.
        port: TCP port, 1 to 65535, or a number token.
    """

    address: str
    port: int
    # The port as a text token, if the resource has text.
    _port_text: str | None = field(default=None, repr=False, compare=False)

    TEXT_EXAMPLE: ClassVar[str] = "cache.example.com:6379"

    def __post_init__(self) -> None:
        """Check both fields; tokens pass."""
        problems = [*_problems_of_address(self.address), *_problems_of_port(self.port)]
        if problems:
            raise ConfigurationError("Endpoint", problems)

    @classmethod
    def from_text(cls, text: str) -> Endpoint:
        """Parse an endpoint.

        Args:
            text: ``"host:port"``; both parts may be tokens.

        Raises:
            ConfigurationError: If the text has another format, or the host name or port is invalid.
        """
        if is_token(text):
            return cls._from_token(text)
        address, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
        if not address or not re.fullmatch(r"[0-9]{1,5}", port):
            reason = 'an endpoint reads "host:port", such as "cache.example.com:6379"'
            raise ConfigurationError("Endpoint", [problem("text", text, reason)])
        return cls(address, int(port))

    @classmethod
    def from_attributes(cls, address: str, port: str | float) -> Endpoint:
        """Create an endpoint from the attributes of a resource.

        Args:
            address: Host name, usually a token.
            port: Port, usually a token: text for ElastiCache, a number for MemoryDB.
        """
        return cls(address, cast("int", cdk.Token.as_number(port)), port if isinstance(port, str) else None)

    @classmethod
    def _from_token(cls, text: str) -> Endpoint:
        """Let CloudFormation split the text, which is not known at synth."""
        address, port = (cdk.Fn.select(index, cdk.Fn.split(":", text)) for index in (0, 1))
        return cls.from_attributes(address, port)

    @property
    def port_text(self) -> str:
        """The port as text, for an environment variable or an output."""
        if self._port_text is not None:
            return self._port_text
        if is_token(self.port):
            return cdk.Tokenization.stringify_number(self.port)
        return str(self.port)

    @property
    def socket_address(self) -> str:
        """Host name and port as clients write them, ``host:port``."""
        return f"{self.address}:{self.port_text}"


def _problems_of_address(address: object) -> list[str]:
    if is_token(address) or (isinstance(address, str) and _HOST.fullmatch(address)):
        return []
    return [problem("address", address, "an address is a host name without scheme, port and path")]


def _problems_of_port(port: object) -> list[str]:
    if is_token(port):
        return []
    if isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= 65535:
        return []
    return [problem("port", port, "a port is a whole number from 1 to 65535")]
