"""The public names of `cdk_redis` are exported and have docstrings."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import cdk_redis


def test_all_public_names_are_exported_and_exist() -> None:
    assert set(cdk_redis._HOMES) == set(cdk_redis.__all__)
    assert all(getattr(cdk_redis, name).__name__ == name for name in cdk_redis.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'cdk_redis' has no attribute 'RedisGroup'"):
        _ = cdk_redis.RedisGroup


def test_a_store_does_not_load_modules_of_aws_cdk_lib_that_it_does_not_need() -> None:
    program = "import sys, cdk_redis; cdk_redis.ReplicationGroup, cdk_redis.RedisNetwork; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    slow = {f"aws_cdk.aws_{service}" for service in ("cloudwatch", "ecs", "kms", "lambda", "memorydb", "sns", "ssm")}
    assert slow & set(loaded) == set()


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
    "RedisDashboard",
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
