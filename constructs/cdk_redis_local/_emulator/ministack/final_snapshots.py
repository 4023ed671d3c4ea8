"""Final snapshots: what CloudFormation does for ``DeletionPolicy`` and ``UpdateReplacePolicy`` with ``Snapshot``."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import contextvars
import secrets
from collections.abc import Callable
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from cdk_redis_local._emulator.insides import replace

# The emulator reads the policy of a resource right before it deletes the resource.
_policy: contextvars.ContextVar[str] = contextvars.ContextVar("removal_policy", default="Delete")


def take_final_snapshots(resource_type: str, take: Callable[[str, str], object]) -> None:
    """Take a snapshot before CloudFormation deletes or replaces a resource of a type whose policy is ``Snapshot``.

    As on AWS, there is none if CloudFormation deletes a resource that it has just created, in a rollback.

    Args:
        resource_type: The type.
        take: Called with the physical id and the name of the snapshot, on the thread that then deletes the resource. If
            it fails, the resource is not deleted.
    """
    read, emulated = stacks._resource_policy, provisioners._delete_resource

    def read_policy(*arguments: Any) -> str:
        policy = str(read(*arguments))
        _policy.set(policy)
        return policy

    def delete(
        deleted_type: str,
        physical_id: str,
        props: Any,
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> Any:
        if deleted_type == resource_type and _policy.get() == "Snapshot" and not _rolls_back(stack_name):
            take(physical_id, f"{stack_name}-snapshot-{logical_id}-{secrets.token_hex(6)}".lower())
        return emulated(deleted_type, physical_id, props, stack_name, logical_id)

    replace(stacks, "_resource_policy", read_policy)
    replace(provisioners, "_delete_resource", delete)


def _rolls_back(stack_name: str | None) -> bool:
    stack = cloudformation._stacks.get(stack_name) or {}
    return "ROLLBACK" in str(stack.get("StackStatus", ""))
