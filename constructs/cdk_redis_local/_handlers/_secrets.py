"""Secrets in CloudFormation: ``Ref`` gives the ARN, as on AWS, where the emulator gives the name.

The CDK writes the ``Ref`` of a secret where an ARN belongs: in the policy of whoever may read it, for one.
"""

from __future__ import annotations

from ._emulator import HANDLERS, Outcome, Properties

_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a resource type


def register_secrets() -> None:
    """Put the handlers around the emulator's own, which know a secret by its name."""
    emulated = dict(HANDLERS[_SECRET])

    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        _, attributes = emulated["create"](logical_id, properties, stack_name)
        return attributes["Arn"], attributes

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Outcome:
        _, attributes = emulated["update"](_name(physical_id), old, new, stack_name, logical_id)
        return attributes["Arn"], attributes

    def delete(physical_id: str, properties: Properties) -> None:
        emulated["delete"](_name(physical_id), properties)

    HANDLERS[_SECRET] = {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _name(arn: str) -> str:
    # arn:aws:secretsmanager:us-east-1:000000000000:secret:the-name-a1b2c3
    return arn.partition(":secret:")[2].rpartition("-")[0]
