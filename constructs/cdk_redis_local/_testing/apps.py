"""Reads apps of this process: their cloud assembly, and where their constructs are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cdk_redis_local._core.errors import LocalCloudError

if TYPE_CHECKING:
    import aws_cdk as cdk
    from constructs import IConstruct

_SERVICES = {
    "AWS::ElastiCache::ReplicationGroup": "elasticache",
    "AWS::ElastiCache::ServerlessCache": "serverless",
    "AWS::MemoryDB::Cluster": "memorydb",
}


def main_resource(construct: IConstruct) -> cdk.CfnElement:
    """The L1 of a construct.

    Raises:
        LocalCloudError: It has no main resource.
    """
    import aws_cdk as cdk

    resource = construct if isinstance(construct, cdk.CfnElement) else construct.node.default_child
    if not isinstance(resource, cdk.CfnElement):
        raise LocalCloudError(f"{construct.node.path} has no main resource: give its name, as an output of the stack")
    return resource


def service_and_region(store: IConstruct) -> tuple[str | None, str | None]:
    """Service and Region of a store; None if it is not known."""
    import aws_cdk as cdk

    resource = main_resource(store)
    kind = resource.cfn_resource_type if isinstance(resource, cdk.CfnResource) else ""
    return _SERVICES.get(kind), region_of(cdk.Stack.of(resource))


def region_of(stack: cdk.Stack) -> str | None:
    """The Region of a stack; None if it is that of the cloud."""
    import aws_cdk as cdk

    return None if cdk.Token.is_unresolved(stack.region) else stack.region


def synthesized(app: cdk.Stage | cdk.Stack, stacks: Sequence[str]) -> tuple[Path, Sequence[str]]:
    """Synthesize the app in this process; returns the cloud assembly and the stacks to deploy."""
    import aws_cdk as cdk

    if not isinstance(app, (cdk.Stage, cdk.Stack)):
        raise LocalCloudError(f"deploy takes a cdk.App, a cdk.Stage, a cdk.Stack or a folder, not {app!r}")
    stage = app if isinstance(app, cdk.Stage) else cdk.Stage.of(app)
    if stage is None:
        raise LocalCloudError(f"{app.node.path} is in no cdk.App: deploy the app that it belongs to")
    # Again, because a test may have changed the app since the last time.
    assembly = stage.synth(force=True)
    return Path(assembly.directory), [app.node.path] if isinstance(app, cdk.Stack) else stacks
