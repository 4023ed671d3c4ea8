"""App whose programs are bound to stores of another stack: `-c engine=...`, `-c program=<folder with program.py>`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import aws_cdk as cdk
import redis
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

import cdk_redis_runtime
from cdk_redis import AccessString, ConnectionRecord, Engine, MemoryDbCluster, RedisNetwork, ReplicationGroup

ACCESS = AccessString.read_write("app:*").allow("cluster|slots", "command")
app = cdk.App()
name, _, version = str(app.node.get_context("engine")).partition(":")

data = cdk.Stack(app, "BoundData")
network = RedisNetwork(data, "Network", zones=2)
cache = ReplicationGroup(
    data,
    "Cache",
    network=network,
    engine=Engine.of(name, version, elasticache_family=f"{name}{version.split('.')[0]}"),
    replicas=0,
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
ledger = MemoryDbCluster(
    data,
    "Ledger",
    network=network,
    engine=Engine.of(name, version, memorydb_family=f"memorydb_{name}{version.split('.')[0]}"),
    replicas=0,
    removal_policy=cdk.RemovalPolicy.DESTROY,
)
cache_user = cache.add_password_user("app", ACCESS)
ledger_user = ledger.add_iam_user("app", ACCESS)
shared = ledger.share("/bound/ledger", user=ledger_user)
# For `cdk-redis connect --stack`.
cdk.CfnOutput(data, "LedgerRecord", value=shared.parameter.parameter_name)


def function(scope: Construct) -> lambda_.Function:
    """A function with the program, redis-py and the run-time package."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(str(app.node.get_context("program")), folder, dirs_exist_ok=True)
        for package in (cdk_redis_runtime, redis):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(Path(str(package.__file__)).parent, Path(folder) / package.__name__, ignore=ignore)
        return lambda_.Function(
            scope,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="program.handler",
            code=lambda_.Code.from_asset(folder),
            timeout=cdk.Duration.seconds(20),
            vpc=network.vpc,
            vpc_subnets=network.subnet_selection,
        )


web = cdk.Stack(app, "BoundWeb")
both = function(web)
cache.bind(both, user=cache_user)
ledger.bind(both, user=ledger_user, name="ledger")
task = ecs.FargateTaskDefinition(web, "Task", family="bound")
task.add_container("web", image=ecs.ContainerImage.from_registry("public.ecr.aws/docker/library/python:3.13"))
service = ecs.FargateService(
    web,
    "Service",
    cluster=ecs.Cluster(web, "Cluster", vpc=network.vpc),
    task_definition=task,
    vpc_subnets=network.subnet_selection,
    min_healthy_percent=50,
    circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
)
cache.bind(service, user=cache_user)
cdk.CfnOutput(web, "FunctionName", value=both.function_name)

# As another app, which knows only the name of the parameter; it uses the network, because there is one VPC.
other = cdk.Stack(app, "BoundOther")
reader = function(other)
ConnectionRecord.from_parameter(other, "Record", "/bound/ledger").bind(reader, name="books")
other.add_stack_dependency(data)
cdk.CfnOutput(other, "FunctionName", value=reader.function_name)
app.synth()
