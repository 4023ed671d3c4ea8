"""The final snapshot of stores whose resource has a property with the snapshot's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.naming import description_of, digest

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticache as elasticache
    from aws_cdk import aws_memorydb as memorydb
    from constructs import Construct

# By default, the data of a deleted store stays in a final snapshot.
DEFAULT_POLICY = cdk.RemovalPolicy.SNAPSHOT


def apply_removal_policy(
    store: Construct,
    resource: elasticache.CfnServerlessCache | memorydb.CfnCluster,
    name: str,
    removal_policy: cdk.RemovalPolicy,
    *,
    vpc: ec2.IVpc,
) -> None:
    """Set what happens to a store's resource when it leaves the stack or is replaced.

    Args:
        store: The store.
        resource: Its resource.
        name: Name of the resource.
        removal_policy: Removal policy of the store.
        vpc: VPC of the store.
    """
    if removal_policy != cdk.RemovalPolicy.SNAPSHOT:
        resource.apply_removal_policy(removal_policy)
        return
    # These types have no DeletionPolicy "Snapshot": the CDK renders it without a warning, and the deployment fails.
    # They have a property with the name of the final snapshot instead.
    resource.final_snapshot_name = _final_snapshot_name(store, name, vpc)
    resource.apply_removal_policy(cdk.RemovalPolicy.DESTROY)


def _final_snapshot_name(store: Construct, name: str, vpc: ec2.IVpc) -> str:
    """Return a name that no snapshot has; the service would otherwise refuse to delete the store.

    The store's name alone is not enough. If the port of a store changes from 6379 to 6380 and back, or the store is
    removed and added again, the store gets a name that it had before, and a final snapshot of that name exists. So the
    name contains the id of a security group that CloudFormation creates together with the store: its logical id
    contains the store's name, it costs nothing, and AWS never reuses an id. docs/decisions.md compares alternatives.
    """
    from aws_cdk import aws_ec2 as ec2

    group = ec2.SecurityGroup(
        store,
        f"FinalSnapshot{digest(store, name)}",
        vpc=vpc,
        description=description_of(f"Only names the final snapshot of {store.node.path}"),
        allow_all_outbound=False,
    )
    return f"{name}-final-{group.security_group_id}"
