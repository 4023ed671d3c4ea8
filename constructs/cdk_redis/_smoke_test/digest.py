"""A digest of a store: the smoke test runs again when it changes.

CloudFormation runs a trigger again only when the trigger's function changes. The digest is in the environment of the
function, so that the function changes when the store does.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
import jsii
from constructs import Construct, IConstruct, Node

from cdk_redis._core.errors import Problems
from cdk_redis._core.resource import property_overrides
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from cdk_redis._store.interface import IStore

# Attributes of a store whose constructs other stores may share. All other parts of a store are its children.
_SHARED_PARTS = ("acl", "multi_region", "parameter_group", "subnet_group", "user_group")
_LENGTH = 16
# An alarm changes nothing of the store; the alarms of a large group are in nested stacks.
_OF_ALARMS = ("AWS::CloudWatch::", "AWS::CloudFormation::Stack")


def check_rerun_on(problems: Problems, rerun_on: object) -> None:
    """Check that all of ``rerun_on`` are constructs or values that can be compared with those of the next synth."""
    if not isinstance(rerun_on, (list, tuple)):
        problems.add("rerun_on", rerun_on, "it is a list of constructs or values", "give [value]")
        return
    for given in cast("Sequence[object]", rerun_on):
        if _is_construct(given):
            construct = cast("IConstruct", given)
            if not any(_resources(construct)):
                hint = "give a value that changes with it, such as a version"
                problems.add("rerun_on", construct.node.path, "this construct defines no resource", hint)
        elif not _is_value(given):
            reason = "it is a list of constructs or of text, numbers, booleans, lists and dicts with text as keys"
            problems.add("rerun_on", given, reason, "give the value as text")


def digest(scope: Construct, target: IStore, rerun_on: Sequence[object]) -> str:
    """Return a token that resolves to a digest of the store and of ``rerun_on``.

    It is resolved at synth, when all properties and overrides are set.

    Args:
        scope: The smoke test.
        target: The store. The digest covers its resources and those of its users, user group or ACL, parameter group,
            subnet group and Multi-Region cluster.
        rerun_on: Constructs, whose resources the digest covers, and values.
    """
    return cdk.Lazy.string(_Digest(scope, target, rerun_on))


@jsii.implements(cdk.IStableStringProducer)
class _Digest:
    def __init__(self, scope: Construct, target: IStore, rerun_on: Sequence[object]) -> None:
        self._scope = scope
        self._target = target
        self._constructs = [cast("IConstruct", given) for given in rerun_on if _is_construct(given)]
        self._values = [_plain(given) for given in rerun_on if not _is_construct(given)]

    def produce(self) -> str:
        resources = {
            resource.node.path: _definition(resource)
            for construct in (*_constructs_of(self._target), *self._constructs)
            for resource in _resources(construct)
        }
        values = cdk.Stack.of(self._scope).resolve(self._values)
        return hashlib.sha256(json.dumps([resources, values], sort_keys=True).encode()).hexdigest()[:_LENGTH]


def _constructs_of(store: IStore) -> Iterator[IConstruct]:
    """The store and what it uses; a construct may occur more than once."""
    yield store
    yield from store.users
    for name in _SHARED_PARTS:
        part: Any = getattr(store, name, None)
        if _is_construct(part):
            yield part
            yield from getattr(part, "users", ())


def _resources(construct: IConstruct) -> Iterator[cdk.CfnResource]:
    for child in construct.node.find_all():
        if isinstance(child, cdk.CfnResource) and not child.cfn_resource_type.startswith(_OF_ALARMS):
            yield child


def _definition(resource: cdk.CfnResource) -> object:
    # In its own stack: a reference resolves to a logical id and not to an import from another stack.
    return cdk.Stack.of(resource).resolve([resource._cfn_properties, property_overrides(resource)])


def _is_construct(value: object) -> bool:
    return isinstance(getattr(value, "node", None), Node)


def _is_value(value: object) -> bool:
    if is_token(value):
        return True
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return all(isinstance(key, str) and _is_value(item) for key, item in items)
    if isinstance(value, (list, tuple)):
        return all(_is_value(item) for item in cast("Sequence[object]", value))
    return isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))


def _plain(value: object) -> object:
    """Convert a value to types that jsii passes by value."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast("Mapping[str, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in cast("Sequence[object]", value)]
    return value
