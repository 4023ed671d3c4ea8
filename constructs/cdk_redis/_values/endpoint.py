"""Endpoints: where clients connect to a store.

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
        address: Host name. Certificates are checked against it, so do not put an IP address in its place.
        port: TCP port, 1 to 65535, or a number token.
    """

    address: str
    port: int
    # The text that the port came as, for where text is asked for.
    _port_text: str | None = field(default=None, repr=False, compare=False)

    TEXT_EXAMPLE: ClassVar[str] = "cache.example.com:6379"

    def __post_init__(self) -> None:
        """Check what is known already."""
        problems = [*_problems_of_address(self.address), *_problems_of_port(self.port)]
        if problems:
            raise ConfigurationError("Endpoint", problems)

    @classmethod
    def from_text(cls, text: str) -> Endpoint:
        """Read an endpoint.

        Args:
            text: ``"host:port"``; both parts may be tokens.

        Raises:
            ConfigurationError: If the text has another form, or a part is wrong.
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
        """An endpoint from the attributes of a resource.

        Args:
            address: Host name, usually a token.
            port: Port as the resource gives it: ElastiCache has text tokens here, MemoryDB number tokens.
        """
        return cls(address, cast("int", cdk.Token.as_number(port)), port if isinstance(port, str) else None)

    @classmethod
    def _from_token(cls, text: str) -> Endpoint:
        """Let CloudFormation split text that is known when it deploys."""
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
    return [problem("address", address, "an address is a host name, with no scheme, port or path")]


def _problems_of_port(port: object) -> list[str]:
    if is_token(port):
        return []
    if isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= 65535:
        return []
    return [problem("port", port, "a port is a whole number from 1 to 65535")]
