"""All applications of examples/, as stacks of one app, so that one deploy is enough: `-c engine=...`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs

from cdk_redis import Engine

EXAMPLES = Path(__file__).parents[4] / "examples"


def load(name: str) -> Any:
    """The module app.py of an example."""
    spec = importlib.util.spec_from_file_location(f"{name}_app", EXAMPLES / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


app = cdk.App()
name, _, version = str(app.node.get_context("engine")).partition(":")
family = f"{name}{version.split('.')[0]}"
engine = Engine.of(name, version, elasticache_family=family, memorydb_family=f"memorydb_{family}")
# The local cloud has no Docker, and runs no containers.
image = ecs.ContainerImage.from_registry("public.ecr.aws/docker/library/python:3.14-slim")
stacks = [
    load("cache_aside").CacheAsideStack(app, "CacheAside", engine=engine),
    load("fan_out").FanOutStack(app, "FanOut", engine=engine, image=image),
    load("job_queue").JobQueueStack(app, "JobQueue", engine=engine, image=image),
    load("leaderboard").LeaderboardStack(app, "Leaderboard", engine=engine),
    load("rate_limiter").RateLimiterStack(app, "RateLimiter", engine=engine, calls=5, window=cdk.Duration.hours(1)),
    load("session_store").SessionStoreStack(app, "SessionStore", engine=engine, lifetime=cdk.Duration.seconds(5)),
]
for stack in stacks:
    cdk.CfnOutput(stack, "FunctionName", value=stack.function.function_name)
    if hasattr(stack, "table"):
        cdk.CfnOutput(stack, "TableName", value=stack.table.table_name)
    if hasattr(stack, "service"):
        cdk.CfnOutput(stack, "ServiceName", value=stack.service.service_name)
        cdk.CfnOutput(stack, "ClusterName", value=stack.service.cluster.cluster_name)
app.synth()
