"""The two services, where they differ for someone who connects: names of actions and shapes of ARNs."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import IConstruct


@dataclass(frozen=True)
class Service:
    """A service that runs stores.

    Attributes:
        name: Name in ARNs, IAM actions and token signatures.
        store_resource: Kind of a store in its ARN.
        arn_format: What stands between a kind and a name in its ARNs.
        serverless: Whether its stores are serverless caches, whose IAM tokens say so.
        metric_namespace: Where CloudWatch keeps its metrics.
    """

    name: str
    store_resource: str
    arn_format: cdk.ArnFormat
    metric_namespace: str
    serverless: bool = False

    @property
    def connect_action(self) -> str:
        """The IAM action that lets a principal sign in, needed on the store's and on the user's ARN."""
        return f"{self.name}:Connect"

    @property
    def change_user_actions(self) -> tuple[str, str]:
        """The IAM actions that change a user, and that see when the change is done."""
        return f"{self.name}:{'Update' if self.name == 'memorydb' else 'Modify'}User", f"{self.name}:DescribeUsers"

    def store_arn(self, scope: IConstruct, store_name: str) -> str:
        """ARN of a store in the account and Region of a construct; replication groups have no attribute for it."""
        return self._arn(scope, self.store_resource, store_name)

    def user_arn(self, scope: IConstruct, user_name: str) -> str:
        """ARN of a user; made from its name, which is known at synth, so that no stack exports it."""
        return self._arn(scope, "user", user_name)

    def _arn(self, scope: IConstruct, resource: str, name: str) -> str:
        return cdk.Stack.of(scope).format_arn(
            service=self.name, resource=resource, resource_name=name, arn_format=self.arn_format
        )


ELASTICACHE = Service("elasticache", "replicationgroup", cdk.ArnFormat.COLON_RESOURCE_NAME, "AWS/ElastiCache")
SERVERLESS = Service(
    "elasticache", "serverlesscache", cdk.ArnFormat.COLON_RESOURCE_NAME, "AWS/ElastiCache", serverless=True
)
MEMORYDB = Service("memorydb", "cluster", cdk.ArnFormat.SLASH_RESOURCE_NAME, "AWS/MemoryDB")
