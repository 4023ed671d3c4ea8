"""Resource types without an effect in the local cloud; a message says so when a stack creates the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cdk_redis_local._emulator.ministack import HANDLERS, Outcome, Properties, scope

_NETWORK = "connections on loopback are not filtered"
_TRAFFIC = "no traffic passes through the local VPC"
_SCALING = "no scaling policy is evaluated"
_MACHINES = "no machine runs, and user data is not executed"

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

EMULATED: dict[str, str] = {
    "AWS::EC2::SecurityGroup": _NETWORK,
    "AWS::ECS::Service": "there is no Docker: run its program with the environment of task_environment",
    "AWS::EC2::Instance": _MACHINES,
    "AWS::AutoScaling::AutoScalingGroup": _MACHINES,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "no traffic reaches the targets of a load balancer",
    "AWS::Route53::HostedZone": "the names of a zone are not resolved",
}
"""Types with a record in the APIs, and what does not happen.

Without the message, a passing test would seem to prove that they work.
"""


def register_inert(say: Callable[[str], object], chosen: Iterable[str] = ()) -> None:
    """Register the types with the emulator; the first resource of each calls ``say`` with a message.

    Args:
        say: Called with each message for the user.
        chosen: More types without an effect, which the user chose. All of their attributes have the text of their id.
    """
    reported: set[str] = set()

    def tell(resource_type: str, reason: str) -> None:
        # Security groups and their rules share one reason; report it once.
        if reason not in reported:
            reported.add(reason)
            say(f"{resource_type} has no effect in the local cloud: {reason}")

    for resource_type, reason in INERT.items():
        HANDLERS[resource_type] = _inert(resource_type, reason, tell)
    for resource_type in chosen:
        HANDLERS[resource_type] = _inert(
            resource_type, f"it is in LocalCloud(inert=...): {resource_type}", tell, _AnyName
        )
    for resource_type, reason in EMULATED.items():
        _tell_first(resource_type, reason, tell)


class _AnyName(dict[str, Any]):
    """Attributes of a resource whose type has unknown ones: each name has a value."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return str(self["Id"])


def _inert(
    resource_type: str, reason: str, tell: Callable[[str, str], None], attributes_of: type[dict[str, Any]] = dict
) -> dict[str, Any]:
    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        del properties
        tell(resource_type, reason)
        identifier = f"{stack_name}-{logical_id}"
        attributes = dict.fromkeys(("AllocationId", "Id", "NatGatewayId"), identifier)
        arn = f"arn:aws:local:{scope()[1]}:{scope()[0]}:{identifier}"
        return identifier, attributes_of({**attributes, "Arn": arn})

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
