"""CloudFormation resources, defined by every version of aws-cdk-lib that the library supports."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import metadata
from typing import Any, Concatenate, ParamSpec, TypeVar

from constructs import Construct

from cdk_redis._core.errors import Problems

_Properties = ParamSpec("_Properties")
_Resource = TypeVar("_Resource", bound=Construct)

# The first aws-cdk-lib that knows them, where that is newer than the oldest one in pyproject.toml.
_SINCE = {"durability": "2.260.0", "network_type": "2.258.0"}


def define(
    kind: Callable[Concatenate[Construct, str, _Properties], _Resource],
    scope: Construct,
    id: str,
    *nothing: _Properties.args,  # noqa: ARG001 - a ParamSpec has it
    **properties: _Properties.kwargs,
) -> _Resource:
    """Define a resource with the properties that are set, and pass those alone.

    The L1 classes grow with CloudFormation: an older one ends in a TypeError for a property that it does not know,
    even if that is None.

    Args:
        kind: The L1 class.
        scope: Construct the resource is defined in.
        id: Id within the scope.
        nothing: Nothing: properties have names.
        properties: Its properties; those that are None are left out.

    Raises:
        ConfigurationError: For properties that the installed aws-cdk-lib does not know, with the version that does.
    """
    given: dict[str, Any] = {name: value for name, value in properties.items() if value is not None}
    # Of its constructor: the signature of the class itself is that of jsii's metaclass.
    known = inspect.signature(kind.__init__).parameters
    problems = Problems(scope)
    for name in sorted(given.keys() - known):
        problems.add(name, given[name], *_too_old(_SINCE.get(name)))
    problems.raise_if_any()
    make: Callable[..., _Resource] = kind
    return make(scope, id, **given)


def _too_old(since: str | None) -> tuple[str, str]:
    installed = f"the installed aws-cdk-lib {metadata.version('aws-cdk-lib')} does not know it"
    if since is None:
        return installed, "install a newer aws-cdk-lib"
    return f"{installed}, version {since} or newer does", f'run: pip install "aws-cdk-lib>={since}"'
