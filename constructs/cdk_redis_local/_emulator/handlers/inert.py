"""Resource types without an effect in the local cloud; a message says so when a stack creates the first one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cdk_redis_local._emulator.ministack import HANDLERS, Outcome, Properties, scope

_NETWORK = "connections on loopback are not filtered"
_TRAFFIC = "no traffic passes through the local VPC"
_SCALING = "no scaling policy is evaluated"

INERT: dict[str, str] = {
    "AWS::EC2::SecurityGroupEgress": _NETWORK,
    "AWS::EC2::SecurityGroupIngress": _NETWORK,
    "AWS::EC2::NetworkAcl": _NETWORK,
    "AWS::EC2::NetworkAclEntry": _NETWORK,
    "AWS::EC2::SubnetNetworkAclAssociation": _NETWORK,
    "AWS::EC2::EIP": _TRAFFIC,
    "AWS::EC2::FlowLog": _TRAFFIC,
    "AWS::EC2::NatGateway": _TRAFFIC,
    "AWS::ApplicationAutoScaling::ScalableTarget": _SCALING,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _SCALING,
}
"""The types without an effect, with the reason."""

# The emulator supports these types, but it does not filter connections and runs no containers either. Without the
# message, a passing test would seem to prove that they work.
_EMULATED = {
    "AWS::EC2::SecurityGroup": _NETWORK,
    "AWS::ECS::Service": "there is no Docker: run its program with the environment of task_environment",
}


def register_inert(say: Callable[[str], object]) -> None:
    """Register the types with the emulator; the first resource of each calls ``say`` with a message."""
    reported: set[str] = set()

    def tell(resource_type: str, reason: str) -> None:
        # Security groups and their rules share one reason; report it once.
        if reason not in reported:
            reported.add(reason)
            say(f"{resource_type} has no effect in the local cloud: {reason}")

    for resource_type, reason in INERT.items():
        HANDLERS[resource_type] = _inert(resource_type, reason, tell)
    for resource_type, reason in _EMULATED.items():
        _tell_first(resource_type, reason, tell)


def _inert(resource_type: str, reason: str, tell: Callable[[str, str], None]) -> dict[str, Any]:
    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        del properties
        tell(resource_type, reason)
        identifier = f"{stack_name}-{logical_id}"
        attributes = dict.fromkeys(("AllocationId", "Id", "NatGatewayId"), identifier)
        return identifier, {**attributes, "Arn": f"arn:aws:local:{scope()[1]}:{scope()[0]}:{identifier}"}

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
