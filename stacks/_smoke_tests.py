"""The smoke tests, in a separate stack after the stores."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from cdk_redis import MemoryDbCluster, ReplicationGroup, SmokeTest


class SmokeTestStack(cdk.Stack):
    """Connects to each store at the end of the deployment, and fails if a store does not work as declared.

    A separate stack, because a failure rolls back the stack of the test, and the rollback of a store can be impossible
    (an engine cannot be downgraded) or take another 15 minutes. Here a failure stops the pipeline, the store stays as
    it is, and the next run takes seconds.

    It reads the values of the other stacks with weak references (``Fn::GetStackOutput``): an export in use cannot
    change, and would lock the store's stack. See docs/decisions.md.
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
            stores: Stores to test, by the ids of their tests.
            env: Account and Region. Default: - those of the credentials of the deployment.
        """
        super().__init__(scope, id, env=env, description="Smoke tests of the stores, run at the end of each deploy")
        cdk.CrossStackReferences.of(self).consume(cdk.ReferenceStrength.WEAK)

        for name, store in stores.items():
            test = SmokeTest(self, name, target=store)
            cdk.CfnOutput(
                self, f"{name}Report", value=test.log_group.log_group_name, description="Log group of the reports"
            )
