"""The shape of a rule: what a service refuses, with its words and their source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from cdk_redis_local._core.errors import LocalCloudError

Properties = Mapping[str, Any]


class RefusedError(LocalCloudError):
    """AWS refuses a resource, or a change of one; the message is that of a stack event on AWS.

    Attributes:
        code: The error code of the service's API.
        words: The message of the service's API.
    """

    def __init__(self, message: str, code: str = "InvalidParameterValue", words: str = "") -> None:
        """Describe the refusal."""
        super().__init__(message)
        self.code = code
        self.words = words or message


@dataclass(frozen=True)
class Known:
    """What exists in an account and Region when a resource is created, changed or deleted.

    Attributes:
        resources: The properties of the resources of both services, by type and name.
        machine: The engines of this machine, such as ``("redis", "8.0")``. The local cloud runs them also if AWS does
            not offer them.
    """

    resources: Mapping[str, Mapping[str, Properties]] = field(default_factory=dict[str, dict[str, Properties]])
    machine: frozenset[tuple[str, str]] = frozenset()

    def find(self, resource_type: str, name: object) -> Properties | None:
        """The properties of the resource with this name; None if there is none."""
        return self.resources.get(resource_type, {}).get(str(name).lower())

    def all_of(self, resource_type: str) -> Iterable[tuple[str, Properties]]:
        """The names and properties of all resources of a type."""
        return self.resources.get(resource_type, {}).items()


@dataclass(frozen=True)
class Case:
    """A resource that is created, changed or deleted.

    Attributes:
        type: Its resource type.
        name: Its name; empty if CloudFormation generates it.
        new: Its properties in the template.
        old: Its properties until now; None if it is created.
        known: What exists.
        region: The Region.
        logical_id: Its name in the template.
    """

    type: str
    name: str
    new: Properties
    old: Properties | None = None
    known: Known = field(default_factory=Known)
    region: str = "us-east-1"
    logical_id: str = "Resource"


Broken = Callable[[Case], object]
"""Whether a case breaks a rule: a false value if not; True, or what goes into the words, if so."""


@dataclass(frozen=True)
class Rule:
    """Something that a service refuses.

    Attributes:
        type: The resource type.
        code: The error code of the service's API.
        words: The service's message, with ``{}`` for what the check returns.
        broken: Returns a false value if the case is legal; else True or what goes into the words.
        source: Where the words are documented or were seen.
    """

    type: str
    code: str
    words: str
    broken: Broken
    source: str

    def refusal(self, case: Case) -> str | None:
        """The message of the service, or None if it accepts the case."""
        found = self.broken(case)
        if found is None or found is False:
            return None
        values = found if isinstance(found, tuple) else () if found is True else (found,)
        return self.words.format(*cast("tuple[object, ...]", values))


def flag(value: object) -> bool:
    """Whether a boolean property is set; templates have booleans and texts."""
    return str(value).lower() == "true"


def number(value: object) -> int | None:
    """The value of an integer property; None if it is absent."""
    return None if value is None else int(float(str(value)))


def text(value: object) -> str:
    """The value of a text property; empty if it is absent."""
    return "" if value is None else str(value)
