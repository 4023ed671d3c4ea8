"""An app, a stack and a network to put stores in."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from cdk_redis import RedisNetwork


@pytest.fixture
def app() -> cdk.App:
    return cdk.App()


@pytest.fixture
def stack(app: cdk.App) -> cdk.Stack:
    """A stack whose account and Region are known, so that the checks which need them run."""
    return cdk.Stack(app, "Stack", env=cdk.Environment(account="111122223333", region="eu-west-1"))


@pytest.fixture
def network(stack: cdk.Stack) -> RedisNetwork:
    return RedisNetwork(stack, "Network")
