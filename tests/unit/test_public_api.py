"""The public names of `cdk_redis` are exported and have docstrings."""

from __future__ import annotations

import inspect

import pytest

import cdk_redis


def test_all_public_names_are_exported_and_exist() -> None:
    public = {name for name, value in vars(cdk_redis).items() if not name.startswith("_") and callable(value)}

    assert public == set(cdk_redis.__all__)


@pytest.mark.parametrize("name", cdk_redis.__all__)
def test_every_public_class_and_method_has_a_docstring(name: str) -> None:
    public_class = getattr(cdk_redis, name)

    assert inspect.getdoc(public_class)
    for method, value in vars(public_class).items():
        if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, (classmethod, property))):
            assert inspect.getdoc(value), f"{name}.{method} has no docstring"


CONSTRUCTS = [
    "Acl",
    "ClientHost",
    "FailoverDrill",
    "GlobalDatastore",
    "MemoryDbCluster",
    "MemoryDbParameterGroup",
    "MemoryDbServiceLinkedRole",
    "MemoryDbUser",
    "MultiRegionCluster",
    "RedisClientLayer",
    "RedisNetwork",
    "ReplicationGroup",
    "SecondaryReplicationGroup",
    "ServerlessCache",
    "SmokeTest",
]


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_every_parameter_of_a_construct_is_described(name: str) -> None:
    constructor = getattr(cdk_redis, name).__init__
    described = inspect.getdoc(constructor) or ""

    for parameter in inspect.signature(constructor).parameters:
        if parameter != "self":
            assert f"\n    {parameter}: " in described, f"{name}({parameter}=...) is not described"
