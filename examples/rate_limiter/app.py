"""A rate limiter: each caller may call so many times a minute, whichever function answers.

If the counters are lost, callers get a few calls more: a cache without replicas is enough.

cdk deploy --app "python3 examples/rate_limiter/app.py"
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
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


class RateLimiterStack(cdk.Stack):
    """A cache with the counters, and a function that is limited."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        calls: int = 60,
        window: cdk.Duration | None = None,
        engine: Engine | str = "valkey:8.1",
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, id, **kwargs)
        network = RedisNetwork(self, "Network", zones=2)
        counters = ReplicationGroup(
            self, "Counters", network=network, engine=engine, replicas=0, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        user = counters.add_iam_user("limiter", AccessString.read_write("calls:*"))
        self.function = lambda_.Function(
            self,
            "Api",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=runtime_code(Path(__file__).with_name("function")),
            environment={
                "CALLS": str(calls),
                "WINDOW_SECONDS": str((window or cdk.Duration.minutes(1)).to_seconds()),
            },
            memory_size=512,
            timeout=cdk.Duration.seconds(10),
            vpc=network.vpc,
            vpc_subnets=network.subnet_selection,
            allow_all_outbound=False,  # `bind` adds the rule to the cache
        )
        counters.bind(self.function, user=user)
        SmokeTest(self, "SmokeTest", target=counters)
        acknowledge(self.function, ACCEPTED)
        lost = "lost counters allow some calls more; a second node is not worth its price"
        acknowledge(counters.resource, {"AwsSolutions-AEC4": lost})


if __name__ == "__main__":
    app = cdk.App()
    RateLimiterStack(app, "RateLimiter")
    app.synth()
