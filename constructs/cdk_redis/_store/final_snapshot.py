"""The final snapshot of stores whose service takes it by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.naming import final_snapshot_name

if TYPE_CHECKING:
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_memorydb as memorydb
    from constructs import IConstruct


def apply_removal_policy(
    store: IConstruct,
    resource: elasticache.CfnServerlessCache | memorydb.CfnCluster,
    name: str,
    removal_policy: cdk.RemovalPolicy,
) -> None:
    """Say what happens to a store's resource when it leaves the stack or is replaced.

    Args:
        store: The store.
        resource: Its resource.
        name: Name of the resource.
        removal_policy: As given to the store.
    """
    if removal_policy != cdk.RemovalPolicy.SNAPSHOT:
        resource.apply_removal_policy(removal_policy)
        return
    # CloudFormation's own snapshot policy is not for these types: CDK renders it without a word and the
    # deployment fails. The service takes the name of a final snapshot instead.
    resource.final_snapshot_name = final_snapshot_name(store, name)
    resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
