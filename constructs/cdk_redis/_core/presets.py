"""Which preset applies to a construct: its own, or that of the nearest scope that has one."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Protocol, cast

import aws_cdk as cdk
from constructs import Construct, IConstruct

from cdk_redis._core.naming import description_of

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs

_KEY = "CdkRedisKey"


class Values(Protocol):
    """What the constructors need of a `Preset`."""

    @property
    def log_retention(self) -> logs.RetentionDays | None:
        """How long the log groups of the library's functions are kept."""
        ...

    @property
    def stack_kms_key(self) -> bool | None:
        """Whether a key of the stack encrypts secrets and log groups that the library creates."""
        ...

    def arguments_for(self, parameters: Collection[str], given: Mapping[str, object]) -> dict[str, object]:
        """Arguments for parameters that were not given."""
        ...


_presets: weakref.WeakKeyDictionary[IConstruct, Values] = weakref.WeakKeyDictionary()


def set_preset(scope: IConstruct, preset: Values) -> None:
    """Let a preset apply to a construct and to those that are defined in it from now on."""
    _presets[scope] = preset


def preset_of(scope: IConstruct) -> Values | None:
    """Return the preset that applies to a construct, or None."""
    # Each access to the tree costs time, and most apps have no preset.
    if not _presets:
        return None
    return next((_presets[one] for one in reversed(scope.node.scopes) if one in _presets), None)


def log_retention_of(scope: Construct) -> logs.RetentionDays | None:
    """Return how long log groups are kept, or None if no preset says it."""
    preset = preset_of(scope)
    return None if preset is None else preset.log_retention


def encryption_key_of(scope: Construct) -> kms.IKey | None:
    """Return the key of the stack for secrets and log groups, defined at first use; None if no preset asks for it.

    The key stays when the stack is deleted: log groups and secrets that stay need it.
    """
    preset = preset_of(scope)
    if preset is None or not preset.stack_kms_key:
        return None
    from aws_cdk import aws_kms as kms

    stack = cdk.Stack.of(scope)
    key = stack.node.try_find_child(_KEY) or kms.Key(
        stack,
        _KEY,
        description=description_of(f"Log groups and secrets of {stack.node.path}"),
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    return cast("kms.IKey", key)
