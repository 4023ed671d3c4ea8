"""Publish/subscribe: a function changes prices, and every web server in ECS knows the new price at once.

The prices are also in a hash, from which a server reads what it missed: a cache with a replica is enough.

cdk deploy --app "python3 examples/fan_out/app.py"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_redis import AccessString, Engine, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge, runtime_code

HERE = Path(__file__).parent

# What scanners find with the CDK's defaults, see docs/compliance.md.
BOTH = ("CloudWatchLogGroupEncrypted", "IAMNoInlinePolicy")
FUNCTION = (*BOTH, "LambdaConcurrency", "LambdaDLQ", "LambdaManagedPolicies", "Serverless-LambdaTracing", "CKV_AWS_173")
TASK = (*BOTH, "AwsSolutions-ECS2", "AwsSolutions-IAM5[Resource::*]")
CLUSTER = ("AwsSolutions-ECS4", "CKV_AWS_65")
VPC = ("VPCFlowLogsEnabled", "VPCNoUnrestrictedRouteToIGW", "VPCSubnetAutoAssignPublicIpDisabled")


class FanOutStack(cdk.Stack):
    """A cache, the function that publishes, and the servers that subscribe."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        image: ecs.ContainerImage | None = None,
        engine: Engine | str = "valkey:8.1",
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, id, **kwargs)
        # With a NAT gateway: Fargate pulls the image and writes logs through it.
        vpc = ec2.Vpc(self, "Vpc", max_azs=2, nat_gateways=1)
        network = RedisNetwork(self, "Network", vpc=vpc)
        cache = ReplicationGroup(self, "Cache", network=network, engine=engine, replicas=1)

        self.function = lambda_.Function(
            self,
            "Publish",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=runtime_code(HERE / "function"),
            memory_size=512,
            timeout=cdk.Duration.seconds(10),
            vpc=vpc,
            vpc_subnets=network.subnet_selection,
        )
        publish = AccessString.read_write("prices").channels("prices:changed")
        cache.bind(self.function, user=cache.add_iam_user("publish", publish))

        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            runtime_platform=ecs.RuntimePlatform(cpu_architecture=ecs.CpuArchitecture.ARM64),
        )
        task.add_container(
            "Server",
            image=image or ecs.ContainerImage.from_asset(str(HERE / "service")),
            logging=ecs.LogDrivers.aws_logs(stream_prefix="server", log_retention=logs.RetentionDays.ONE_MONTH),
        )
        cluster = ecs.Cluster(self, "Services", vpc=vpc)
        self.service = ecs.FargateService(
            self,
            "Servers",
            cluster=cluster,
            task_definition=task,
            desired_count=2,
            min_healthy_percent=50,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            vpc_subnets=network.subnet_selection,
        )
        subscribe = AccessString.read_only("prices").channels("prices:changed").allow("subscribe")
        cache.bind(self.service, user=cache.add_iam_user("server", subscribe))
        SmokeTest(self, "SmokeTest", target=cache)
        acknowledge(
            self.function, dict.fromkeys(FUNCTION, "clients wait for the answer, and no variable or log is secret")
        )
        acknowledge(task, dict.fromkeys(TASK, "policies of the CDK for this task; no variable or log is secret"))
        acknowledge(cluster, dict.fromkeys(CLUSTER, "Container Insights cost money by the metric"))
        acknowledge(vpc, dict.fromkeys(VPC, "the VPC stands for one that exists"))


if __name__ == "__main__":
    app = cdk.App()
    FanOutStack(app, "FanOut")
    app.synth()
