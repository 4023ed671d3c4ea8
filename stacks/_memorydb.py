"""The MemoryDB cluster."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_redis import MemoryDbCluster, RedisNetwork
from stacks._keys import create_key
from stacks._settings import Settings


class MemoryDbStack(cdk.Stack):
    """A MemoryDB cluster.

    Attributes:
        store: The cluster.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        network: RedisNetwork,
        env: cdk.Environment | None = None,
    ) -> None:
        """Define the stack.

        Args:
            scope: The app.
            id: Name of the stack.
            settings: Settings of the environment.
            network: Network of the cluster.
            env: Account and Region. Default: - those of the credentials of the deployment.
        """
        super().__init__(
            scope,
            id,
            env=env,
            description="A MemoryDB cluster over TLS",
            termination_protection=settings.termination_protection,
        )
        store = settings.memorydb
        self.store = MemoryDbCluster(
            self,
            "Store",
            network=network,
            engine=store.cdk_engine,
            node_type=store.node_type,
            shards=store.shards,
            replicas=store.replicas,
            kms_key=create_key(self) if store.customer_managed_key else None,
            snapshots=store.snapshots,
            removal_policy=store.cdk_removal_policy,
        )

        cdk.CfnOutput(self, "Address", value=self.store.endpoint.address, description="Connect here, over TLS")
        cdk.CfnOutput(self, "Port", value=self.store.endpoint.port_text)
        cdk.CfnOutput(self, "ClusterName", value=self.store.store_name)
