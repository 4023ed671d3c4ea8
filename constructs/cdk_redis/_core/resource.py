"""Definition of CloudFormation resources with all versions of aws-cdk-lib that the library supports."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from importlib import metadata
from typing import Any, Concatenate, ParamSpec, TypeVar

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.errors import Problems

_Properties = ParamSpec("_Properties")
_Resource = TypeVar("_Resource", bound=Construct)

_OVERRIDES = "_cdk_redis_overrides"
# The first version of aws-cdk-lib with a property, if it is newer than the oldest version in pyproject.toml.
_SINCE = {"durability": "2.260.0", "network_type": "2.258.0"}


def define(
    kind: Callable[Concatenate[Construct, str, _Properties], _Resource],
    scope: Construct,
    id: str,
    *nothing: _Properties.args,  # noqa: ARG001 - a ParamSpec has it
    **properties: _Properties.kwargs,
) -> _Resource:
    """Define a resource, and pass only the properties that are set.

    New versions of aws-cdk-lib add properties to the L1 classes. An older L1 class raises a TypeError for a property
    that it does not know, even if the value is None.

    Args:
        kind: The L1 class.
        scope: Construct the resource is defined in.
        id: Id within the scope.
        nothing: Not used: properties are keyword arguments.
        properties: Its properties; those that are None are left out.

    Raises:
        ConfigurationError: For properties that the installed aws-cdk-lib does not know, with the version that does.
    """
    given: dict[str, Any] = {name: value for name, value in properties.items() if value is not None}
    # From the constructor: the signature of the class is that of jsii's metaclass.
    known = inspect.signature(kind.__init__).parameters
    problems = Problems(scope)
    for name in sorted(given.keys() - known):
        problems.add(name, given[name], *_too_old(_SINCE.get(name)))
    problems.raise_if_any()
    make: Callable[..., _Resource] = _recording(kind)
    return make(scope, id, **given)


def property_overrides(resource: cdk.CfnResource) -> list[list[object]]:
    """Overrides of a resource's properties, in order: path that begins with ``Properties``, and value (None: deleted).

    Only for a resource that `define` defined: the CDK has no public attribute for overrides.
    """
    recorded: list[tuple[str, object]] = getattr(resource, _OVERRIDES, [])
    return [[path, value] for path, value in recorded if path.split(".")[0] == "Properties"]


@cache
def _recording(kind: Any) -> Any:
    """Extend an L1 class to record overrides.

    All methods of the CDK for overrides call ``add_override``, also when JavaScript calls them.
    """

    def add_override(self: Any, path: str, value: object) -> None:
        self.__dict__.setdefault(_OVERRIDES, []).append((path, value))
        kind.add_override(self, path, value)

    return type(kind)(kind.__name__, (kind,), {"add_override": add_override})


def _too_old(since: str | None) -> tuple[str, str]:
    installed = f"the installed aws-cdk-lib {metadata.version('aws-cdk-lib')} does not know it"
    if since is None:
        return installed, "install a newer aws-cdk-lib"
    return f"{installed}, version {since} or newer does", f'run: pip install "aws-cdk-lib>={since}"'
