"""The shape of a row: one call that the library refuses, or one near the border that it accepts.

Each module beside this one holds the rows of one theme, in lists ``REFUSED`` and ``ACCEPTED``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from cdk_redis import MemoryDbCluster, RedisNetwork, ReplicationGroup, ServerlessCache

REGION = "eu-west-1"


class Scene:
    """Where a row makes its call: a scope of its own, in a stack whose account and Region are known."""

    def __init__(self, stack: cdk.Stack, network: RedisNetwork, id: str) -> None:
        self.stack = stack
        self.network = network
        self.scope = Construct(stack, id)

    def group(self, id: str = "Cache", **given: Any) -> ReplicationGroup:
        """A replication group."""
        return ReplicationGroup(self.scope, id, **{"network": self.network, **given})

    def serverless(self, id: str = "Cache", **given: Any) -> ServerlessCache:
        """A serverless cache."""
        return ServerlessCache(self.scope, id, **{"network": self.network, **given})

    def cluster(self, id: str = "Cluster", **given: Any) -> MemoryDbCluster:
        """A MemoryDB cluster."""
        return MemoryDbCluster(self.scope, id, **{"network": self.network, **given})

    def other_stack(self, region: str = "us-east-1", account: str = "111122223333") -> cdk.Stack:
        """A stack of another Region, or of another account."""
        return cdk.Stack(self.scope, "Elsewhere", env=cdk.Environment(account=account, region=region))


@dataclass(frozen=True)
class Refused:
    """A call that ends in a `ConfigurationError`.

    Attributes:
        rule: What is allowed, in one sentence, for the page of all checks.
        call: Makes the call.
        message: The whole message behind the construct's path, with ``...`` for the path of the row's scope: parameter,
            value, reason, hint.
        source: Page of AWS's documentation, or AWS's own message in quotes; "the library" where the rule is ours.
    """

    rule: str
    call: Callable[[Scene], object]
    message: str
    source: str


@dataclass(frozen=True)
class Accepted:
    """A legal call near the border of a rule; it is synthesized, linted and validated.

    Attributes:
        rule: Why it is legal, in one sentence.
        call: Makes the call.
    """

    rule: str
    call: Callable[[Scene], object]
