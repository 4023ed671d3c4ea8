"""Reads the settings of a store from texts: environment variables, or the fields of a connection record."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from cdk_redis_runtime._client import environment as env

RECORD_VERSION = "1"
"""Version of the record that this package writes and reads."""


class SettingsError(ValueError):
    """The environment, or a connection record, does not describe a store.

    Attributes:
        problems: One sentence a variable or a field.
    """

    def __init__(self, problems: list[str], source: str = "the environment") -> None:
        """Describe the problems.

        Args:
            problems: At least one sentence.
            source: Where the settings were read from.
        """
        self.problems = tuple(problems)
        super().__init__(f"{source} does not describe a store: " + "; ".join(problems))


def whole_number(text: str, low: int, high: int) -> int:
    """Read a whole number within bounds.

    Raises:
        ValueError: It is not; the message has what was given and what is allowed.
    """
    if text.isascii() and text.isdigit() and low <= int(text) <= high:
        return int(text)
    raise ValueError(f"got {text!r}, allowed is a whole number from {low} to {high}")


def host_and_port(text: str) -> tuple[str, int | None]:
    """Read a host with or without a port: ``name``, ``name:6379``, ``::1``, ``[::1]`` or ``[::1]:6379``.

    Returns:
        The host, an IPv6 address without its brackets, and the port or None.

    Raises:
        ValueError: It is neither; the message has what was given and what is allowed.
    """
    bracketed = re.fullmatch(r"\[(.*)\](?::(.*))?", text)
    host, port = bracketed.groups() if bracketed else (text, None)
    with contextlib.suppress(ValueError):
        if bracketed or text.count(":") > 1:
            ipaddress.IPv6Address(host)
        elif ":" in text:
            host, port = text.split(":")
        if host:
            return host, None if port is None else whole_number(port, 1, 65535)
    raise ValueError(
        f"got {text!r}, allowed is HOST or HOST:PORT, with a port from 1 to 65535, an IPv6 address with a port in "
        "brackets: [::1]:6379"
    )


class Reader:
    """Reads variables and collects every problem instead of stopping at the first."""

    def __init__(
        self, values: Mapping[str, str], key: Callable[[str], str] = str, source: str = "the environment"
    ) -> None:
        """Keep the values.

        Args:
            values: ``os.environ``, or the like.
            key: Returns the key of a variable in ``values``, which problems quote, too. Default: - its name.
            source: Where the values are from, for the error.
        """
        self._values = values
        self._key = key
        self._source = source
        self._problems: list[str] = []

    def has(self, name: str) -> bool:
        """Whether a variable has a value."""
        return bool(self._values.get(self._key(name)))

    def text(self, *names: str) -> str:
        """The value of the first of these variables that has one; a problem if none has."""
        keys = [self._key(name) for name in names]
        for key in keys:
            if value := self._values.get(key):
                return value
        self.note(f"{' or '.join(keys)} is not set")
        return ""

    def names(self, name: str) -> tuple[str, ...]:
        """The values of a list that is separated by commas; empty without the variable."""
        return tuple(self.text(name).split(",")) if self.has(name) else ()

    def choice(self, name: str, *allowed: str) -> str:
        """A value that must be one of those allowed."""
        value = self.text(name)
        if value and value not in allowed:
            self.note(f"{self._key(name)}: got {value!r}, allowed are {', '.join(allowed)}")
        return value

    def boolean(self, name: str) -> bool:
        """``true`` or ``false``."""
        return self.choice(name, "true", "false") == "true"

    def number(self, name: str, low: int, high: int) -> int:
        """A whole number within bounds."""
        text = self.text(name)
        if not text:
            return low
        try:
            return whole_number(text, low, high)
        except ValueError as error:
            self.note(f"{self._key(name)}: {error}")
            return low

    def note(self, problem: str) -> None:
        """Add a problem."""
        self._problems.append(problem)

    def raise_if_any(self) -> None:
        """Raise the error if there are problems."""
        if self._problems:
            raise SettingsError(self._problems, self._source)


def record_reader(text: str, source: str = "the record") -> Reader:
    """Make a reader of a connection record, whose fields have the names of the variables.

    Args:
        text: The record as JSON.
        source: Where the record is from, for the error.

    Raises:
        SettingsError: The text is not a record. The text is not quoted, because it could be a secret.
    """
    try:
        given: Any = json.loads(text)
    except ValueError:
        problem = "it is not JSON; give the value of the parameter that store.share() created, not its name"
        raise SettingsError([problem], source) from None
    if not isinstance(given, dict):
        raise SettingsError(["it is not a JSON object"], source)
    fields = cast("dict[str, Any]", given)
    if problems := [f"{key} is not a text" for key, value in fields.items() if not isinstance(value, str)]:
        raise SettingsError(problems, source)
    read = Reader(fields, record_field, source)
    if fields.get("version") != RECORD_VERSION:
        read.note(
            f"version: got {fields.get('version', '')!r}, this version of cdk-redis-runtime reads {RECORD_VERSION!r}"
        )
    return read


def record_field(variable: str) -> str:
    """The field of a record that has the value of a variable: ``host`` for ``CDK_REDIS_HOST``."""
    return variable.removeprefix(env.PREFIX).lower()
