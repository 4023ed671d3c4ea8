"""Names and ARNs of resources in the current account and Region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from cdk_redis_local._emulator.ministack import scope
from cdk_redis_local._emulator.store import Scope, StoreKey
from cdk_redis_local._emulator.stores import Stores

Value = TypeVar("Value")


def arn(service: str, kind: str, name: str) -> str:
    """The ARN of a resource, such as ``("memorydb", "cluster", "app")``."""
    account, region = scope()
    return f"arn:aws:{service}:{region}:{account}:{kind}{'/' if service == 'memorydb' else ':'}{name}"


def store_keys(stores: Stores, service: str) -> list[StoreKey]:
    """The running stores of a service, and those that are created or deleted just now, in the order of their names."""
    keys = {*stores.running(), *stores.changes.keys()}
    return sorted((key for key in keys if (key.service, key.scope) == (service, scope())), key=lambda key: key.name)


def in_scope(resources: Mapping[tuple[str, Scope, str], Value], kind: str) -> dict[str, Value]:
    """The resources of a kind in the current account and Region, by name."""
    return {name: value for (of, place, name), value in list(resources.items()) if (of, place) == (kind, scope())}
