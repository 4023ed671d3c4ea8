"""Names, IAM actions and ARN formats of the two services."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import IConstruct


@dataclass(frozen=True)
class Service:
    """A service that runs stores.

    Attributes:
        name: Name in ARNs, IAM actions and token signatures.
        store_resource: Resource type of a store in its ARN.
        arn_format: Separator between resource type and name in its ARNs.
        serverless: Whether its stores are serverless caches, which IAM tokens must state.
        metric_namespace: Namespace of its metrics in CloudWatch.
    """

    name: str
    store_resource: str
    arn_format: cdk.ArnFormat
    metric_namespace: str
    serverless: bool = False

    @property
    def connect_action(self) -> str:
        """The IAM action to sign in; a policy must allow it for the ARNs of the store and of the user."""
        return f"{self.name}:Connect"

    @property
    def change_user_actions(self) -> tuple[str, str]:
        """The IAM actions to change a user and to see when the change is complete."""
        return f"{self.name}:{'Update' if self.name == 'memorydb' else 'Modify'}User", f"{self.name}:DescribeUsers"

    def store_arn(self, scope: IConstruct, store_name: str) -> str:
        """ARN of a store in the account and Region of a construct; CfnReplicationGroup has no attribute for it."""
        return self._arn(scope, self.store_resource, store_name)

    def user_arn(self, scope: IConstruct, user_name: str) -> str:
        """ARN of a user, built from its name, which is known at synth: so no stack exports the ARN."""
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
