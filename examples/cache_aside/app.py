"""A cache in front of a slow source: a function reads products from the cache, and from a table if they are not there.

What is in the cache is in the table, too: a cache without snapshots is enough.

cdk deploy --app "python3 examples/cache_aside/app.py"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_redis import AccessString, Engine, RedisNetwork, ReplicationGroup, SmokeTest, acknowledge, runtime_code

# What scanners find on a function with the CDK's defaults, see docs/compliance.md.
ACCEPTED = dict.fromkeys(
    (
        *(
            "CloudWatchLogGroupEncrypted",
            "IAMNoInlinePolicy",
            "LambdaConcurrency",
            "LambdaDLQ",
            "LambdaManagedPolicies",
        ),
        *("Serverless-LambdaTracing", "CKV_AWS_173"),
    ),
    "an example: its clients wait for the answer, and its variables and logs have no secrets",
)


class CacheAsideStack(cdk.Stack):
    """A table, a cache, and a function that reads from both."""

    def __init__(self, scope: Construct, id: str, *, engine: Engine | str = "valkey:8.1", **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        network = RedisNetwork(self, "Network", zones=2)
        cache = ReplicationGroup(
            self,
            "Cache",
            network=network,
            engine=engine,
            replicas=1,
            parameters={"maxmemory-policy": "allkeys-lfu"},
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        user = cache.add_iam_user("products", AccessString.read_write("product:*"))
        self.table = dynamodb.TableV2(
            self, "Products", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        )
        self.function = lambda_.Function(
            self,
            "Read",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=runtime_code(Path(__file__).with_name("function")),
            environment={"TABLE": self.table.table_name},
            memory_size=512,
            timeout=cdk.Duration.seconds(10),
            vpc=network.vpc,
            vpc_subnets=network.subnet_selection,
        )
        cache.bind(self.function, user=user)
        # The way to the table from isolated subnets; it costs nothing.
        network.vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        self.table.grant_read_write_data(self.function)
        SmokeTest(self, "SmokeTest", target=cache)
        acknowledge(self.function, ACCEPTED)
        acknowledge(self.table, {"CKV_AWS_165": "recovery to a point in time costs money by the gigabyte"})


if __name__ == "__main__":
    app = cdk.App()
    CacheAsideStack(app, "CacheAside")
    app.synth()
