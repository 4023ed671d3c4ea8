"""Functions that define a replication group, for tables of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk

from cdk_redis import AccessString, RedisNetwork, ReplicationGroup

Make = Callable[[cdk.Stack, RedisNetwork], object]


def replication_group(**parameters: Any) -> Make:
    return lambda stack, network: ReplicationGroup(stack, "Cache", network=network, **parameters)


def replication_group_with_iam_user(**parameters: Any) -> Make:
    return lambda stack, network: ReplicationGroup(stack, "Cache", network=network, **parameters).add_iam_user(
        "app", AccessString.read_only("*")
    )
