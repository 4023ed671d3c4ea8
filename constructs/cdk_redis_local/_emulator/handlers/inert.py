"""Resource types that have no effect here: they are recorded, and the local cloud says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cdk_redis_local._emulator.ministack import HANDLERS, Outcome, Properties, scope

_NETWORK = "nothing filters connections on loopback: who may reach whom is not enforced here"
_SCALING = "nothing here measures a load that would scale a store"

INERT: dict[str, str] = {
    "AWS::EC2::SecurityGroupEgress": _NETWORK,
    "AWS::EC2::SecurityGroupIngress": _NETWORK,
    "AWS::EC2::NetworkAcl": _NETWORK,
    "AWS::EC2::NetworkAclEntry": _NETWORK,
    "AWS::EC2::SubnetNetworkAclAssociation": _NETWORK,
    "AWS::EC2::FlowLog": "no traffic passes through the local VPC, so there is nothing to log",
    "AWS::ApplicationAutoScaling::ScalableTarget": _SCALING,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _SCALING,
}
"""Each inert type, with the reason."""

# Real here, but of no effect on the network: said as well, or a passing test would seem to prove more than it does.
_SAID_AS_WELL = {"AWS::EC2::SecurityGroup": _NETWORK}


def register_inert(say: Callable[[str], object]) -> None:
    """Put the inert types into the emulator's table; ``say`` is told of the first resource of each."""
    told: set[str] = set()

    def tell(resource_type: str, reason: str) -> None:
        # Security groups and their rules share one reason: once is enough.
        if reason not in told:
            told.add(reason)
            say(f"{resource_type} has no effect in the local cloud: {reason}")

    for resource_type, reason in INERT.items():
        HANDLERS[resource_type] = _inert(resource_type, reason, tell)
    for resource_type, reason in _SAID_AS_WELL.items():
        _tell_first(resource_type, reason, tell)


def _inert(resource_type: str, reason: str, tell: Callable[[str, str], None]) -> dict[str, Any]:
    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        del properties
        tell(resource_type, reason)
        identifier = f"{stack_name}-{logical_id}"
        return identifier, {"Id": identifier, "Arn": f"arn:aws:local:{scope()[1]}:{scope()[0]}:{identifier}"}

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        del old
        return create(logical_id or physical_id, new, stack_name)

    return {
        "create": create,
        "update": update,
        "update_with_logical_id": True,
        "delete": lambda physical_id, properties: None,  # noqa: ARG005
    }


def _tell_first(resource_type: str, reason: str, tell: Callable[[str, str], None]) -> None:
    own = dict(HANDLERS[resource_type])
    emulated = own["create"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        tell(resource_type, reason)
        return emulated(logical_id, properties, stack_name)

    HANDLERS[resource_type] = {**own, "create": create}
