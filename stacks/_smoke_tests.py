"""The smoke tests, in a stack of their own after the stores."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from cdk_redis import MemoryDbCluster, ReplicationGroup, SmokeTest


class SmokeTestStack(cdk.Stack):
    """Connects to each store at the end of the deploy, and fails if a store is not what it was asked to be.

    A stack of its own, because a failure rolls back the stack it happens in, and rolling back a store can be
    impossible (an engine cannot be downgraded) or take another quarter of an hour. Here a failure stops the pipeline,
    the store stays to be looked at, and the test runs again in seconds.

    All that it reads from the other stacks it reads weakly, by ``Fn::GetStackOutput``: an export that is in use
    cannot change, and would lock the store's stack. See docs/decisions.md.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stores: Mapping[str, ReplicationGroup | MemoryDbCluster],
        env: cdk.Environment | None = None,
    ) -> None:
        """Define the stack.

        Args:
            scope: The app.
            id: Name of the stack.
            stores: What to test, by the id that its test gets here.
            env: Account and Region. Default: - those of whoever deploys.
        """
        super().__init__(scope, id, env=env, description="Smoke tests of the stores, run at the end of each deploy")
        cdk.CrossStackReferences.of(self).consume(cdk.ReferenceStrength.WEAK)

        for name, store in stores.items():
            test = SmokeTest(self, name, target=store)
            cdk.CfnOutput(
                self, f"{name}Report", value=test.log_group.log_group_name, description="Log group of the reports"
            )
