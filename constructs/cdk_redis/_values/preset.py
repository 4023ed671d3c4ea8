"""Presets: values for parameters that a caller leaves out, for environments such as development and production.

Example:
    >>> Preset.prod().replicas
    2
    >>> Preset.prod(replicas=1).replicas
    1
    >>> Preset.dev().snapshots
    1
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.annotations import read_annotation
from cdk_redis._core.arguments import checked_arguments
from cdk_redis._core.errors import Problems
from cdk_redis._core.presets import set_preset

if TYPE_CHECKING:
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_sns as sns
    from typing_extensions import Unpack

    from cdk_redis._values.snapshots import Snapshots

# Values that are not filled in if one of these parameters is given, because a constructor rejects both.
_NOT_WITH = {
    "create_kms_key": ("kms_key",),
    "flow_log_retention": ("vpc",),
    "log_retention": ("log_group",),
    "replicas": ("placement",),
    "zones": ("vpc", "zone_ids"),
}


class PresetValues(TypedDict, total=False):
    """Keyword parameters of `Preset.dev` and `Preset.prod`: the attributes of `Preset`."""

    replicas: int | None
    zones: int | None
    snapshots: Snapshots | str | int | None
    removal_policy: cdk.RemovalPolicy | str | None
    auto_minor_version_upgrade: bool | None
    log_retention: logs.RetentionDays | None
    flow_log_retention: logs.RetentionDays | None
    create_kms_key: bool | None
    stack_kms_key: bool | None
    alarms: bool | None
    alarm_topic: sns.ITopic | None
    termination_protection: bool | None


@dataclass(frozen=True)
class Preset:
    """Values for parameters that a caller leaves out. An argument that is given always wins. Use `dev` or `prod`.

    A value applies to each construct that has a parameter of its name, and to no other: a serverless cache has no
    replicas. None leaves the default of the constructor. docs/compliance.md has a table of all values and constructs.

    Attributes:
        replicas: Replicas of each shard; not of a store with `placement`.
        zones: Availability zones of the VPC that a network defines. A change of the number replaces a serverless cache.
        snapshots: Daily snapshots; a number is the days that each is kept.
        removal_policy: What happens to a store that leaves the stack.
        auto_minor_version_upgrade: Whether AWS installs minor versions in the maintenance window.
        log_retention: How long the log groups of smoke tests and drills are kept.
        flow_log_retention: How long the flow log of the VPC that a network defines is kept.
        create_kms_key: Whether each store creates a key for its data. A change replaces a store.
        stack_kms_key: Whether a key of the stack, created at first use, encrypts the secrets and the log groups that
            the library creates, unless they have another key. AWS charges 1 USD a month for a key.
        alarms: Whether each store gets the alarms of `add_alarms`.
        alarm_topic: Topic of the alarms of stores, and of smoke tests that have one. Default: - they notify nobody.
        termination_protection: For your stacks: ``Stack(..., termination_protection=preset.termination_protection)``.
    """

    replicas: int | None = None
    zones: int | None = None
    snapshots: Snapshots | str | int | None = None
    removal_policy: cdk.RemovalPolicy | str | None = None
    auto_minor_version_upgrade: bool | None = None
    log_retention: logs.RetentionDays | None = None
    flow_log_retention: logs.RetentionDays | None = None
    create_kms_key: bool | None = None
    stack_kms_key: bool | None = None
    alarms: bool | None = None
    alarm_topic: sns.ITopic | None = None
    termination_protection: bool | None = None

    def __post_init__(self) -> None:
        """Check the type of every value; the constructors check what AWS allows."""
        problems = Problems("Preset")
        for field in dataclasses.fields(self):
            read_annotation(str(field.type)).check(problems, field.name, getattr(self, field.name))
        problems.raise_if_any()

    @classmethod
    @checked_arguments
    def dev(cls, **values: Unpack[PresetValues]) -> Preset:
        """For development: little cost, and data that may be lost.

        Args:
            values: Other values than those of this preset.

        Raises:
            ConfigurationError: If there is no such value, or it has another type.
        """
        from aws_cdk import aws_logs as logs

        return cls._of(
            "Preset.dev",
            PresetValues(
                replicas=0,
                zones=2,
                snapshots=1,
                removal_policy=cdk.RemovalPolicy.DESTROY,
                auto_minor_version_upgrade=True,
                log_retention=logs.RetentionDays.ONE_WEEK,
                flow_log_retention=logs.RetentionDays.ONE_WEEK,
                stack_kms_key=False,
                alarms=False,
                termination_protection=False,
            ),
            values,
        )

    @classmethod
    @checked_arguments
    def prod(cls, **values: Unpack[PresetValues]) -> Preset:
        """For production: what the rules of AwsSolutions, HIPAA, NIST 800-53 and PCI DSS in cdk-nag ask for.

        It can be added to stores that exist: none of its values replaces a store, but for `zones` and a serverless
        cache.

        Args:
            values: Other values than those of this preset.

        Raises:
            ConfigurationError: If there is no such value, or it has another type.
        """
        from aws_cdk import aws_logs as logs

        return cls._of(
            "Preset.prod",
            PresetValues(
                replicas=2,
                zones=3,
                snapshots=15,
                removal_policy=cdk.RemovalPolicy.SNAPSHOT,
                auto_minor_version_upgrade=True,
                log_retention=logs.RetentionDays.ONE_YEAR,
                flow_log_retention=logs.RetentionDays.ONE_YEAR,
                stack_kms_key=True,
                alarms=True,
                termination_protection=True,
            ),
            values,
        )

    @checked_arguments
    def use_in(self, construct: Construct) -> None:
        """Let the preset apply to all constructs that are defined in an app, a stack or another construct from now on.

        The parameter `preset` of a construct wins, and so does the preset of a nearer scope.

        Args:
            construct: The app, a stack or another construct.
        """
        set_preset(construct, self)

    def arguments_for(self, parameters: Collection[str], given: Mapping[str, object]) -> dict[str, object]:
        """Return arguments for parameters of a constructor that were not given.

        Args:
            parameters: Names of its parameters.
            given: The arguments that were given, by name.
        """
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: value
            for name, value in values.items()
            if value is not None and name in parameters and name not in given and _fits(name, given)
        }

    @classmethod
    def _of(cls, where: str, values: PresetValues, overrides: PresetValues) -> Preset:
        problems = Problems(where)
        names = [field.name for field in dataclasses.fields(cls)]
        for name in overrides.keys() - names:
            closest = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {closest[0]!r}?" if closest else ""
            problems.note(f"{name}: a preset has no such value, but {', '.join(names)}{hint}")
        problems.raise_if_any()
        return cls(**cast("dict[str, Any]", {**values, **overrides}))


def _fits(name: str, given: Mapping[str, object]) -> bool:
    if any(given.get(other) is not None for other in _NOT_WITH.get(name, ())):
        return False
    if name != "alarm_topic":
        return True
    # A smoke test has an alarm with a schedule, or if a failure is a warning: `OnFailure.WARN`, or its text.
    on_failure = given.get("on_failure")
    return given.get("schedule") is not None or getattr(on_failure, "value", on_failure) == "warn"
