"""Alarms that a preset asks for, defined when the app is synthesized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import aws_cdk as cdk
import jsii
from constructs import IConstruct

from cdk_redis._core.presets import preset_of

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns

    from cdk_redis._store.interface import IStore


class _AlarmValues(Protocol):
    @property
    def alarms(self) -> bool | None: ...

    @property
    def alarm_topic(self) -> sns.ITopic | None: ...


def use_alarms_of_preset(store: IStore) -> None:
    """Give a store the alarms of its preset at synth, unless `add_alarms` was called.

    Not in the constructor: auto scaling, which is added later, changes the nodes that alarms watch.
    """
    preset = cast("_AlarmValues | None", preset_of(store))
    if preset is not None and preset.alarms:
        cdk.Aspects.of(store).add(cast("cdk.IAspect", _AddAlarms(store, preset.alarm_topic)))


@jsii.implements(cdk.IAspect)
class _AddAlarms:
    def __init__(self, store: IStore, topic: sns.ITopic | None) -> None:
        self._store, self._topic = store, topic

    def visit(self, node: IConstruct) -> None:  # noqa: ARG002 - the first node is the store
        if not self._store.alarms:
            self._store.add_alarms(self._topic)
